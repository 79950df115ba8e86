"""`loomstack-mcp`: the commands, their settings, and how an error ends them."""

import importlib
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from loomstack_mcp import __version__
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.edge.here import Here

FAILED = 1
USAGE = 64  # sysexits.h, EX_USAGE

_COMMANDS = {
    "serve": "serve",
    "demo": "demo",
    "init": "init",
    "uninstall": "init",
    "doctor": "doctor",
    "runs": "lists",
    "claims": "lists",
    "events": "lists",
    "audit": "audit",
    "conflicts": "conflicts",
    "policy": "policy",
    "gate": "gate",
    "notes": "notes",
    "note": "notes",
    "config": "config",
    "completion": "config",
    "db": "db",
    "help": "help",
}
"""Each command's module; imported when called, so that a server does not wait for the demo's imports."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click calls it so
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click calls it so
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"loomstack_mcp.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(
    cls=Commands,
    invoke_without_command=True,
    epilog="Settings: flag, LOOMSTACK_HOME and LOOMSTACK_STORE …, .loomstack/config.yaml, the user's config.yaml.",
)
@click.option("--home", help="Folder of the store and of config.yaml.")
@click.option("--store", help="sqlite:///PATH of the store.")
@click.option("--repo", help="Another repository than the one here, by URL or name.")
@click.version_option(__version__, package_name="loomstack-mcp")
@click.pass_context
def cli(ctx: click.Context, home: str | None, store: str | None, repo: str | None) -> None:
    """Many agent loops, one team: shared context, claims and outcomes for Claude Code and Codex.

    A client that starts this without a command, on pipes, gets the MCP server.
    """
    flags = {"home": home, "store": store, "repo": repo}
    ctx.obj = Here(Path.cwd(), flags, elsewhere="pass --repo URL, or go to one", meant=repo or "")
    if ctx.invoked_subcommand is None:
        if sys.stdin.isatty():
            click.echo(ctx.get_help())
        else:
            command = cli.get_command(ctx, "serve")
            assert command
            ctx.invoke(command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command. Exit status: 0 done, 1 failed, 64 wrong usage."""
    try:
        result: Any = cli.main(arguments, prog_name="loomstack-mcp", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(FAILED)
    except click.Abort:
        sys.exit(130)
    except LoomError as error:
        click.echo(f"loomstack-mcp: {error.code}: {error}", err=True)
        sys.exit(FAILED)
    except BrokenPipeError:  # `loomstack-mcp events | head`
        sys.stderr.close()
        sys.exit(0)
    sys.exit(result if isinstance(result, int) else 0)
