"""What `init` plans, carries out and undoes, over drawn files: byte for byte as before, or nothing at all."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.adapters.install.definitions import found_definitions
from loomstack_mcp.adapters.install.files import planned, planned_removal
from loomstack_mcp.adapters.install.journal import read_journal, remove_journal, write_journal
from loomstack_mcp.adapters.install.scopes import project_scope
from loomstack_mcp.adapters.install.writing import FileStep, carried_out, temporary_beside
from loomstack_mcp.core.clients.files.client_file import ClientFile
from loomstack_mcp.core.clients.files.project import client_files
from loomstack_mcp.core.errors import Invalid
from tests.conftest import commit_all, git
from tests.deadlines import seconds

JSON_FILES = (".mcp.json", ".claude/settings.json", ".claude/settings.local.json", ".codex/hooks.json")
TOML = ".codex/config.toml"
names = st.sampled_from(["mcpServers", "hooks", "permissions", "mine", "model", "ü"])
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=5,
)
files = st.dictionaries(st.sampled_from(["mine", "model", "ü", "$schema"]), trees, max_size=3) | st.just(
    {"mcpServers": {"other": {"command": "x"}}, "hooks": {"Stop": []}, "permissions": {"allow": ["Bash"]}}
)
documents = st.builds(
    lambda tree, indent, mark, end: f"{mark}{json.dumps(tree, indent=indent, ensure_ascii=False)}{end}",
    files,
    st.sampled_from([None, 2, 4, "\t"]),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from(["", "\n", "\r\n", "\n\n  "]),
)
tomls = st.lists(
    st.sampled_from(["# mine", 'model = "x"', "", "[other]", "[mcp_servers.other]", 'command = "y"', "a = [1,\n 2]"]),
    max_size=5,
    unique=True,
).map("\n".join)
existing = st.fixed_dictionaries({}, optional={**dict.fromkeys(JSON_FILES, documents), TOML: tomls})


@contextmanager
def repository() -> Iterator[tuple[Worktree, Path]]:
    """A worktree of its own, and where the journal lies."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        root.mkdir()
        git(root, "init", "--quiet", "--template=")
        worktree = worktree_at(root)
        assert worktree
        yield worktree, Path(folder) / "home/init/journal.json"


def written(root: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(text.encode())


def everything(root: Path) -> dict[str, bytes]:
    """Every file and folder below a folder, but for git's own objects."""
    found = [path for path in root.rglob("*") if ".git" not in path.relative_to(root).parts or path.name == "exclude"]
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else b"" for path in found}


def wanted(worktree: Worktree, url: str = "") -> tuple[ClientFile, ...]:
    scope = project_scope(worktree, home=Path())
    return (*client_files(scope.places, url=url), *(each.file for each in found_definitions(scope, "1.0.0")))


def put(worktree: Worktree, journal: Path, url: str = "") -> tuple[FileStep, ...]:
    steps = planned(worktree.root, wanted(worktree, url))
    write_journal(journal, worktree.root, wanted(worktree, url), steps)
    carried_out(steps)
    return steps


def taken(worktree: Worktree, journal: Path) -> None:
    carried_out(planned_removal(worktree.root, wanted(worktree), journal, worktree=worktree))
    remove_journal(journal)


@settings(max_examples=20)
@given(existing, st.sampled_from(["", "https://loom.example/mcp"]))
def test_what_was_put_in_is_taken_out_byte_for_byte(texts: dict[str, str], url: str) -> None:
    with repository() as (worktree, journal):
        written(worktree.root, texts)
        before = everything(worktree.root)
        put(worktree, journal, url)
        between = everything(worktree.root)
        again = planned(worktree.root, wanted(worktree, url))
        taken(worktree, journal)
        after = everything(worktree.root)

    assert between != before
    assert again == ()
    assert after == before
    assert not journal.exists()


