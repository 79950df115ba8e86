"""The hook's first look: silent only where the closer look is, and never by what it saw before of a claim."""

import contextlib
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.claims import Mode
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.limits import HOOK_GATE_WAIT_MS
from loomstack_mcp.core.patterns.globs import literal
from loomstack_mcp.core.patterns.keys import ancestors, keys_below
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.glance import is_settled
from loomstack_mcp.hooks.judging import judged_action
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.services.path_index import nearness
from loomstack_mcp.store.plain import newest_sqlite
from loomstack_mcp.store.sqlite import gate, schema
from tests.conftest import commit_all, environment, git
from tests.factories import SHOP
from tests.hooks.support import claude_call, claude_edit, codex_patch, hook, made_store, refused
from tests.house.started import Started, started
from tests.processes import HOOK
from tests.services.support import claimed
from tests.services.support import started as started_run
from tests.wire import Server

HOLDERS = {
    "mine": Caller(principal=principal(), session="claude:s"),
    "sub": Caller(principal=principal(), session="claude:s", agent="a1"),
    "sibling": Caller(principal=principal(), session="claude:s", agent="a2"),
    "other": Caller(principal=principal(), session="claude:o"),
    "forebear": Caller(principal=principal(), session="claude:f"),
    "nobody": Caller(principal=principal()),
    "stranger": Caller(principal="zed", session="claude:s"),
}
PATTERNS = (
    "src/",
    "src/a.py",
    "SRC/A.py",
    "**/*.py",
    "*.md",
    r"app/\[id\]/page.tsx",
    "app/[id]/**",
    "**",
    "src/a.py/x",
)
EDITS = (
    *("src/a.py", "src/new/b.py", "README.md", "app/[id]/page.tsx", "link/a.py", "SRC/a.py", "ünï.py"),
    *("src/../README.md", "feat/src/a.py", "own/src/a.py", ".git/config", "../outside.py", "../no/such/x"),
)
ENDS = (
    "",
    "UPDATE run SET expires_at_ms = 0",
    "UPDATE run SET boot_id = 'x'",
    "UPDATE run SET boot_id = 'x', ttl_ms = 1",
)
TROUBLE = ("", "config", "trunk", "stamp", "case", "looked at", "boot", "pause")


@dataclass(frozen=True)
class Held:
    """A claim of somebody, and what became of it."""

    holder: str
    pattern: str
    mode: Mode
    end: str
    is_elsewhere: bool


HELD = st.builds(
    Held, st.sampled_from(sorted(HOLDERS)), st.sampled_from(PATTERNS), st.sampled_from(["exclusive", "shared"]),
    st.sampled_from(ENDS), st.booleans(),
)  # fmt: skip


