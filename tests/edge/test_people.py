"""Who is who, where a worktree is seen: makers by the addresses they sign with, and whose work a landing takes back."""

from pathlib import Path

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.people import PEOPLE_FILE
from loomstack_mcp.core.policy.known import approver
from loomstack_mcp.edge.approver import people_here
from loomstack_mcp.edge.gate import Gate, Judgement
from loomstack_mcp.edge.here import unwatched
from loomstack_mcp.loom import open_loom
from tests.adapters.git.support import commit, write
from tests.conftest import git
from tests.edge.support import here, landed_rules
from tests.factories import ANA, BEA, SHOP
from tests.services.support import recorded

PEOPLE = """\
version: 1
people:
  dana: {users: [dana], addresses: [d@acme.example, dana@home.example], roles: [lead]}
  chen: {users: [chen], addresses: [chen@acme.example], roles: [lead]}
"""
OLD = "".join(f"price_{at} = net({at}) + tax({at})\n" for at in range(9))
NEW = OLD.replace("net", "gross")


def signed(shop: Path, address: str, name: str, files: dict[str, str]) -> None:
    write(shop, files)
    git(shop, "add", "--all")
    git(shop, "-c", f"user.name={name}", "-c", f"user.email={address}", "commit", "--quiet", "-m", "change")


def judged(shop: Path, tmp_path: Path) -> Judgement:
    return Gate(here(shop, tmp_path / "home"), actor="", git_only=False, progress=unwatched).landing("main", "work")


@pytest.mark.parametrize(("who", "address", "answer"), [
    ("dana", "dana@home.example", "require_approval"),
    ("chen", "dana@home.example", "allow"),
    ("dana", "eve@acme.example", "allow"),
])  # fmt: skip
def test_who_signed_a_commit_by_any_address_is_its_maker(
    shop: Path, tmp_path: Path, who: str, address: str, answer: str
) -> None:
    landed_rules(shop, "asks", effect="require_approval", more='    approve: {by: ["role:lead"]}\n')
    commit(shop, {PEOPLE_FILE: PEOPLE})
    git(shop, "checkout", "--quiet", "-b", "work")
    signed(shop, address, "D.", {"src/a.py": "work\n"})
    found = here(shop, tmp_path / "home")
    with open_loom(found.settings) as loom:
        loom.ledger.key(SHOP)
        asked = judged(shop, tmp_path).approval
        people = people_here(found)
        made_as = loom.approvals.approval(asked)[0].makers
        if answer == "allow":
            loom.approvals.answer(asked, approver(who, people), "granted", why="")

    assert judged(shop, tmp_path).decision.answer == answer
    assert ("dana" in made_as) == (address == "dana@home.example")


@pytest.mark.parametrize(("text", "verdict"), [("", "stop"), (PEOPLE, "clear"), ("version: 2\n", "stop")])
def test_what_one_person_takes_back_of_their_own_is_theirs_whatever_the_address(
    shop: Path, tmp_path: Path, text: str, verdict: str
) -> None:
    commit(shop, {"README.md": "shop\n", **({PEOPLE_FILE: text} if text else {})})
    signed(shop, "d@acme.example", "Dana Lee", {"src/a.py": OLD})
    signed(shop, "d@acme.example", "Dana Lee", {"src/a.py": NEW})
    git(shop, "checkout", "--quiet", "-b", "work")
    git(shop, "config", "user.name", "dl")
    git(shop, "config", "user.email", "dana@home.example")
    (shop / "src/a.py").write_text(OLD)
    found = here(shop, tmp_path / "home")
    with found.repository() as repo, open_loom(found.settings) as loom:
        checkout = found.checkout()
        proposal = found.landing(repo, loom.ledger, checkout).proposal()
        checked = loom.conflicts.check(checkout, proposal)

    assert checked.verdict == verdict


def test_whoever_made_a_commit_below_the_head_made_the_change_too(shop: Path, tmp_path: Path) -> None:
    """Ana's loop made all but the last commit: she is no second person to it."""
    landed_rules(shop, "asks", effect="require_approval", more='    approve: {by: ["role:developer"]}\n')
    git(shop, "checkout", "--quiet", "-b", "work")
    shas = [commit(shop, {f"src/{name}.py": f"{name}\n"}) for name in "ab"]
    found = here(shop, tmp_path / "home")
    with open_loom(found.settings) as loom:
        for caller, sha in zip((ANA, BEA), shas, strict=True):
            loom.runs.start(caller, found.checkout(), loop="loop", goal="goal", budget_tokens=100)
            recorded(loom, caller, commits=[sha])
        asked = judged(shop, tmp_path).approval
        for name in ("ana", "bea"):
            with pytest.raises(Invalid, match="asks somebody who did not make this"):
                loom.approvals.answer(asked, approver(name, ()), "granted", why="")
        loom.approvals.answer(asked, approver("chen", ()), "granted", why="")

    assert judged(shop, tmp_path).decision.answer == "allow"
