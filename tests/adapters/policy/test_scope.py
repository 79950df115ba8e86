"""`where.paths` and `except` scope every check of a rule: each kind, with a file that it covers and one beside it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.rules import Boundaries, Checks, Content, Forbid, Limits, Rule, Rulebook, Where
from loomstack_mcp.core.policy.situation import ClaimFacts, LostIntent
from tests.conftest import commit_all, git
from tests.deltas import opened_repository

TEST = "def test_it():\n    assert f() == 1\n"
SKIPPED = "import pytest\n\n\n@pytest.mark.skip\n" + TEST
KEY = f"AKIA{'A' * 16}\n"

# What each asks, and the change that breaks it: files of a folder, before and after.
CHECKS: Mapping[str, tuple[Checks, dict[str, str], dict[str, str]]] = {
    "files_max": (Checks(limits=Limits(files_max=0)), {}, {"a.py": "1\n"}),
    "lines_added_max": (Checks(limits=Limits(lines_added_max=0)), {}, {"a.py": "1\n"}),
    "lines_changed_max": (Checks(limits=Limits(lines_changed_max=0)), {"a.py": "1\n"}, {"a.py": "2\n"}),
    "blob_bytes_max": (Checks(limits=Limits(blob_bytes_max=1)), {}, {"a.py": "123\n"}),
    "secrets": (Checks(content=Content(secrets=True)), {}, {"a.py": KEY}),
    "forbid_added": (Checks(content=Content(forbid_added=("TODO",))), {}, {"a.py": "TODO\n"}),
    "tamper": (Checks(content=Content(test_weakening="tamper")), {"test_a.py": TEST}, {"test_a.py": SKIPPED}),
    "any": (Checks(content=Content(test_weakening="any")), {"test_a.py": TEST}, {"test_a.py": "def f(): pass\n"}),
    "symlink_escape": (Checks(content=Content(symlink_escape=True)), {}, {"link": "-> /etc"}),
    "submodule_change": (Checks(content=Content(submodule_change=True)), {}, {"module": "submodule"}),
    "boundaries": (
        Checks(boundaries=Boundaries(forbid=(Forbid(sources=("**/*.py",), targets=("requests",)),))),
        {},
        {"a.py": "import requests\n"},
    ),
    "confine": (Checks(confine=("/elsewhere/**",)), {}, {"a.py": "1\n"}),
    "claims": (Checks(claims="held"), {}, {"a.py": "1\n"}),
    "intents": (Checks(intents="no_undo"), {"a.py": "2\n"}, {"a.py": "1\n"}),
}
WHERES = {
    "paths": Where(paths=("/in/**",)),
    "except": Where(excepted=("/out/**",)),
    "both": Where(paths=("/in/**", "/out/**"), excepted=("/out/**",)),
}


def write(root: Path, folder: str, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = root / folder / name
        path.parent.mkdir(exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        elif content == "submodule":
            git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{folder}/{name}")
        else:
            path.write_text(content)


def changed(root: Path, folders: tuple[str, ...], before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """A commit that breaks the check in these folders, and another file that harms nobody."""
    for folder in folders:
        write(root, folder, before)
    commit_all(root, "before")
    for folder in folders:
        write(root, folder, after)
    write(root, "in", {"harmless.md": "x\n"})
    git(
        root, "add", "in/harmless.md", *(f"{folder}/{name}" for folder in folders for name in after if name != "module")
    )
    git(root, "commit", "--quiet", "-m", "after")


def broken(root: Path, rule: Rule, paths: tuple[str, ...]) -> list[str]:
    """What the rule finds wrong in the last commit, by paths; "" for what is about no single one."""
    with opened_repository(root) as repo:
        found, _ = situations.landing(repo, "HEAD~", "HEAD", point="ci", branch="main")
        lost = LostIntent(commit="1" * 40, who="bea", intent="on purpose", paths=paths, how="undoes")
        claims = ClaimFacts(own=("in/harmless.md",))
        situation = replace(found, claims=claims, undoing=lambda: (lost,))
        decision = decide(Rulebook(rules=(rule,)), situation)
        return [violation.path for reason in decision.reasons for violation in reason.violations]


@pytest.mark.parametrize("where", list(WHERES))
@pytest.mark.parametrize("check", list(CHECKS))
def test_a_check_is_about_what_its_rule_covers(shop: Path, check: str, where: str) -> None:
    asked, before, after = CHECKS[check]
    # The harmless file counts as a file and as an added line, and is covered; it is allowed.
    limits = asked.limits and replace(
        asked.limits,
        files_max=None if asked.limits.files_max is None else 1,
        lines_added_max=None if asked.limits.lines_added_max is None else 1,
        lines_changed_max=None if asked.limits.lines_changed_max is None else 1,
        blob_bytes_max=None if asked.limits.blob_bytes_max is None else 2,
    )
    confine = (*asked.confine, "/in/harmless.md") if asked.confine else ()
    rule = Rule(
        id="scoped", why="a good reason", effect="deny", on=("land",), where=WHERES[where],
        check=replace(asked, limits=limits, confine=confine),
    )  # fmt: skip
    names = list(after)
    changed(shop, ("out",), before, after)
    outside = broken(shop, rule, tuple(f"out/{name}" for name in names))
    git(shop, "reset", "--quiet", "--hard", "HEAD~2")
    changed(shop, ("in", "out"), before, after)
    inside = broken(shop, rule, tuple(f"{folder}/{name}" for folder in ("in", "out") for name in names))

    assert outside == []
    assert set(inside) <= {"", *(f"in/{name}" for name in names)}
    assert inside


def test_a_hundred_findings_elsewhere_hide_none_that_the_rule_is_about(shop: Path) -> None:
    write(shop, "a", {f"{number}.txt": KEY for number in range(150)})
    write(shop, "z", {"key.txt": KEY})
    commit_all(shop)
    secrets = Checks(content=Content(secrets=True))
    rule = Rule(id="z", why="a good reason", effect="deny", on=("land",), where=Where(paths=("/z/**",)), check=secrets)

    assert broken(shop, rule, ()) == ["z/key.txt"]


def test_a_rename_counts_at_both_ends(shop: Path) -> None:
    write(shop, "in", {"a.py": "1\n2\n3\n4\n"})
    commit_all(shop)
    (shop / "out").mkdir()
    git(shop, "mv", "in/a.py", "out/a.py")
    commit_all(shop)
    limit = Checks(limits=Limits(files_max=0))

    found = [
        broken(shop, Rule(id="x", why="a good reason", effect="deny", on=("land",), where=one, check=limit), ())
        for one in (Where(paths=("/in/**",)), Where(paths=("/out/**",)), Where(paths=("/src/**",)))
    ]

    assert found == [[""], [""], []]


def test_what_is_renamed_to_where_a_rule_looks_is_looked_at_as_new(shop: Path) -> None:
    write(shop, "in", {"old.txt": KEY + "FORBIDDEN\n1\n2\n3\n"})
    write(shop, "in/fixtures", {"key.txt": KEY + "FORBIDDEN\n"})
    commit_all(shop)
    git(shop, "mv", "in/fixtures/key.txt", "in/key.txt")
    git(shop, "mv", "in/old.txt", "in/moved.txt")
    commit_all(shop)
    covered = Where(paths=("/in/**",), excepted=("/in/fixtures/**",))

    found = [
        broken(shop, Rule(id="x", why="a good reason", effect="deny", on=("land",), where=covered, check=check), ())
        for check in (Checks(content=Content(secrets=True)), Checks(content=Content(forbid_added=("FORBIDDEN",))))
    ]

    assert found == [["in/key.txt"], ["in/key.txt"]]
