"""What each entry point starts and loads, counted on a really started process."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.house.bounds import GIT_MAX
from tests.house.entries import (
    ENTRIES,
    claude_call,
    claude_edit,
    claude_first,
    claude_free,
    claude_prompt,
    codex_free,
    codex_patch,
    git_prepare,
    git_worktree,
    session_end,
    session_start,
    stop,
)
from tests.house.scene import LARGE, SMALL, Scene, scene
from tests.house.started import started

_ANSWERS = {
    "loomstack-mcp serve, initialize": (0, "loomstack"),
    "loomstack-hook claude, Edit": (0, "is claimed by"),
    "loomstack-hook codex, apply_patch": (0, "is claimed by"),
    "loomstack-hook claude, a free Edit": (0, ""),
    "loomstack-hook codex, a free apply_patch": (0, ""),
    "loomstack-hook claude, a file's first Edit": (0, ""),
    "loomstack-hook claude, a call of ours": (0, ""),
    "loomstack-hook claude, SessionStart": (0, "holds src/held.py"),
    "loomstack-hook claude, Stop": (0, ""),
    "loomstack-hook claude, SessionEnd": (0, ""),
    "loomstack-hook claude, a prompt": (0, ""),
    "loomstack-hook git, prepare-commit-msg": (0, ""),
    "loomstack-hook git, post-commit": (0, ""),
    "loomstack-hook git, post-checkout": (0, ""),
    "loomstack-hook git, pre-commit": (0, ""),
    "loomstack-mcp runs": (0, "split the module"),
    "loomstack-mcp gate --base --head": (2, "“Landed 0”"),
    "loomstack-mcp conflicts": (0, "Landed 0"),
}
_HOOK_MODULES = """
adapters adapters.beside_store adapters.pauses adapters.settings adapters.settings_values
adapters.system adapters.policy adapters.policy.folders
adapters.git adapters.git.clone_settings adapters.git.deciding adapters.git.discovery adapters.git.identity
adapters.git.objects adapters.git.repository adapters.git.run adapters.git.trunk adapters.git.worktree
adapters.git.written
core core.claim_edits core.claims core.edits core.errors core.events core.ids core.limits core.pauses core.people
core.phrases core.records core.repos core.runs core.secrets core.sessions core.steps core.texts
core.patterns core.patterns.braces core.patterns.globs core.patterns.segments core.patterns.typed
core.patterns.sharing core.patterns.wildcards
core.clients.passages core.edit_lines
edge edge.bearings edge.guarding edge.holding edge.same_lines edge.steps
hooks hooks.main
quick
services services.acting services.alerts services.blockers services.events services.glances services.gone
services.judgings services.offered services.path_index
services.repos services.sightings
store store.base store.bells store.queries store.rows
store.sqlite store.sqlite.backend store.sqlite.boot store.sqlite.clock store.sqlite.failures store.sqlite.file
store.sqlite.gate store.sqlite.schema store.sqlite.transaction
"""
_REFUSAL_MODULES = "services.refusals services.requests services.sessions services.starts services.waiters"
_GLANCE_MODULES = """
adapters.git.layout adapters.user
core.clients.payload core.errors core.limits core.patterns.keys core.step_names
glance hooks.main store.plain store.sqlite.hasty
"""
_ENDED_MODULES = """
adapters adapters.settings adapters.settings_values adapters.system adapters.user
core.briefing.closing core.briefing.opening core.changes.conflict_records core.claim_edits core.claims
core.clients.payload core.clients.steps core.edits core.errors core.events core.ids core.limits core.notes
core.notices core.phrases core.records core.repos core.runs core.secrets core.sessions core.texts
core.patterns.braces core.patterns.globs core.patterns.keys core.patterns.segments core.patterns.typed
core.patterns.sharing core.patterns.wildcards
hooks.endings hooks.main quick
services.acting services.alerts services.blockers services.claims services.conflict_states services.edits
services.events services.expiry services.gone services.grants services.judgings services.note_index
services.notices services.offered services.path_index services.recorded services.repos services.requests
services.session_steps services.sessions services.sightings services.starts services.waiters
store.base store.bells store.plain store.queries store.rows store.sqlite.backend store.sqlite.boot store.sqlite.clock
store.sqlite.failures store.sqlite.file store.sqlite.gate store.sqlite.schema store.sqlite.transaction
"""
"""What a hook loads as a session ends."""
_ONLY_ENDED = """
core.changes.conflict_records core.notices services.alerts services.claims services.conflict_states services.edits
services.expiry
services.grants services.notices services.requests services.waiters
"""
_BEGAN_MODULES = """
adapters.beside_store adapters.git.clone_settings adapters.git.deciding adapters.git.discovery adapters.git.identity
adapters.git.layout adapters.git.objects adapters.git.repository adapters.git.run adapters.git.trunk
adapters.git.unfinished adapters.git.worktree adapters.pauses
adapters.policy.folders
core.pauses core.people core.step_names edge.bearings glance adapters.own_commands hooks.standing store.sqlite.hasty
"""
"""What it loads instead as one starts, or a turn ends."""
_HOLD_MODULES = """
core.steps edge.alerts services.alerts services.guards
services.claims services.edits services.grants services.requests services.sessions services.starts services.waiters
"""
_RULES_MODULES = """
adapters.policy.cache adapters.policy.early adapters.policy.stamped adapters.policy.touched_paths
core.clients.arguments core.patterns.expressions core.patterns.gitignore core.patterns.gitignore_routes
core.patterns.spellings
core.policy.applies core.policy.approvals core.policy.builtin_checks core.policy.checks core.policy.decide
core.policy.decision_views core.policy.delta core.policy.digests core.policy.facts core.policy.known core.policy.loading
core.policy.looks core.policy.needs core.policy.path_checks core.policy.pretool core.policy.rules core.policy.situation
core.policy.violations core.policy.windows
core.shell.apply_patch core.shell.copies core.shell.effects core.shell.git_words core.shell.git_writes
core.shell.guarded core.shell.matching core.shell.options core.shell.shell_texts core.shell.targets core.shell.words
core.shell.wrappers core.shell.writes
edge.ruling
"""
"""Of a step that no claim refuses."""
_STORE_RULES_MODULES = """
core.changes.batches core.changes.conflict_records core.changes.generated core.changes.hunks core.changes.imprints
core.changes.landings core.changes.lines core.changes.meaning core.changes.nets core.changes.packing core.changes.works
core.changes.attributions core.changes.mentions core.changes.trailers core.forges core.notices core.wire
services.approvals services.attributed services.evidence services.hints services.imprints services.landed
services.landed_index services.ledger
services.line_keys services.notices services.policy services.slices
"""
"""Where a rule asks the store: the scene's asks how often work went back. The ledger has the key of what is asked."""
_OF_TWO = {"write-tree", "--batch"}
"""Asked of the index as it is, and again with the files in it; of the repository, and of what was made aside."""
_NOT_FOR_HOOKS = {"briefing", "conflicts", "effects", "hunks", "ledger", "reversals", "verdicts"}
"""Last names of modules of which no answer to an edit speaks."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("large"), LARGE)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_point_answers_what_it_is_asked_here(small: Scene, name: str) -> None:
    status, words = _ANSWERS[name]
    found = ENTRIES[name](small)

    assert (found.status, found.said) == (status, "")
    assert words in found.printed


@pytest.mark.parametrize("name", GIT_MAX)
def test_an_entry_point_starts_few_git_processes(small: Scene, name: str) -> None:
    calls = ENTRIES[name](small).git
    count = len(calls)

    assert count <= GIT_MAX[name], _listed(calls)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_point_asks_git_nothing_twice(small: Scene, name: str) -> None:
    calls = ENTRIES[name](small).git
    twice = [call for call, count in Counter(calls).items() if count > 1 and call[-1] not in _OF_TWO]

    assert twice == [], _listed(calls)


@pytest.mark.parametrize("name", ENTRIES)
def test_git_processes_are_as_many_whatever_the_files_refs_commits_and_rules(
    small: Scene, large: Scene, name: str
) -> None:
    few, many = ENTRIES[name](small).verbs, ENTRIES[name](large).verbs

    assert few.total() == many.total(), f"more: {many - few}; fewer: {few - many}"


def test_a_hook_at_a_glance_loads_these_modules_of_ours_and_no_slow_one(small: Scene) -> None:
    edit, patch, call = claude_free(small), codex_free(small), claude_call(small)
    prompt = claude_prompt(small)
    glance = _named(_GLANCE_MODULES)

    assert edit.ours == call.ours == glance | _named("core.clients.claude")
    assert patch.ours == glance | _named("core.clients.codex core.shell.apply_patch")
    assert len(patch.ours - {name.rpartition(".")[0] for name in patch.ours}) == 13  # without packages
    assert prompt.ours == glance
    # `typing` is loaded by what counts the modules.
    assert {"dataclasses", "pathlib", "subprocess", "hashlib"} & (edit.modules | patch.modules) == set()


def test_a_hook_of_git_in_a_hurry_loads_these_modules_of_ours(small: Scene) -> None:
    prepare, checkout = git_prepare(small), git_worktree(small)
    entry = _named("core.clients.payload core.errors core.limits hooks.main hooks.git.main")
    haste = _named("adapters.client_shell core.changes.trailers hooks.git.haste store.sqlite.hasty_runs")

    assert prepare.ours == _named(_GLANCE_MODULES) | entry | haste
    assert checkout.ours == entry | _named("adapters.git.layout core.clients.files.own_names hooks.git.worktrees")
    assert {"dataclasses", "pathlib", "subprocess", "hashlib"} & (prepare.modules | checkout.modules) == set()


def test_a_hook_that_looks_closer_loads_these_modules_of_ours(small: Scene) -> None:
    ours = _named(f"{_GLANCE_MODULES} {_HOOK_MODULES} {_REFUSAL_MODULES}")

    assert claude_edit(small).ours == ours | _named("core.clients.claude")
    assert codex_patch(small).ours == ours | _named("core.clients.codex core.shell.apply_patch")


def test_a_hook_of_a_session_s_steps_loads_these_modules_of_ours(small: Scene) -> None:
    ended = _named(_ENDED_MODULES)
    only = {f"loomstack_mcp.{name}" for name in _ONLY_ENDED.split()} | {"loomstack_mcp.core.changes"}
    began = (ended - only) | _named(_BEGAN_MODULES)

    assert session_end(small).ours == ended
    assert session_start(small).ours == began | _named("hooks.sessions")
    assert stop(small).ours == began | _named("hooks.stops")


def test_a_hook_that_holds_a_file_loads_these_modules_more(small: Scene) -> None:
    rules = f"{_RULES_MODULES} {_STORE_RULES_MODULES}"
    ours = _named(f"{_GLANCE_MODULES} {_HOOK_MODULES} {_HOLD_MODULES} {rules}")

    assert claude_first(small).ours == ours | _named("core.clients.claude")


def test_a_hook_loads_nothing_of_landed_changes_and_briefings(small: Scene) -> None:
    loaded = {name for name in claude_edit(small).ours if name.rpartition(".")[2] in _NOT_FOR_HOOKS}

    assert loaded == set()


def test_what_a_process_starts_and_loads_is_counted_however_it_ends(tmp_path: Path) -> None:
    program = """
