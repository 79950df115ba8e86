"""Lines read as the policy reads them, for one user's home."""

from functools import partial

from loomstack_mcp.adapters.parse.shell.script import parsed_line
from loomstack_mcp.core.shell.effects import ShellReading, shell_reading

FORCE = ("git", "push", "--force|-f|--force-with-lease|--mirror")
PARSE = partial(parsed_line, home="/home/dana")


def read(line: str, *, cwd: str = "") -> ShellReading:
    return shell_reading(PARSE(line), cwd=cwd, parse=PARSE)
