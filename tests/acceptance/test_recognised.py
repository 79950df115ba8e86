"""A run's work is known again however it landed: real servers, real worktrees, one store."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_conflicts import conflicts, land, worktree
from tests.conftest import Run, commit_all, git
from tests.wire import Server

pytestmark = pytest.mark.sqlite("about git; what is kept of it is tested with the services")

BEFORE = "".join(f"rate_{number} = gross_rate({number})\n\n\n" for number in range(12))
HALF = "".join(f"rate_{number} = net_rate({number}, rounded=True)\n\n\n" for number in range(4))
AFTER = HALF + BEFORE.split("\n\n\n", 4)[4].replace("gross_rate(7)", "net_rate(7, rounded=True)")
HALF += BEFORE.split("\n\n\n", 4)[4]
INTENT = "prices become net"
SQUASHED = """Net prices (#12)

* Net one

Loom-Run: {run}

* Net two

Loom-Run: {run}

---------

Co-authored-by: Bea <bea@shop>
"""


@pytest.fixture
def trunk(shop: Path) -> Path:
    """A trunk with gross prices, some text beside them, and worktrees of Bea and Ana."""
    (shop / "src/tax.py").write_text(BEFORE)
    (shop / "src/text.py").write_text("greeting = 'good morning'\n")
    commit_all(shop, "Prices")
    for name in ("bea", "ana"):
        worktree(shop, name)
    return shop


def bea_works(trunk: Path, serve: Callable[..., Server], *, record: bool = True, signed: bool = False) -> str:
    """Bea's loop changes the prices on purpose, in two commits of its branch, and is done; returns its run."""
    branch = trunk.parent / "bea"
    bea = serve(cwd=branch)
    run: str = bea.answer("start_run", loop="refactor", goal="net prices")["run"]
    bea.answer("claim_paths", paths=["src/tax.py"], intent=INTENT)
    shas = []
    for text, title in ((HALF, "Net one"), (AFTER, "Net two")):
        (branch / "src/tax.py").write_text(text)
        commit_all(branch, f"{title}\n\nLoom-Run: {run}" if signed else title)
        shas.append(git(branch, "rev-parse", "HEAD"))
    bea.answer("record_outcome", status="done", summary="net", commits=shas if record else [])
    return run


def squash(trunk: Path, message: str = "Net prices (#12)") -> None:
    git(trunk, "merge", "--quiet", "--squash", "bea")
    git(trunk, "commit", "--quiet", "-m", message)


def trunk_moves(trunk: Path, path: str = "src/text.py", text: str = "greeting = 'good evening'\n") -> None:
    (trunk / path).write_text(text)
    commit_all(trunk, "Meanwhile")


def ana_undoes(trunk: Path, serve: Callable[..., Server], path: str = "src/tax.py") -> dict[str, object]:
    """Another loop brings the old prices back; what it is told of the change that it takes back."""
    branch = trunk.parent / "ana"
    git(branch, "merge", "--quiet", "--ff-only", "main")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="cleanup", goal="tidy")
    now = (branch / path).read_text()
    (branch / path).write_text(re.sub(r"net_rate\((\d+), rounded=\w+\)", r"gross_rate(\1)", now))
    found = ana.answer("check_conflicts")
    first: dict[str, object] = found.get("conflicts", [{}])[0]
    return {"verdict": found["verdict"], **{name: first.get(name, "") for name in ("kind", "run", "intent")}}


def lands_squashed(trunk: Path) -> None:
    squash(trunk)


def lands_squashed_on_a_moved_trunk(trunk: Path) -> None:
    trunk_moves(trunk, "src/tax.py", BEFORE.replace("gross_rate(11)", "gross_rate(11, bonus=True)"))
    squash(trunk)


def lands_rebased(trunk: Path) -> None:
    trunk_moves(trunk)
    git(trunk, "cherry-pick", "main..bea")


def lands_amended(trunk: Path) -> None:
    branch = trunk.parent / "bea"
    git(branch, "commit", "--quiet", "--amend", "-m", "Net prices, in other words")
    git(trunk, "merge", "--quiet", "--no-ff", "-m", "Merge bea", "bea")


def lands_by_mail(trunk: Path) -> None:
    trunk_moves(trunk)
    mails = trunk.parent / "mails"
    git(trunk, "format-patch", "--quiet", "--output-directory", str(mails), "main..bea")
    git(trunk, "am", "--quiet", *map(str, sorted(mails.iterdir())))


def lands_with_one_line_edited(trunk: Path) -> None:
    git(trunk, "merge", "--quiet", "--squash", "bea")
    (trunk / "src/tax.py").write_text(AFTER.replace("net_rate(7, rounded=True)", "net_rate(7, rounded=False)"))
    commit_all(trunk, "Net prices (#12)")


def lands_reindented(trunk: Path) -> None:
    git(trunk, "merge", "--quiet", "--squash", "bea")
    (trunk / "src/tax.py").write_text("if True:\n" + "".join(f"    {line}\n" for line in AFTER.splitlines()))
    commit_all(trunk, "Net prices (#12)")


