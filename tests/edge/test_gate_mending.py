"""Rules and settings that do not load: they do not land, and where they have, a person mends them."""

from pathlib import Path

import pytest

from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.edge.gate import Judgement, Update
from loomstack_mcp.loom import open_loom
from tests.adapters.git.support import ZERO, commit
from tests.conftest import commit_all, git
from tests.edge.support import RULE, landed_rules, rules
from tests.edge.test_gate import MAIN, SIGNED, gate, sent
from tests.edge.test_gate import hub as hub
from tests.factories import SHOP

CONFIG = ".loomstack/config.yaml"
BROKEN = {
    "an effect that there is not": ("policies/core.yaml", RULE.format(id="core", effect="dney", paths="/x/**"), 6),
    "no YAML": ("policies/core.yml", "rules: [\n", 2),
    "an id of another file": ("policies/more.yaml", RULE.format(id="closed", effect="deny", paths="/x/**"), 4),
    "an id that comes with us": (
        "policies/ours.yaml", RULE.format(id="builtin.policy-guard", effect="deny", paths="/x/**"), 4,
    ),
    "settings that are no YAML": (CONFIG, "generated:\n- [\n", 3),
    "a setting that there is not": (CONFIG, "# ours\n\nreop: shop\n", 3),
    "a setting of the wrong kind": (CONFIG, "repo: shop\nrework_max: many\n", 2),
    "a name that names no repository": (CONFIG, "\nrepo: my shop\n", 2),
}  # fmt: skip


def pushed(hub: Path, before: str, after: str, *, actor: str = "dana", ref: str = MAIN) -> Judgement:
    [judged] = gate(hub, actor=actor).push([Update(old=before, new=after, ref=ref)])
    return judged


def places(judged: Judgement) -> list[tuple[str, int]]:
    return [(one.path, one.line) for reason in judged.decision.reasons for one in reason.violations]


@pytest.mark.parametrize("kind", BROKEN)
def test_what_would_not_load_does_not_land_and_its_line_is_told(hub: Path, shop: Path, kind: str) -> None:
    path, text, line = BROKEN[kind]
    before, after = sent(shop, {path: text})
    landing = gate(shop, actor="dana").landing(before, after)
    judged = pushed(hub, before, after)

    assert (landing.status, judged.status) == (2, 2)
    assert landing.decision.fired == judged.decision.fired == ("builtin.rules-load",)
    assert (path, line) in places(judged)
    assert places(landing) == places(judged)


def test_a_merge_of_two_changes_that_load_each_alone_is_judged_as_merged(shop: Path) -> None:
    landed_rules(shop, "closed")
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {"policies/one.yaml": RULE.format(id="new", effect="deny", paths="/x/**")})
    git(shop, "checkout", "--quiet", "main")
    commit(shop, {"policies/two.yaml": RULE.format(id="new", effect="deny", paths="/x/**")})

    judged = gate(shop, actor="dana").landing("main", "work")

    assert (judged.status, judged.decision.fired) == (2, ("builtin.rules-load",))


def test_an_id_that_the_organisation_has_already_does_not_land(shop: Path) -> None:
    landed_rules(shop, "closed")
    rules(shop.parent / "home", "new")
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {"policies/new.yaml": RULE.format(id="new", effect="warn", paths="/x/**")})

    assert gate(shop, actor="dana").landing("main", "work").decision.fired == ("builtin.rules-load",)


def test_a_folder_of_rules_that_becomes_a_link_does_not_land(hub: Path, shop: Path) -> None:
    before = git(shop, "rev-parse", "HEAD")
    git(shop, "rm", "--quiet", "-r", "policies")
    (shop / "policies").symlink_to("elsewhere")
    commit_all(shop)
    _, after = sent(shop, {"README.md": "more\n"})

    assert pushed(hub, before, after).status == 2


def test_the_first_push_of_all_must_load_as_well(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "new.git")
    git(shop, "remote", "add", "hub", str(tmp_path / "new.git"))
    _, after = sent(shop, {"policies/core.yaml": "rules: [\n"})

    assert pushed(tmp_path / "new.git", ZERO, after).decision.fired == ("builtin.rules-load",)


