"""`loomstack-mcp`: the commands, their settings, and how an error ends them."""

import importlib
import io
import os
import sys
from typing import Any, NoReturn

import click

from loomstack_mcp import __version__
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.cli import output
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.edge.here import Here

FAILED = 1
USAGE = 64  # sysexits.h, EX_USAGE

_COMMANDS = {
    "serve": "serve",
    "ui": "ui",
    "demo": "demo",
    "init": "init",
    "uninstall": "init",
    "doctor": "doctor",
    "runs": "levers",
    "claims": "levers",
    "events": "lists",
    "top": "top",
    "loops": "loops",
    "decisions": "loops",
    "why": "why",
    "audit": "audit",
    "conflicts": "conflicts",
    "policy": "policy",
    "gate": "gate",
    "notes": "notes",
    "note": "notes",
    "repo": "repo",
    "inbox": "inbox",
    "approve": "inbox",
    "deny": "inbox",
    "evidence": "evidence",
    "deploy": "deploys",
    "trace": "traces",
    "export": "export",
    "pause": "pauses",
    "resume": "pauses",
    "config": "config",
    "completion": "config",
    "db": "db",
    "datasette": "datasette",
    "forget": "forget",
    "telemetry": "telemetry",
    "webhook": "webhook",
    "token": "token",
    "help": "help",
}
"""Each command's module; imported when called, so that a server does not wait for the demo's imports."""


class _ReaderLeft(Exception):
    """Nobody reads what is printed any more: `loomstack-mcp events | head`."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click calls it so
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click calls it so
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"loomstack_mcp.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command. Raises NoSuchCommand with those of nearly the same name, of which click knows none here."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=_COMMANDS, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """The command's answer. Raises _ReaderLeft, for click itself would call a closed pipe a failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderLeft from None


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
    elsewhere = "pass --repo URL, or go to one"
    ctx.obj = Here(current_folder(), flags, elsewhere=elsewhere, meant=repo or "", bare_too=True)
    if ctx.invoked_subcommand is None:
        if sys.stdin.isatty():
            click.echo(ctx.get_help())
        else:
            command = cli.get_command(ctx, "serve")
            assert command
            ctx.invoke(command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command. Exit status: 0 done, 1 failed, 64 wrong usage."""
    _open_streams()
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
        click.echo(f"loomstack-mcp: {error.code}: {output.harmless_lines(str(error))}", err=True)
        sys.exit(FAILED)
    except _ReaderLeft:
        _drop_output()
        sys.exit(0)
    except OSError as error:  # a full disk, a name that is too long: no fault of ours that a traceback would help with
        _drop_output()
        where = f" ({error.filename})" if error.filename else ""
        click.echo(f"loomstack-mcp: failed: {error.strerror or error}{where}; see to that and run it again", err=True)
        sys.exit(FAILED)
    sys.exit(result if isinstance(result, int) else 0)


def _open_streams() -> None:
    """Streams that are there and take every character, whoever started us with them closed or in an old encoding."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the first free numbers are theirs: no file of ours must come to lie there
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 open to the end
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # as Python's own stderr


def _drop_output() -> None:
    """What was not written is not tried again at the end, which would fail once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