@pytest.mark.parametrize(
    "lands",
    [
        lands_squashed,
        lands_squashed_on_a_moved_trunk,
        lands_rebased,
        lands_amended,
        lands_by_mail,
        lands_with_one_line_edited,
        lands_reindented,
    ],
)
def test_what_landed_in_another_form_is_still_its_run_s_and_on_purpose(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server], loomstack: Run, lands: Callable[[Path], None]
) -> None:
    run = bea_works(trunk, serve)
    lands(trunk)

    told = ana_undoes(trunk, serve)
    code, found = conflicts(trunk.parent / "ana", tmp_path)
    commit_all(trunk.parent / "ana", "Tidy")
    gate = loomstack("gate", "--base", "main", cwd=trunk.parent / "ana")

    assert told == {"verdict": "stop", "kind": "undo", "run": run, "intent": INTENT}
    assert (code, {one["intent"] for one in found["conflicts"]}) == (4, {INTENT})
    assert (gate.returncode, "of refactor@" in gate.stdout) == (2, True)


def test_a_file_that_landed_under_another_name_is_still_its_run_s(trunk: Path, serve: Callable[..., Server]) -> None:
    run = bea_works(trunk, serve)
    git(trunk, "merge", "--quiet", "--squash", "bea")
    git(trunk, "mv", "src/tax.py", "src/prices.py")
    commit_all(trunk, "Net prices (#12)")

    assert ana_undoes(trunk, serve, "src/prices.py")["run"] == run


def test_what_landed_and_was_looked_at_before_its_run_said_so_is_its_run_s(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    branch = trunk.parent / "bea"
    bea = serve(cwd=branch)
    run = bea.answer("start_run", loop="refactor", goal="net prices")["run"]
    bea.answer("claim_paths", paths=["src/tax.py"], intent=INTENT)
    (branch / "src/tax.py").write_text(AFTER)
    commit_all(branch, "Net")
    squash(trunk)
    conflicts(trunk, tmp_path)
    bea.answer("record_outcome", status="done", summary="net", commits=[git(branch, "rev-parse", "HEAD")])

    assert ana_undoes(trunk, serve)["run"] == run


def test_work_that_another_did_on_the_same_branch_is_not_the_run_s(trunk: Path, serve: Callable[..., Server]) -> None:
    branch = trunk.parent / "bea"
    (branch / "src/tax.py").write_text(AFTER)
    git(branch, "add", "--all")
    git(branch, "commit", "--quiet", "--author", "Dan <dan@shop>", "-m", "Net")
    bea = serve(cwd=branch)
    bea.answer("start_run", loop="refactor", goal="net prices")
    bea.answer("claim_paths", paths=["src/"], intent=INTENT)
    (branch / "src/text.py").write_text("greeting = 'hello to all of you'\n")
    commit_all(branch, "Greet")
    bea.answer("record_outcome", status="done", summary="net", commits=[git(branch, "rev-parse", "HEAD")])
    squash(trunk)

    assert ana_undoes(trunk, serve)["run"] == ""


def test_a_trailer_in_the_middle_of_a_squashed_message_binds_what_the_run_signed(
    trunk: Path, serve: Callable[..., Server]
) -> None:
    run = bea_works(trunk, serve, record=False, signed=True)
    squash(trunk, SQUASHED.format(run=run))

    assert ana_undoes(trunk, serve) == {"verdict": "stop", "kind": "undo", "run": run, "intent": INTENT}


@pytest.mark.parametrize("record", [True, False])
def test_a_trailer_of_a_run_that_made_something_else_binds_nothing_and_is_shown(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server], record: bool
) -> None:
    run = bea_works(trunk, serve, record=record, signed=True)
    dan = worktree(trunk, "dan")
    (dan / "src/text.py").write_text("greeting = 'hello to all of you'\nparting = 'see you soon'\n")
    land(trunk, dan, f"Greet\n\nLoom-Run: {run}", author="Dan <dan@shop>")
    ana = worktree(trunk, "late")
    (ana / "src/text.py").write_text("greeting = 'good morning'\n")

    _, found = conflicts(ana, tmp_path)
    [one] = found["conflicts"]

    assert (one["who"], one.get("run"), one.get("intent")) == ("Dan", None, None)
    assert f"trailer mismatch: it names {run}" in one["evidence"]


@pytest.mark.parametrize("edited", [False, True])
def test_a_rule_for_loops_holds_for_what_a_loop_made_however_it_lands(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server], loomstack: Run, edited: bool
) -> None:
    rule = "    who: {kind: [loop]}\n    where: {paths: [/src/tax.py]}\n"
    (trunk / "policies").mkdir()
    (trunk / "policies/p.yaml").write_text(
        "version: 1\npolicy: p\nrules:\n  - id: no-loops\n    why: loops keep out of it\n"
        f"    effect: deny\n    on: [push, land]\n{rule}"
    )
    commit_all(trunk, "Rules")
    bea_works(trunk, serve)
    git(trunk, "checkout", "--quiet", "-b", "landing")
    squash(trunk)
    by_hand = worktree(trunk, "hand")
    (by_hand / "src/tax.py").write_text(BEFORE + "by_hand = True\n")
    commit_all(by_hand, "By hand")
    if edited:
        (trunk / "src/tax.py").write_text(AFTER.replace("net_rate(7, rounded=True)", "net_rate(7, rounded=False)"))
        git(trunk, "commit", "--quiet", "--all", "--amend", "-m", "Net prices (#12)")

    loops = loomstack("gate", "--base", "main", "--head", "landing", "--actor", "dana", cwd=trunk)
    people = loomstack("gate", "--base", "main", "--head", "hand", "--actor", "dana", cwd=trunk)

    assert (loops.returncode, "no-loops" in loops.stdout) == (2, True)
    assert (people.returncode, "no-loops" in people.stdout) == (0, False)