def test_a_branch_may_hold_what_does_not_load_until_it_lands(hub: Path, shop: Path) -> None:
    _, after = sent(shop, {"policies/core.yaml": "rules: [\n"})

    assert pushed(hub, ZERO, after, ref="refs/heads/work").status == 0


@pytest.fixture(params=BROKEN)
def broken(hub: Path, shop: Path, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A trunk that does not load; and where it is wrong, and the commit before."""
    before = git(shop, "rev-parse", "HEAD")
    path, text, line = BROKEN[request.param]
    commit(shop, {path: text})
    git(shop, "push", "--quiet", "hub", f"HEAD:{MAIN}")
    return f"{path}:{line}", before


def mend(shop: Path, before: str, message: str = "Mend") -> tuple[str, str]:
    """Back to what loaded, on top of what does not."""
    tip = git(shop, "rev-parse", "HEAD")
    git(shop, "rm", "--quiet", "-r", "policies", ".loomstack", "--ignore-unmatch")
    git(shop, "checkout", "--quiet", before, "--", "policies")
    commit_all(shop, message)
    git(shop, "push", "--quiet", "hub", "HEAD:refs/incoming/mend")
    return tip, git(shop, "rev-parse", "HEAD")


def test_a_person_mends_a_trunk_that_does_not_load(hub: Path, shop: Path, broken: tuple[str, str]) -> None:
    tip, after = mend(shop, broken[1])

    assert pushed(hub, tip, after).status == 0
    assert pushed(hub, ZERO, after, ref="refs/heads/mend").status == 0
    assert gate(shop, actor="dana").landing(tip, after).status == 0


@pytest.mark.parametrize(("actor", "message"), [("", "Mend"), ("dana", SIGNED)])
def test_nobody_else_lands_anything_on_it_and_is_told_who_may(
    hub: Path, shop: Path, broken: tuple[str, str], actor: str, message: str
) -> None:
    tip, after = mend(shop, broken[1], message)
    with pytest.raises(PolicyError) as refused:
        pushed(hub, tip, after, actor=actor)
    with pytest.raises(PolicyError):
        gate(shop, actor=actor).landing(tip, after)
    with pytest.raises(PolicyError):
        gate(hub, actor="dana").deploy("production")

    assert broken[0] in str(refused.value)
    assert "it is on main" in str(refused.value)
    assert "as a person" in str(refused.value)


def test_a_person_s_change_that_leaves_it_broken_does_not_land(hub: Path, shop: Path, broken: tuple[str, str]) -> None:
    before, after = sent(shop, {"README.md": "another thing\n"})

    assert pushed(hub, before, after).decision.fired == ("builtin.rules-load",)


def test_what_was_asked_of_a_mend_is_said(hub: Path, shop: Path) -> None:
    before = git(shop, "rev-parse", "HEAD")
    commit(shop, {"policies/core.yaml": "rules: [\n"})
    git(shop, "push", "--quiet", "hub", f"HEAD:{MAIN}")
    tip, after = mend(shop, before)

    assert pushed(hub, tip, after).gaps == ("the rules of main do not load, so those above them alone were asked",)


def test_settings_that_do_not_load_take_no_rule_away(hub: Path, shop: Path) -> None:
    commit(shop, {CONFIG: "rework_max: many\n"})
    git(shop, "push", "--quiet", "hub", f"HEAD:{MAIN}")
    before, after = sent(shop, {CONFIG: "rework_max: 3\n", "src/a.py": "work\n"})

    assert pushed(hub, before, after).decision.fired == ("closed",)


def test_a_mend_of_settings_that_name_the_repository_is_not_judged_under_another_name(shop: Path) -> None:
    commit(shop, {CONFIG: "repo: [shop]\n"})
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {CONFIG: "repo: shop\n"})
    with open_loom(shop.parent / "home/loom.db") as loom:
        loom.ledger.key(SHOP)
        judged = gate(shop, actor="dana").landing("main", "work")

        assert (judged.status, loom.repos.ids()) == (0, ())
