"""No setting of a person or a clone changes an answer: whole records, with all of them odd and without."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.git.audit import audited
from loomstack_mcp.adapters.git.delta import landing_delta, staged_delta
from loomstack_mcp.adapters.git.history import made_since
from loomstack_mcp.adapters.git.proposal import Landing
from tests.adapters.git.support import commit, write
from tests.conftest import git
from tests.deltas import opened_repository

ODD = {
    "blame.ignoreRevsFile": "/nowhere", "blame.showRoot": "true", "color.diff": "always", "color.ui": "always",
    "column.ui": "always", "core.abbrev": "5", "core.bigFileThreshold": "1", "core.commentChar": "x",
    "core.notesRef": "refs/notes/odd", "core.preferSymlinkRefs": "true", "core.quotePath": "false",
    "core.whitespace": "tab-in-indent", "diff.algorithm": "patience", "diff.autoRefreshIndex": "true",
    "diff.colorMoved": "zebra", "diff.context": "9", "diff.dirstat": "lines", "diff.dstPrefix": "x/",
    "diff.external": "false", "diff.ignoreSubmodules": "all", "diff.indentHeuristic": "false",
    "diff.interHunkContext": "9", "diff.mnemonicPrefix": "true", "diff.noprefix": "true", "diff.orderFile": "{order}",
    "diff.relative": "true", "diff.renameLimit": "1", "diff.renames": "false", "diff.srcPrefix": "y/",
    "diff.statGraphWidth": "3", "diff.submodule": "log", "diff.suppressBlankEmpty": "true", "diff.wordRegex": ".",
    "diff.wsErrorHighlight": "all", "feature.experimental": "true", "feature.manyFiles": "true",
    "format.pretty": "oneline", "i18n.commitEncoding": "latin1", "i18n.logOutputEncoding": "UTF-16",
    "log.abbrevCommit": "true", "log.date": "relative", "log.decorate": "full", "log.diffMerges": "on",
    "log.excludeDecoration": "x", "log.follow": "true", "log.mailmap": "false", "log.showRoot": "false",
    "log.showSignature": "true", "mailmap.file": "{mailmap}", "merge.conflictStyle": "diff3", "merge.default": "union",
    "merge.directoryRenames": "true", "merge.renameLimit": "1", "merge.renames": "false", "notes.displayRef": "*",
    "status.relativePaths": "false", "status.renames": "false", "status.showUntrackedFiles": "no",
    "trailer.separators": "%", "core.attributesFile": "{attributes}",
}  # fmt: skip
KEY = b"the key of the hashes of lines"


def answers(root: Path) -> list[Any]:
    """Every kind of answer that rests on what git compares."""
    with opened_repository(root) as repo:
        found = audited(repo, progress=lambda *_: None)
        landing = Landing(repo, target="main", key=KEY)
        trail = list(landing.reader(lambda *_: None)([one.sha for one in landing.history]))
        proposed = landing.proposal()
        proposed = replace(
            proposed, changes=tuple(replace(change, at_ms=0, written_ms=0) for change in proposed.changes)
        )
        made = made_since(repo, "main", "HEAD")
        judged = landing_delta(repo, repo.commit("main"), repo.commit("HEAD"))
        return [found.commits, [str(one) for one in found.reversals], trail, proposed, made, judged, staged_delta(repo)]


@pytest.fixture(autouse=True)
def _same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit draws a key for its hashes of lines, so that two of them could not be compared."""
    monkeypatch.setattr("secrets.token_bytes", lambda _: KEY)


@pytest.fixture
def mixed(shop: Path) -> Path:
    """Renames, moved blocks, a merge that resolves, blank lines, odd names, a submodule, staged and new files."""
    lines = [f"a line {number}\n" for number in range(30)]
    block = "def one():\n    return 1\n\n"
    write(shop, {".mailmap": "Test <test@shop> <test@localhost>\n"})
    commit(shop, {"b": "".join(lines), "c": block, "d": "a file of its own\n", "e": "another file\n", "ü": "x\n\ny\n"})
    git(shop, "checkout", "--quiet", "-b", "side")
    commit(shop, {"b": "".join(["side\n", *lines[1:]]), "ü": "x\n\nz\n"})
    git(shop, "checkout", "--quiet", "main")
    for name in ("d", "e"):
        (shop / name).rename(shop / f"{name}2")
    commit(shop, {"b": "".join([*lines[:3], "3\n", *lines[4:9], "9\n", *lines[10:]]), "c": f"# one\n{block}{block}"})
    git(shop, "merge", "--quiet", "--no-ff", "--no-edit", "side")
    git(shop, "checkout", "--quiet", "-b", "feat", "HEAD~1")
    commit(shop, {"b": "".join(["feat\n", *lines[1:3], "3\n", *lines[4:]]), "f": block})
    git(shop, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(shop, "commit", "--quiet", "-m", "Linked\n\nLoom-Run: run_1")
    write(shop, {"src/a.py": "staged\n"})
    git(shop, "add", "src/a.py")
    write(shop, {"src/b.py": "changed\n\n", "new ü": "new\n", "README.md": block})
    return shop


def test_no_personal_setting_changes_an_answer(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    expected = answers(mixed)
    (home / "order").write_text("*.py\nc\nb\n")
    (home / "mailmap").write_text("Mallory <mallory@evil> <test@localhost>\n")
    (home / "attributes").write_text("* -diff binary merge=union export-subst\n")
    for name, value in ODD.items():
        told = value.format(order=home / "order", mailmap=home / "mailmap", attributes=home / "attributes")
        subprocess.run(
            ["git", "config", "--global", name, told], check=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"}
        )

    assert answers(mixed) == expected


def test_no_setting_of_a_clone_and_no_attribute_of_its_own_changes_an_answer(mixed: Path) -> None:
    expected = answers(mixed)
    for name, value in ODD.items():
        if "{" not in value:
            git(mixed, "config", name, value)
    (mixed / ".git/info/attributes").write_text("* -diff merge=union\n")

    assert answers(mixed) == expected


def test_a_branch_does_not_say_who_is_who(mixed: Path) -> None:
    expected = answers(mixed)
    write(mixed, {".mailmap": "Mallory <mallory@evil> <test@localhost>\n"})
    git(mixed, "update-index", "--assume-unchanged", ".mailmap")

    assert answers(mixed)[4] == expected[4]
    assert [made.author for made in answers(mixed)[4]][:1] == ["Test"]