@pytest.fixture(scope="module")
def world(_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with a worktree, another repository and a link in it; the environment is a hook's."""
    home = tmp_path_factory.mktemp("world")
    shop = Path(shutil.copytree(_shop, home / "shop"))
    (shop / "link").symlink_to("src")
    git(shop, "worktree", "add", "--quiet", "-b", "feat", str(shop / "feat"))
    shutil.copytree(_shop, shop / "own")
    shutil.copytree(shop, home / "untouched", symlinks=True)
    made_store(home)
    shutil.copytree(home / "loomstack", home / "empty")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(home).items():
            patch.setenv(name, value)
        yield home


@given(st.lists(HELD, max_size=3), st.sampled_from(EDITS), st.sampled_from(["", "a1"]), st.sampled_from(TROUBLE))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_glance_is_silent_only_where_the_closer_look_is(
    world: Path, held: list[Held], path: str, agent: str, trouble: str
) -> None:
    _renew(world)
    shop = world / "shop"
    for name in ("seen.py", path):  # what was seen of an agent's edits so far
        judged_action(_edit(shop, name, agent))
    found = worktree_at(shop)
    assert found
    with open_loom(world / "loomstack/loom.db") as loom:
        for one in held:
            _hold(loom, world, one, SHOP if one.is_elsewhere else found.checkout())
    _disturb(world, trouble)
    action = _edit(shop, path, agent)

    is_silent, (reply, missed) = is_settled(action), judged_action(action)

    assert not is_silent or (reply, list(missed)) == (None, [])


def test_an_edit_that_was_seen_is_settled_beside_ones_own_and_shared_and_lapsed_claims(world: Path) -> None:
    _renew(world)
    shop = world / "shop"
    before = is_settled(_edit(shop, "src/a.py", ""))
    judged_action(_edit(shop, "src/a.py", ""))
    found = worktree_at(shop)
    assert found
    ends = ("UPDATE run SET expires_at_ms = 0", "", "")
    with open_loom(world / "loomstack/loom.db") as loom:
        for end, holder, mode in zip(ends, ("other", "mine", "other"), ("exclusive", "shared", "shared"), strict=True):
            _hold(loom, world, Held(holder, "src/", mode, end, False), found.checkout())  # type: ignore[arg-type]

    assert (before, is_settled(_edit(shop, "src/a.py", ""))) == (False, True)
    assert not is_settled(_edit(shop, "src/a.py", "never seen"))
    assert not is_settled(_edit(shop / "feat", "src/a.py", ""))


def test_a_worktree_of_a_bare_repository_in_a_folder_of_its_own_is_told_at_a_glance(world: Path) -> None:
    _renew(world)
    proj = world / "proj"
    git(world, "clone", "--quiet", "--bare", str(world / "shop"), "proj/.bare")
    (proj / ".git").write_text("gitdir: ./.bare\n")
    git(proj, "worktree", "add", "--quiet", "main")
    shutil.copytree(world / "shop", proj / "main/own", symlinks=True)
    for name in ("own/src/a.py", "src/a.py"):
        judged_action(_edit(proj / "main", name, ""))

    assert is_settled(_edit(proj / "main", "src/a.py", ""))
    assert not is_settled(_edit(proj / "main", "own/src/a.py", ""))  # it may be a submodule
    assert not is_settled(_edit(proj, "main/own/src/a.py", ""))


def test_the_keys_of_a_plain_path_are_those_of_its_pattern() -> None:
    for path in ("src/a.py", "SRC/A.py", "app/[id]/page.tsx", "a*b/{c}"):
        key = f"{path}/".lower()
        near = json.loads(nearness([literal(path)]))

        assert (near["above"], near["below"]) == (
            sorted(ancestors(key)),
            [list(keys_below(key))],
        )


def test_the_schema_that_a_glance_knows_is_the_newest() -> None:
    assert newest_sqlite() == schema.newest()


def glanced(home: Path, shop: Path, payload: object, **env: str) -> Started:
    client = "codex" if "apply_patch" in str(payload) else "claude"
    return started(
        [HOOK, client, "PreToolUse"], cwd=shop, environment=environment(home, **env), stdin=json.dumps(payload)
    )  # fmt: skip


def test_a_claim_that_was_just_made_is_seen_and_so_is_its_end(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    other.answer("start_run", loop="refactor", goal="x")
    edit, patch = claude_edit(shop, "README.md"), codex_patch(shop, "*** Begin Patch\n*** Delete File: README.md\n")
    asked = partial(hook, LOOMSTACK_CLAIM_EDITS="off")  # or the other could not claim what they edit
    first = [asked(tmp_path, "claude", edit), asked(tmp_path, "codex", patch)]
    glances = [glanced(tmp_path, shop, payload, LOOMSTACK_CLAIM_EDITS="off") for payload in (edit, patch)]
    claim = other.answer("claim_paths", paths=["README.md"], intent="write")
    held = [refused(asked(tmp_path, "claude", edit)), refused(asked(tmp_path, "codex", patch))]
    other.answer("release_paths", claims=[claim["claim"]])
    after = [asked(tmp_path, "claude", edit), asked(tmp_path, "codex", patch)]

    assert [*first, *after] == [None] * 4
    assert held == [True, True]
    assert [(each.status, each.printed, each.git) for each in glances] == [(0, "", ())] * 2
    assert not any("loomstack_mcp.hooks.judging" in each.ours for each in glances)


def test_settings_of_the_trunk_that_break_are_said_at_the_next_edit(tmp_path: Path, shop: Path, held: str) -> None:
    edit = claude_edit(shop, "README.md")
    before = [hook(tmp_path, "claude", edit) for _ in range(2)]
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/config.yaml").write_text("repo: [shop]\n")
    commit_all(shop)
    said = hook(tmp_path, "claude", edit)

    assert before == [None, None]
    assert "did not check" in (said or {})["systemMessage"]


def test_an_edit_after_a_look_is_seen_again(tmp_path: Path, shop: Path, held: str) -> None:
    for _ in range(2):
        hook(tmp_path, "claude", claude_edit(shop, "README.md"))
    before = _sightings(tmp_path, "DELETE FROM sighting RETURNING folder")
    hook(tmp_path, "claude", claude_edit(shop, "README.md"))

    assert before == _sightings(tmp_path, "SELECT folder FROM sighting") == [(str(shop),)]


def test_a_call_of_ours_is_noted_in_few_modules_and_one_that_meets_a_writer_lets_it_be(
    tmp_path: Path, shop: Path, held: str
) -> None:
    noted = glanced(tmp_path, shop, claude_call(shop, "claim_paths", "toolu_1", agent_id="a1"))
    with gate.passed(gate.gate_beside(tmp_path / "loomstack/loom.db")):
        hook(tmp_path, "claude", claude_call(shop, "claim_paths", "toolu_2"))
    _sightings(tmp_path, "UPDATE boot SET boot_id = 'x'")
    hook(tmp_path, "claude", claude_call(shop, "claim_paths", "toolu_3"))
    asked = "SELECT session, tool_use, agent, folder, repo_id FROM sighting ORDER BY tool_use"

    assert (noted.status, noted.printed, noted.git) == (0, "", ())
    assert "loomstack_mcp.hooks.judging" not in noted.ours
    assert _sightings(tmp_path, asked) == [
        ("claude:s-1", "toolu_1", "a1", str(shop), ""),
        ("claude:s-1", "toolu_3", "", str(shop), ""),
    ]
    assert _sightings(tmp_path, "SELECT COUNT(*) FROM boot") == [(2,)]


def test_a_call_of_ours_waits_for_a_writer_as_the_call_itself_will(tmp_path: Path, shop: Path, held: str) -> None:
    """Else a run would start as the session's first agent's, and be refused to the one that started it."""
    call = claude_call(shop, "start_run", "toolu_1", agent_id="a1")
    late = threading.Thread(target=hook, args=(tmp_path, "claude", call))
    with gate.passed(gate.gate_beside(tmp_path / "loomstack/loom.db")):
        late.start()
        late.join(3 * HOOK_GATE_WAIT_MS / 1000)
    late.join()

    assert _sightings(tmp_path, "SELECT tool_use, agent FROM sighting") == [("toolu_1", "a1")]


def test_a_pause_is_said_after_a_glance(tmp_path: Path, shop: Path, held: str) -> None:
    edit = claude_edit(shop, "README.md")
    before = [hook(tmp_path, "claude", edit) for _ in range(2)]
    _pause(tmp_path, shop)
    paused = hook(tmp_path, "claude", edit)

    assert before == [None, None]
    assert "paused" in (paused or {})["systemMessage"]


def _edit(shop: Path, path: str, agent: str) -> Action:
    return Action(
        session="claude:s",
        cwd=str(shop),
        paths=(f"{shop}/{path}",),
        kind="edit",
        tool="Edit",
        agent=agent,
        tool_use="t",
    )


def _renew(world: Path) -> None:
    """The store is empty and the repository untouched again."""
    for kept, used in (("empty", "loomstack"), ("untouched", "shop")):
        shutil.rmtree(world / used)
        shutil.copytree(world / kept, world / used, symlinks=True)


def _hold(loom: Loom, world: Path, held: Held, checkout: Checkout) -> None:
    caller = HOLDERS[held.holder]
    run = started_run(loom, caller, checkout)
    claimed(loom, caller, held.pattern, run=run.id, mode=held.mode)
    store = world / "loomstack/loom.db"
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
        if held.end:
            other.execute(f"{held.end} WHERE id = ?", [run.id])
    if held.holder == "forebear":
        child = started_run(loom, HOLDERS["mine"], checkout)
        with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
            other.execute("UPDATE run SET parent_id = ? WHERE id = ?", [run.id, child.id])


def _disturb(world: Path, trouble: str) -> None:
    shop = world / "shop"
    statements = {
        "stamp": "UPDATE sighting SET stamp = ''",
        "case": "UPDATE repo SET ignore_case = 1",
        "looked at": "DELETE FROM sighting",
        "boot": "UPDATE boot SET boot_id = 'x'",
    }
    if trouble in statements:
        _sightings(world, statements[trouble])
    elif trouble == "config":
        (shop / ".git/config").write_text("[core\n")
    elif trouble == "trunk":
        (shop / ".loomstack").mkdir()
        (shop / ".loomstack/config.yaml").write_text("repo: [shop]\n")
        git(shop, "add", ".loomstack")
        git(shop, "commit", "--quiet", "-m", "break")
    elif trouble == "pause":
        _pause(world, shop)


def _pause(home: Path, shop: Path) -> None:
    found = worktree_at(shop)
    assert found
    pause = {"repo": found.checkout().identity, "who": "ana", "since_at_ms": 0, "until_at_ms": 1 << 50}
    (home / "loomstack/paused.json").write_text(json.dumps([pause]))


def _sightings(home: Path, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(home / "loomstack/loom.db", isolation_level=None)) as store:
        return store.execute(statement).fetchall()
