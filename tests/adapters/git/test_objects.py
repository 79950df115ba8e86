"""Objects read by one process: every kind, every name, and a git that ends."""

import hashlib
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.objects import BLOB_BYTES_MAX, Entry, Object, Objects
from loomstack_mcp.core.errors import Invalid
from tests.adapters.git.support import gitlink
from tests.conftest import commit_all, git


@pytest.fixture
def objects(shop: Path) -> Iterator[Objects]:
    opened = Objects(shop, {})
    yield opened
    opened.close()


def stored(root: Path, content: bytes) -> str:
    (root / "content").write_bytes(content)
    return git(root, "hash-object", "-w", "content")


def end(objects: Objects, by: signal.Signals) -> None:
    assert objects._process
    objects._process.send_signal(by)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a\0b", b"\xff" * 70_000, b"1" * 40 + b" blob 3\nabc", b"x missing\n"]
)
def test_content_comes_as_it_is_and_the_next_question_is_answered(shop: Path, objects: Objects, content: bytes) -> None:
    blob = stored(shop, content)

    assert objects.object_named(blob) == Object(id=blob, kind="blob", content=content)
    assert objects.commit("HEAD") == git(shop, "rev-parse", "HEAD")


@pytest.mark.parametrize(("beyond", "kept"), [(0, True), (1, False)])
def test_a_large_blob_is_known_by_its_kind_alone(shop: Path, objects: Objects, beyond: int, kept: bool) -> None:
    blob = stored(shop, b"x" * (BLOB_BYTES_MAX + beyond))
    found = objects.object_named(blob)

    assert found
    assert (found.kind, found.content is not None) == ("blob", kept)
    assert objects.commit("HEAD")


@pytest.mark.parametrize(
    "name",
    ["", " ", "gone", "HEAD:gone", "HEAD^9", "1" * 40, "HEAD\nHEAD", "HEAD\0", "--all", "^HEAD", "HEAD:src/../x"],
)
def test_what_is_not_here_is_none(objects: Objects, name: str) -> None:
    assert objects.object_named(name) is None
    assert objects.commit(name) == ""
    assert objects.entries(name) is None


def test_an_abbreviation_of_two_objects_is_neither(shop: Path, objects: Objects) -> None:
    seen: dict[str, bytes] = {}
    for number in count():
        content = b"%d" % number
        short = hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()[:4]
        if short in seen:
            break
        seen[short] = content
    stored(shop, content)
    first = stored(shop, seen[short])

    assert objects.object_named(short) is None
    assert objects.object_named(first) == Object(id=first, kind="blob", content=seen[short])


def test_a_tree_lists_files_links_folders_and_submodules_under_any_name(shop: Path, objects: Objects) -> None:
    names = ["a b", "line\nfeed", os.fsdecode(b"\xff"), " ", "\x01"]
    for name in names:
        (shop / name).write_text("x\n")
    (shop / "run").write_text("x\n")
    (shop / "run").chmod(0o755)
    (shop / "link").symlink_to("run")
    commit_all(shop)
    gitlink(shop, "sub", "1" * 40)
    blob, src = git(shop, "rev-parse", "HEAD:run"), git(shop, "rev-parse", "HEAD:src")

    found = objects.entries("HEAD^{tree}")

    assert found
    assert {name: found[name] for name in names} == dict.fromkeys(names, Entry(mode="100644", id=blob))
    assert (found["run"].is_file, found["link"].is_file, found["sub"].is_file) == (True, False, False)
    assert (found["src"], found["src"].is_folder) == (Entry(mode="040000", id=src), True)
    assert (found["sub"], found["sub"].is_folder) == (Entry(mode="160000", id="1" * 40), False)
    assert objects.entries("HEAD:run") is None


def test_a_commit_is_found_through_tags_and_nothing_else(shop: Path, objects: Objects) -> None:
    head = git(shop, "rev-parse", "HEAD")
    git(shop, "tag", "-a", "-m", "one", "one")
    git(shop, "tag", "-a", "-m", "two", "two", "one")
    git(shop, "tag", "blob", "HEAD:README.md")

    assert [objects.commit(name) for name in ("two", "main", head[:8], "blob")] == [head, head, head, ""]


def test_what_was_asked_once_stays_what_it_was(shop: Path, objects: Objects) -> None:
    before = objects.commit("HEAD")
    commit_all(shop)

    assert (objects.commit("HEAD"), objects.commit("HEAD~")) == (before, before)


def test_many_objects_are_told_apart(shop: Path, objects: Objects) -> None:
    contents = [b"%d" % number * (number % 700) for number in range(300)]
    stream = b"".join(b"blob\ndata %d\n%s\n" % (len(content), content) for content in contents)
    (shop / "stream").write_bytes(stream)
    git(shop, "-c", "alias.import=!git fast-import --quiet <stream", "import")
    ids = [hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest() for content in contents]

    assert [objects.object_named(one) for one in ids] == [
        Object(id=one, kind="blob", content=content) for one, content in zip(ids, contents, strict=True)
    ]


def test_a_killed_git_is_told_once_and_started_again(shop: Path, objects: Objects) -> None:
    objects.commit("HEAD")
    end(objects, signal.SIGKILL)

    with pytest.raises(Invalid, match="git ended when it was asked for main"):
        objects.commit("main")
    assert objects.commit("main") == git(shop, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["HEAD:../src", "HEAD@{99}"])
def test_a_question_at_which_git_ends_spoils_no_other(shop: Path, objects: Objects, name: str) -> None:
    with pytest.raises(Invalid):
        objects.object_named(name)

    assert objects.commit("HEAD") == git(shop, "rev-parse", "HEAD")


def test_without_git_it_is_said(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(Invalid, match="git ended"):
        Objects(shop, {}).commit("HEAD")


def test_a_closed_one_leaves_no_process(objects: Objects) -> None:
    objects.commit("HEAD")
    assert objects._process
    process = objects._process
    objects.close()

    assert process.returncode is not None
    assert objects.commit("HEAD")