@settings(max_examples=20)
@given(existing)
def test_another_url_on_top_is_undone_to_the_very_beginning(texts: dict[str, str]) -> None:
    with repository() as (worktree, journal):
        written(worktree.root, texts)
        before = everything(worktree.root)
        put(worktree, journal)
        put(worktree, journal, "https://loom.example/mcp")
        put(worktree, journal)
        taken(worktree, journal)

        assert everything(worktree.root) == before


@settings(max_examples=20)
@given(existing, st.integers(0, 24))
def test_a_step_that_fails_leaves_every_file_as_it_was(texts: dict[str, str], at: int) -> None:
    with repository() as (worktree, _):
        written(worktree.root, texts)
        before = everything(worktree.root)
        steps = list(planned(worktree.root, wanted(worktree)))
        steps.insert(min(at, len(steps)), below_a_file(worktree))

        with pytest.raises(Invalid, match="nothing was changed"):
            carried_out(steps)
        assert everything(worktree.root) == before


def below_a_file(here: Worktree) -> FileStep:
    """A step that must fail."""
    return FileStep(path=here.root / ".git/HEAD/below", before=None, after="x")


@pytest.fixture
def here(shop: Path) -> Worktree:
    worktree = worktree_at(shop)
    assert worktree
    return worktree


@pytest.mark.parametrize("name", [".mcp.json", ".claude/settings.json", TOML])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_named_at_once(here: Worktree, name: str, kind: str) -> None:
    path = here.root / name
    path.parent.mkdir(exist_ok=True)
    {"pipe": os.mkfifo, "device": lambda place: place.symlink_to("/dev/zero"), "folder": os.mkdir}[kind](path)

    with pytest.raises(Invalid, match="is no file; move it away, nothing was changed"):
        planned(here.root, wanted(here))


def test_a_linked_folder_and_a_linked_file_stay_links(here: Worktree, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "mcp.json").write_text("{}")
    (here.root / ".claude").symlink_to(tmp_path / "dotfiles")
    (here.root / ".mcp.json").symlink_to(tmp_path / "mcp.json")
    journal = tmp_path / "journal.json"
    put(here, journal)
    with_us = (tmp_path / "mcp.json").read_text()
    taken(here, journal)

    assert "loomstack" in with_us
    assert (here.root / ".claude").is_symlink()
    assert (here.root / ".mcp.json").is_symlink()
    assert (tmp_path / "mcp.json").read_text() == "{}"
    assert list((tmp_path / "dotfiles").iterdir()) == []


def test_a_link_to_nothing_is_given_its_file_and_loses_it(here: Worktree, tmp_path: Path) -> None:
    (here.root / ".mcp.json").symlink_to(tmp_path / "later.json")
    journal = tmp_path / "journal.json"
    put(here, journal)
    made = (tmp_path / "later.json").exists()
    taken(here, journal)

    assert made
    assert (here.root / ".mcp.json").is_symlink()
    assert not (tmp_path / "later.json").exists()


def test_the_mode_of_a_file_stays(here: Worktree, tmp_path: Path) -> None:
    path = here.root / ".mcp.json"
    path.write_text("{}")
    path.chmod(0o600)
    put(here, tmp_path / "journal.json")

    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_removed_comes_back_with_its_mode_where_a_later_step_fails(here: Worktree) -> None:
    hook = here.root / ".git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)

    with pytest.raises(Invalid, match="nothing was changed"):
        carried_out([FileStep(path=hook, before="#!/bin/sh\n", after=None), below_a_file(here)])
    assert hook.stat().st_mode & 0o777 == 0o755


