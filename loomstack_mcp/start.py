"""`loomstack-mcp`: a client's session is served at once, every other command by way of the command line's parser."""

import os
import sys

_VALUED = ("--home", "--store", "--repo")
_COMPLETING = "_LOOMSTACK_MCP_COMPLETE"
"""Set by a shell that asks how a word goes on (click's protocol)."""


def main() -> None:
    """Run a command."""
    if sys.argv[1:2] == ["git-hook"] and len(sys.argv) > 2:
        from loomstack_mcp.cli.git_hook import judged_git_hook

        sys.exit(judged_git_hook(sys.argv[2], sys.argv[3:]))
    flags = _flags_of_serve(sys.argv[1:])
    folder = _folder()
    if flags is None or not folder:
        from loomstack_mcp.cli.main import main as run_command

        run_command()
    from loomstack_mcp.server.front.main import serve

    serve(folder, flags)


def _flags_of_serve(arguments: list[str]) -> dict[str, str | None] | None:
    """The settings of a plain `serve`, or of a client that starts us on pipes without a command; None for all else."""
    flags: dict[str, str | None] = {}
    rest = iter(arguments)
    left: list[str] = []
    for argument in rest:
        name, equals, value = argument.partition("=")
        if left or name not in _VALUED:
            left.append(argument)
        else:
            flags[name.removeprefix("--")] = value if equals else next(rest, None)
    if left != ["serve"] and (left or sys.stdin is None or sys.stdin.isatty()):
        return None
    if _COMPLETING in os.environ:
        return None
    has_streams = sys.stdin is not None and sys.stdout is not None and sys.stderr is not None
    return flags if has_streams and all(flags.values()) else None


def _folder() -> str:
    """The folder that this runs in; "" where somebody has deleted it, which the command line knows words for."""
    try:
        return os.getcwd()  # noqa: PTH109 pathlib costs a start 3 ms
    except FileNotFoundError:
        return ""
