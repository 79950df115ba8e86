"""A push to a symbolic ref, or to what one stands for, under the rules of every name that it moves."""

from pathlib import Path

import pytest

from loomstack_mcp.edge.gate import Update
from tests.adapters.git.support import ZERO
from tests.conftest import git
from tests.edge.support import rules
from tests.edge.test_gate import MAIN, found, gate, sent
from tests.edge.test_gate import hub as hub


@pytest.mark.parametrize("ref", ["refs/heads/alias", "refs/heads/twice", "refs/tags/latest", MAIN])
def test_a_push_to_what_stands_for_the_trunk_lands_on_the_trunk(hub: Path, shop: Path, ref: str) -> None:
    for name, target in (("heads/alias", MAIN), ("heads/twice", "refs/heads/alias"), ("tags/latest", MAIN)):
        git(hub, "symbolic-ref", f"refs/{name}", target)
    land_rule_only(hub, shop)
    before, after = sent(shop, {"src/a.py": "work\n"})

    judged = list(gate(hub, actor="dana").push([Update(old=before, new=after, ref=ref)]))

    assert [2, ["closed"]] in [list(found(one)) for one in judged]


def test_a_head_that_names_an_alias_means_what_that_stands_for(hub: Path, shop: Path) -> None:
    land_rule_only(hub, shop)
    git(hub, "symbolic-ref", "refs/heads/alias", MAIN)
    git(hub, "symbolic-ref", "HEAD", "refs/heads/alias")
    before, after = sent(shop, {"src/a.py": "work\n"})

    judged = list(gate(hub, actor="dana").push([Update(old=before, new=after, ref=MAIN)]))

    assert 2 in [one.status for one in judged]


def test_an_alias_keeps_its_own_rules_whichever_name_is_pushed(hub: Path, shop: Path) -> None:
    rules(shop, "closed")
    text = (shop / "policies/closed.yaml").read_text()
    (shop / "policies/closed.yaml").write_text(text.replace('{paths: ["/src/**"]}', "{branch: [production]}"))
    landed(hub, shop)
    git(hub, "symbolic-ref", "refs/heads/production", MAIN)
    before, after = sent(shop, {"README.md": "fine\n"})

    judged = list(gate(hub, actor="dana").push([Update(old=before, new=after, ref=MAIN)]))

    assert sorted(one.status for one in judged) == [0, 2]


def test_an_alias_of_a_branch_that_is_not_there_yet_is_judged_as_that_branch(hub: Path, shop: Path) -> None:
    rules(shop, "closed")
    text = (shop / "policies/closed.yaml").read_text()
    (shop / "policies/closed.yaml").write_text(text.replace('{paths: ["/src/**"]}', "{branch: [release]}"))
    landed(hub, shop)
    git(hub, "symbolic-ref", "refs/heads/alias", "refs/heads/release")
    _, after = sent(shop, {"README.md": "fine\n"})

    judged = list(gate(hub, actor="dana").push([Update(old=ZERO, new=after, ref="refs/heads/alias")]))

    assert 2 in [one.status for one in judged]


@pytest.mark.parametrize("ref", ["refs/heads/alias", MAIN])
def test_a_trunk_is_not_deleted_under_any_name(hub: Path, ref: str) -> None:
    git(hub, "symbolic-ref", "refs/heads/alias", MAIN)
    before = git(hub, "rev-parse", MAIN)

    judged = list(gate(hub, actor="dana").push([Update(old=before, new=ZERO, ref=ref)]))

    assert [one.decision.fired for one in judged if one.status] == [("builtin.rules-load",)]


def land_rule_only(hub: Path, shop: Path) -> None:
    """A rule of the trunk alone, of which a push to another branch hears nothing."""
    rules(shop, "closed")
    text = (shop / "policies/closed.yaml").read_text()
    (shop / "policies/closed.yaml").write_text(text.replace("[edit, commit, push, land, deploy]", "[land]"))
    landed(hub, shop)


def landed(hub: Path, shop: Path) -> None:
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "-m", "Rules")
    git(shop, "push", "--quiet", "--force", str(hub), f"HEAD:{MAIN}")


@pytest.mark.parametrize("base", ["origin/HEAD", "HEAD", "alias", "main", "origin/main", "COMMIT"])
def test_a_landing_is_judged_as_one_on_the_branch_that_is_meant_or_on_any(shop: Path, hub: Path, base: str) -> None:
    rules(shop, "closed")
    text = (shop / "policies/closed.yaml").read_text()
    (shop / "policies/closed.yaml").write_text(text.replace('{paths: ["/src/**"]}', "{branch: [main]}"))
    landed(hub, shop)
    git(shop, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(shop, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(shop, "symbolic-ref", "refs/heads/alias", MAIN)
    before, after = sent(shop, {"README.md": "fine\n"})
    git(shop, "update-ref", MAIN, before)

    judged = gate(shop, actor="dana").landing(before if base == "COMMIT" else base, after)

    assert found(judged) == (2, ["closed"])


def test_what_is_not_the_branch_meant_is_not_judged_as_it(shop: Path) -> None:
    rules(shop, "closed")
    text = (shop / "policies/closed.yaml").read_text()
    (shop / "policies/closed.yaml").write_text(text.replace('{paths: ["/src/**"]}', "{branch: [main]}"))
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "-m", "Rules")
    git(shop, "branch", "--quiet", "next")

    assert gate(shop, actor="dana").landing("next", "main").status == 0


@pytest.mark.parametrize(
    "ref",
    ["refs/for/main", "refs/tags/v1", "refs/heads/caf\udce9", "refs/heads/a\u2028b",
     "refs/heads/main.yaml", "refs/heads/-x", "refs/heads/Main", "refs/notes/commits"],
)  # fmt: skip
def test_a_ref_of_any_name_is_judged(hub: Path, shop: Path, ref: str) -> None:
    _, after = sent(shop, {"src/a.py": "work\n"})

    assert [found(one) for one in gate(hub, actor="dana").push([Update(old=ZERO, new=after, ref=ref)])] == [
        (2, ["closed"])
    ]


def test_a_repository_of_long_ids_is_judged_as_any_other(tmp_path: Path) -> None:
    zero = "0" * 64
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "long")
    long = tmp_path / "long"
    rules(long, "closed")
    git(long, "add", "--all")
    git(long, "commit", "--quiet", "-m", "Rules")
    before = git(long, "rev-parse", "HEAD")
    git(long, "checkout", "--quiet", "--detach")
    (long / "src").mkdir()
    (long / "src/a.py").write_text("work\n")
    git(long, "add", "--all")
    git(long, "commit", "--quiet", "-m", "Work")
    after = git(long, "rev-parse", "HEAD")
    git(long, "symbolic-ref", "HEAD", MAIN)
    updates = [
        Update(old=before, new=after, ref=MAIN),
        Update(old=zero, new=after, ref="refs/heads/new"),
        Update(old=before, new=zero, ref="refs/heads/old"),
        Update(old=before, new=zero, ref=MAIN),
    ]

    assert [one.status for one in gate(long, actor="dana").push(updates)] == [2, 2, 0, 2]