def test_what_could_not_be_put_back_is_named(here: Worktree) -> None:
    path, text = here.root / ".mcp.json", "x" * 300_000
    path.write_text(text)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as on a disk without room for the old text
    try:
        with pytest.raises(Invalid) as refused:
            carried_out([FileStep(path=path, before=text, after="{}"), below_a_file(here)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert f"{path} could not be put back; see to that and run it again" in str(refused.value)
    assert "nothing was changed" not in str(refused.value)
    assert path.read_text() == "{}"


def test_a_new_file_is_as_its_person_s_umask_says(here: Worktree, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        put(here, tmp_path / "journal.json")
    finally:
        os.umask(before)

    modes = {path.stat().st_mode & 0o777 for path in (here.root / ".claude").rglob("*.*")}
    assert modes == {0o600}


def test_a_file_keeps_its_owner(here: Worktree, tmp_path: Path) -> None:
    path = here.root / ".mcp.json"
    path.write_text("{}")
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    put(here, tmp_path / "journal.json")

    assert "loomstack" in path.read_text()
    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_what_a_killed_init_left_beside_a_file_is_taken_away(here: Worktree, tmp_path: Path) -> None:
    left = temporary_beside(here.root / ".mcp.json")
    left.write_bytes("{ü".encode()[:2])
    put(here, tmp_path / "journal.json")

    assert not left.exists()


def test_a_link_in_the_place_of_the_new_text_is_not_followed(here: Worktree, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    temporary_beside(here.root / ".mcp.json").symlink_to(tmp_path / "mine")
    put(here, tmp_path / "journal.json")

    assert (tmp_path / "mine").read_text() == "mine"
    assert "loomstack" in (here.root / ".mcp.json").read_text()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"a": 1}', '{".mcp.json": 7}', '{".mcp.json": {"before": "x"}}', "\ud800"]
)
def test_a_journal_that_cannot_be_one_counts_for_nothing(here: Worktree, tmp_path: Path, text: str) -> None:
    journal = tmp_path / "journal.json"
    put(here, journal)
    journal.write_bytes(text.encode("utf-8", "surrogatepass"))

    assert read_journal(journal) == {}
    taken(here, journal)
    assert "loomstack" not in "".join(map(str, everything(here.root)))


@pytest.mark.parametrize("way", ["empty", "with more", "not yet", "shallow", "again"])
def test_a_file_that_git_has_goes_only_where_it_came_with_us(here: Worktree, tmp_path: Path, way: str) -> None:
    path = here.root / ".mcp.json"
    if way == "again":  # it came with us once, was removed, and came again without
        put(here, tmp_path / "journal.json")
        commit_all(here.root)
        path.unlink()
        commit_all(here.root)
    if way in ("empty", "with more", "again"):
        path.write_text("{}\n" if way != "with more" else '{"mine": 1}\n')
        commit_all(here.root)
    put(here, tmp_path / "journal.json")
    if way == "with more":
        path.write_text(path.read_text().replace('"mine": 1,', ""))
    git(here.root, "add", "--all")
    if way != "not yet":
        commit_all(here.root)
    if way == "shallow":
        (here.common_dir / "shallow").write_text(git(here.root, "rev-parse", "HEAD") + "\n")
    (tmp_path / "journal.json").unlink()
    taken(here, tmp_path / "journal.json")

    assert json.loads(path.read_text()) == {"mcpServers": {}}


def test_a_file_that_came_with_us_goes_without_a_journal(here: Worktree, tmp_path: Path) -> None:
    before = everything(here.root)
    put(here, tmp_path / "journal.json")
    commit_all(here.root)
    (here.root / ".mcp.json").write_text((here.root / ".mcp.json").read_text() + "\n")
    commit_all(here.root)
    (tmp_path / "journal.json").unlink()
    taken(here, tmp_path / "journal.json")

    assert everything(here.root) == before


TWO = """
import sys
from pathlib import Path
from loomstack_mcp.adapters.install.scopes import project_scope
from loomstack_mcp.adapters.install.writing import FileStep, carried_out
path, text = Path(sys.argv[1]), sys.argv[2]
for _ in range(300):
    carried_out([FileStep(path=path, before=None, after=text * 20_000)])
"""


def test_two_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / ".mcp.json"
    at_once = [subprocess.Popen([sys.executable, "-c", TWO, str(path), text]) for text in "ab"]
    ended = [process.wait(seconds(20)) for process in at_once]

    assert ended == [0, 0]
    assert path.read_text() in ("a" * 20_000, "b" * 20_000)
    assert list(tmp_path.iterdir()) == [path]
