"""What a client finds of our agents and skills: as in this package, older, changed by the person, or not loaded."""

import tomllib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.install.definitions import FoundDefinition, definition_text, found_definitions
from loomstack_mcp.adapters.install.doctor import INIT, INSTALL, Check
from loomstack_mcp.adapters.install.doctor_files import Client
from loomstack_mcp.adapters.install.scopes import InstallScope
from loomstack_mcp.core.clients.files.definitions import (
    ClientDefinition,
    DefinitionState,
    claude_name,
    definition_folder,
    definition_path,
)
from loomstack_mcp.core.phrases import counted

_FILES_MAX = 2_000
_SAID: dict[DefinitionState, str] = {
    "stale": "not as in this package",
    "newer": "of a newer version",
    "changed": "changed by you",
    "foreign": "yours",
    "absent": "not installed",
}


def definition_checks(clients: Sequence[Client], scopes: Sequence[InstallScope], version: str) -> Iterator[Check]:
    """For each client that is there what it finds, in the worktree and in the person's own scope."""
    found = [(scope, found_definitions(scope, version)) for scope in scopes]
    none = f"none of ours, nor skills; {INIT} brings them"
    for client in clients:
        if client.is_there:
            name = f"{client.name} agents"
            checks = [check for scope, each in found for check in _checks_in(scope, _of(client, each), name)]
            yield from checks or (Check(check=name, status="ok", found=none),)


def _of(client: Client, found: Sequence[FoundDefinition]) -> list[FoundDefinition]:
    return [each for each in found if each.definition.client == client.name]


def _checks_in(scope: InstallScope, theirs: Sequence[FoundDefinition], name: str) -> Iterator[Check]:
    """What one client finds in one scope; nothing where none of it is ours."""
    if any(each.is_ours for each in theirs):
        yield _check(name, theirs, scope)
        yield from _not_loaded(name, [each for each in theirs if each.definition.kind == "agents"], scope)


def _check(name: str, theirs: Sequence[FoundDefinition], scope: InstallScope) -> Check:
    names = {state: [each.definition.name for each in theirs if each.state == state] for state in _SAID}
    said = [
        *_counted(theirs),
        *(f"{words}: {', '.join(names[state])}" for state, words in _SAID.items() if names[state]),
    ]
    whose, init = ("", INIT) if scope.worktree else ("your own: ", f"{INIT} --user")
    mend = init if names["stale"] else INSTALL if names["newer"] else ""
    return Check(check=name, status="warn" if mend else "ok", found=whose + "; ".join(said), mend=mend)


def _counted(theirs: Sequence[FoundDefinition]) -> Iterator[str]:
    current = [each.definition.kind for each in theirs if each.state == "current"]
    agents, skills = counted(current.count("agents"), "agent"), counted(current.count("skills"), "skill")
    if current:
        yield f"{agents} and {skills} as in this package"


def _not_loaded(name: str, agents: Sequence[FoundDefinition], scope: InstallScope) -> Iterator[Check]:
    """Agents of ours whose name another file of the folder has too: a client loads one of both."""
    ours = {scope.root / each.path: each.definition.name for each in agents if each.is_ours}
    for path in _agent_files(scope, agents[0].definition) if ours else ():
        said = _said_name(path) if path not in ours else ""
        if said in ours.values():
            found = f"{scope.shown_path(path)} is called {said} too, as one of ours is; only one of both is loaded"
            yield Check(check=name, status="warn", found=found, mend=f"give it another name in {path}")


def _agent_files(scope: InstallScope, agent: ClientDefinition) -> Iterator[Path]:
    """All agents of a client, those in inner folders too, which both clients load."""
    folder = scope.root / definition_folder(scope.places, agent.client, "agents")
    pattern = definition_path(agent.client, "agents", "*")
    return islice(iter(sorted(folder.glob(f"**/{pattern}"))), _FILES_MAX)


def _said_name(path: Path) -> str:
    """The name that an agent's file gives it; "" where it gives none."""
    text = definition_text(path) or ""
    if path.suffix == ".md":
        return claude_name(text)
    try:
        return str(tomllib.loads(text.removeprefix("\ufeff")).get("name", ""))
    except (ValueError, RecursionError):
        return ""
