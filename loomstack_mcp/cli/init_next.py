"""What a person still has to do after `init`, and one thing to try."""

import shutil
from collections.abc import Iterator, Mapping, Sequence

from loomstack_mcp.adapters.install.definitions import FoundDefinition
from loomstack_mcp.adapters.install.scopes import InstallScope
from loomstack_mcp.core.clients.files.own_names import COMMAND, TOKEN_VARIABLE

_HERE = {
    "claude": "  Claude Code  start `claude` in this folder and accept the server when it asks",
    "codex": "  Codex        start `codex` in this folder; trust it, and the hooks, whenever it asks",
}
_EVERYWHERE = {
    "claude": "  Claude Code  start `claude` anew",
    "codex": "  Codex        start `codex` anew; trust the hooks whenever it asks",
}
_TRY = "loom-run"
_TRIED = {
    "claude": f"/{_TRY} refactor <what to change> in Claude Code",
    "codex": f"${_TRY} refactor <what to change> in `codex --add-dir .git`, whose sandbox lets it commit",
}


def next_steps(
    url: str, scope: InstallScope, chosen: Sequence[FoundDefinition], *, telemetry: bool = False
) -> Iterator[str]:
    """What is next, with the clients that are there."""
    clients, where = (_HERE, "here") if scope.worktree else (_EVERYWHERE, "for you, in every repository")
    here = [program for program in clients if shutil.which(program)]
    yield f"LoomStack is set up {where}. Next:"
    yield from _client_steps(clients, here)
    yield f"  check it     {COMMAND} doctor"
    tried = [_TRIED[program] for program in here if any(each.definition.name == _TRY for each in chosen)]
    if tried:
        yield f"  try it       {', '.join(tried)}"
    if telemetry:
        yield f"  costs        keep `{COMMAND} telemetry receive` running; both clients tell it from now on"
    if scope.worktree:
        yield from _project_steps(url, here, chosen)
    if url:
        yield f"  token        export {TOKEN_VARIABLE} before you start a client; no file holds it"


def _client_steps(clients: Mapping[str, str], here: Sequence[str]) -> Iterator[str]:
    yield from (clients[program] for program in here)
    if not here:
        yield f"  clients      neither {' nor '.join(clients)} is on PATH; install one, and start it in a repository"
    elif missing := [program for program in clients if program not in here]:
        yield f"               ({missing[0]} was not found on PATH)"
    if shutil.which(COMMAND) is None:
        yield f"  PATH         {COMMAND} is not on PATH, so the clients will not find it; add its folder"


def _project_steps(url: str, here: Sequence[str], chosen: Sequence[FoundDefinition]) -> Iterator[str]:
    if "claude" in here and not url:
        yield "  claude -p    claude -p --mcp-config .mcp.json …: else it waits two seconds for the server, no more"
    folders = [each.path.split("/")[:2] for each in chosen]
    claude = dict.fromkeys(f"{one}/{two}/" for one, two in folders if one == ".claude")
    others = [".agents/"] if any(one == ".agents" for one, _ in folders) else []
    shared = [".mcp.json", ".claude/settings.json", *claude, *others, ".codex/"]
    yield f"  share it     commit {', '.join(shared[:-1])} and {shared[-1]}"
    if not url:
        yield f"               (who pulls them installs {COMMAND} first: Codex starts no session without it)"
