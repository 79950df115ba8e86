"""`gate --install`: the hook of a repository on a server, written and tried."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from loomstack_mcp.adapters.install.receive_hook import ACCOUNT, receive_command, try_receive_hook, write_receive_hook
from loomstack_mcp.adapters.settings import Settings, load_settings, postgres_url, sqlite_path
from loomstack_mcp.adapters.user import USER_FILE
from loomstack_mcp.cli import output
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.edge.gate import Gate
from loomstack_mcp.edge.here import Here

_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*\}?")
_ACTOR_NEEDED = "--actor needs the variable in which the server names who pushes, in single quotes: '$GL_USERNAME'"


def install_gate(here: Here, path: Path, *, actor: str, git_only: bool) -> int:
    """Write the hook of the repository at `path`, try it, and say what came out; 1 where it lets nothing through."""
    if actor and not _VARIABLE.fullmatch(actor):
        raise click.UsageError(_ACTOR_NEEDED)
    there = Here(path, here.flags, elsewhere="name a repository")
    command = receive_command(list(_pinned(load_settings(here.flags))), git_only=git_only, actor=actor or ACCOUNT)
    with there.any_repository() as repo:
        hook = write_receive_hook(repo.place, command)
        click.echo(f"{output.harmless(str(hook))} judges each push now, by the rules of {repo.head_ref or 'HEAD'}.")
        is_born = bool(repo.commit(repo.head_ref))
        status, said = try_receive_hook(hook, repo)
    # Without a commit there is no push that changes nothing; that it refuses none at all shows that it runs.
    is_well = status == 0 if is_born else "OLD NEW REF" in said
    for line in _outcome(status, said, is_born=is_born, is_well=is_well):
        click.echo(line)
    judge = Gate(there, actor="", git_only=git_only, progress=output.progress)
    for line in _advice(actor, judge.unanswerable() if is_born else ()):
        click.echo(line)
    return 0 if is_well else 1


def _outcome(status: int, said: str, *, is_born: bool, is_well: bool) -> Iterator[str]:
    if is_well and not is_born:
        yield "Tried without a push, for there is no commit yet: it runs."
        return
    yield f"Tried with a push that changes nothing: {'taken' if is_well else f'refused, exit {status}'}."
    yield from (f"  {output.harmless(line)}" for line in said.splitlines())


def _pinned(settings: Settings) -> Iterator[str]:
    """What was chosen here by flag or environment, for the hook, which sees neither."""
    values = {"home": str(Path(settings.home).absolute()), "repo": settings.repo}
    if settings.origins["store"] in ("flag", "environment"):
        if postgres_url(settings):
            raise Invalid(f"the hook would show the store's password: write `store:` into {settings.home}/{USER_FILE}")
        values["store"] = f"sqlite:///{sqlite_path(settings)}"
    for name, value in values.items():
        if settings.origins[name] in ("flag", "environment"):
            yield from (f"--{name}", value)


def _advice(actor: str, unasked: tuple[str, ...]) -> Iterator[str]:
    if not actor:
        yield "Who pushes is the account that git runs under. Where all push under one, install it again with"
        yield "  --actor '$VARIABLE', in which the server names the pusher. What a run signed is a loop's anyway."
    if unasked:
        yield f"No store here knows this repository, so whatever these rules bind is refused: {', '.join(unasked)}."
        yield "  --git-only, on installing, skips and lists them instead."