import importlib, os, subprocess
for arguments in (["--version"], ["-c", "a.b=c", "var", "GIT_PAGER"], ["--version"], ["no such\\ncommand"]):
    subprocess.run(["git", *arguments], capture_output=True)
importlib.import_module("colorsys")
os._exit(3)
"""
    found = started([sys.executable, "-c", program], cwd=tmp_path, environment={"PATH": os.environ["PATH"]})

    assert found.status == 3
    assert found.git == (("--version",), ("-c", "a.b=c", "var", "GIT_PAGER"), ("--version",), ("no such\ncommand",))
    assert found.verbs == {"--version": 2, "var": 1, "no such\ncommand": 1}
    assert len(found.questions) == 3
    assert {"colorsys", "subprocess"} < found.modules
    assert found.modules.isdisjoint({"sitecustomize", "pathlib"})
    assert found.ours == set()


def _named(modules: str) -> frozenset[str]:
    """Whole names, the packages that they are in counted."""
    found = [f"loomstack_mcp.{name}".split(".") for name in modules.split()]
    return frozenset(".".join(names[:end]) for names in found for end in range(1, len(names) + 1))


def _listed(calls: tuple[tuple[str, ...], ...]) -> str:
    """Every call on a line, those that were made before marked."""
    return "\n" + "\n".join(
        f"{'again ' if call in calls[:number] else ''}{' '.join(call)}" for number, call in enumerate(calls)
    )
