"""What a client finds of our agents and skills: as in this package, older, a person's, denied, or not loaded."""

import os
import tomllib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.install.definitions import FoundDefinition, definition_text, found_definitions
from loomstack_mcp.adapters.install.doctor import INIT, INSTALL, Check
from loomstack_mcp.adapters.install.doctor_files import Client
from loomstack_mcp.adapters.install.doctor_plugins import plugin_checks
from loomstack_mcp.adapters.install.scopes import InstallScope
from loomstack_mcp.core.clients.files.definitions import (
    ClientDefinition,
    DefinitionState,
    claude_name,
    definition_folder,
    definition_path,
)
from loomstack_mcp.core.clients.files.permission_rules import is_rule_for_definition
from loomstack_mcp.core.phrases import counted

_FILES_MAX = 2_000
_SAID: dict[DefinitionState, str] = {
    "stale": "not as in this package",
    "newer": "of a newer version",
    "changed": "changed by you",
    "foreign": "yours",
    "absent": "not installed",
}
_OWN_FIRST = {("Claude Code", "agents"): False, ("Claude Code", "skills"): True, ("Codex", "agents"): False}
"""Whether a person's own goes before the repository's of that name (run on 2.1.330 and 0.169.0, 2026-11)."""


def definition_checks(
    clients: Sequence[Client], project: InstallScope, own: InstallScope, version: str
) -> Iterator[Check]:
    """For each client that is there what it finds, in the worktree and in the person's own scope."""
    try:
        here, theirs = found_definitions(project, version), found_definitions(own, version)
    except OSError as error:
        found, mend = f"{error.filename} cannot be looked at: {error.strerror}", "see to that and run doctor again"
        yield Check(check="agents", status="fail", found=found, mend=mend)
        return
    for client in (each for each in clients if each.is_there):
        name = f"{client.name} agents"
        of_both = [[each for each in found if each.definition.client == client.name] for found in (here, theirs)]
        checks = [*_checks_in(project, of_both[0], name), *_checks_in(own, of_both[1], name)]
        ours = [each for found in of_both for each in found if each.is_ours]
        plugin = plugin_checks(project, own, [each.definition for each in ours], client=client.name, version=version)
        none = f"none of ours, nor skills; {INIT} brings them"
        yield from [*checks, *plugin] or (Check(check=name, status="ok", found=none),)
        yield from _denied(name, client, ours)
        yield from _behind_others(name, *of_both)
        yield from _ambiguous(project.root, *of_both)


def _checks_in(scope: InstallScope, theirs: Sequence[FoundDefinition], name: str) -> Iterator[Check]:
    """What one client finds in one scope; nothing where none of it is ours."""
    if any(each.is_ours for each in theirs):
        yield _check(name, theirs, scope)
        yield from _not_loaded(name, [each for each in theirs if each.definition.kind == "agents"], scope)


def _denied(name: str, client: Client, ours: Sequence[FoundDefinition]) -> Iterator[Check]:
    """What of ours a client's settings keep from being started."""
    for path, rule in client.denied:
        if any(is_rule_for_definition(rule, each.definition.kind, each.definition.name) for each in ours):
            mend = f"take that out of permissions.deny in {path}"
            yield Check(check=name, status="warn", found=f"{path} denies {rule}", mend=mend)


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


def _behind_others(name: str, project: Sequence[FoundDefinition], own: Sequence[FoundDefinition]) -> Iterator[Check]:
    """What of ours is not loaded here, as a file of a person in the other scope goes first."""
    others = {(each.definition.kind, each.definition.name): each for each in own}
    for here in project:
        other = others.get((here.definition.kind, here.definition.name))
        is_own_first = _OWN_FIRST.get((here.definition.client, here.definition.kind))
        if other is not None and is_own_first is not None:
            first, last = (other, here) if is_own_first else (here, other)
            if first.state == "foreign" and last.is_ours:
                found = f"yours in {first.path} is loaded here, ours in {last.path} is not"
                yield Check(check=name, status="warn", found=found, mend=f"give yours another name in {first.path}")


def _ambiguous(root: Path, project: Sequence[FoundDefinition], own: Sequence[FoundDefinition]) -> Iterator[Check]:
    """Skills that Codex finds in both scopes: it lists both, and `$name` brings in neither (run on 0.169.0)."""
    others = {each.definition.name: each for each in own if _is_skill_of_codex(each)}
    pairs = [(each, others.get(each.definition.name)) for each in project if _is_skill_of_codex(each)]
    names = [here.definition.name for here, other in pairs if other and _is_twice(root, here, other)]
    if names:
        found = f"here and among your own: {', '.join(names)}; Codex then takes ${names[0]} for neither"
        mend = f"keep one of both: remove them below {Path(others[names[0]].path).parents[1]}, or from the repository"
        yield Check(check="Codex skills", status="warn", found=found, mend=mend)


def _is_twice(root: Path, here: FoundDefinition, other: FoundDefinition) -> bool:
    """Whether these are two files, one of them ours: a repository may be the person's home."""
    return (here.is_ours or other.is_ours) and os.path.realpath(root / here.path) != os.path.realpath(other.path)


def _is_skill_of_codex(found: FoundDefinition) -> bool:
    definition = found.definition
    return (definition.client, definition.kind) == ("Codex", "skills") and found.state != "absent"


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
