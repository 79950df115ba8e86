"""Conflicts that git does not see: real servers, real worktrees, one store."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import commit_all, environment, git
from tests.processes import MODULE, run
from tests.wire import Server

BEFORE = "def total(price):\n    net = price * 100\n    return net + price * 20\n\n\ndef name():\n    return 'shop'\n"
AFTER = BEFORE.replace("return net + price * 20", "return net")


@pytest.fixture
def trunk(shop: Path) -> Path:
    """A trunk on which Bea's net prices have landed, and a branch of Ana's that has them."""
    (shop / "src/a.py").write_text(BEFORE)
    commit_all(shop, "Prices")
    return shop


def worktree(trunk: Path, name: str) -> Path:
    git(trunk, "worktree", "add", "--quiet", "-b", name, str(trunk.parent / name), "main")
    return trunk.parent / name


def land(trunk: Path, branch: Path, message: str, *, author: str = "Bea <bea@shop>") -> str:
    git(branch, "add", "--all")
    git(branch, "commit", "--quiet", "--no-verify", "--author", author, "-m", message)
    git(trunk, "merge", "--quiet", "--ff-only", branch.name)
    return git(branch, "rev-parse", "HEAD")


def bea_lands(trunk: Path, serve: Callable[..., Server], *, record: bool = True) -> str:
    """Bea's loop claims, lands and records a change on purpose, and is done."""
    branch = worktree(trunk, "bea")
    bea = serve(cwd=branch)
    bea.answer("start_run", loop="refactor", goal="net prices", paths=["src/"])
    bea.answer("claim_paths", paths=["src/a.py"], intent="prices become net")
    (branch / "src/a.py").write_text(AFTER)
    sha = land(trunk, branch, "Net prices")
    bea.answer("record_outcome", status="done", summary="net", commits=[sha] if record else [])
    return sha


def conflicts(folder: Path, home: Path, *options: str) -> tuple[int, dict[str, Any]]:
    done = run([*MODULE, "conflicts", "--json", *options], cwd=folder, env=environment(home))
    return done.returncode, json.loads(done.stdout or "{}")


def test_taking_back_what_was_changed_on_purpose_is_stopped(trunk: Path, serve: Callable[..., Server]) -> None:
    sha = bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(BEFORE)

    found = ana.answer("check_conflicts")

    [conflict] = found["conflicts"]
    assert found["verdict"] == "stop"
    assert (conflict["kind"], conflict["paths"], conflict["commit"]) == ("undo", ["src/a.py"], sha[:12])
    assert (conflict["intent"], conflict["who"].split("@")[0]) == ("prices become net", "refactor")
    assert "src/a.py:3" in conflict["evidence"]


def test_committed_or_not_makes_no_difference(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(BEFORE)
    commit_all(branch)

    assert ana.answer("check_conflicts")["verdict"] == "stop"


def test_new_work_beside_it_is_clear(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(AFTER + "\n\ndef other():\n    return 'another thing'\n")

    found = ana.answer("check_conflicts")

    assert (found["verdict"], found.get("conflicts")) == ("clear", None)
    assert found["checked"]["changes"] == 3


def test_touching_lines_that_were_changed_on_purpose_is_warned_of(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(AFTER.replace("return net", "return rounded(net)"))

    found = ana.answer("check_conflicts")

    assert found["verdict"] == "warn"
    assert [(one["kind"], one["intent"]) for one in found["conflicts"]] == [("intent", "prices become net")]


def test_one_hunk_without_a_known_intent_is_warned_of(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve, record=False)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(BEFORE)

    found = ana.answer("check_conflicts")

    assert (found["verdict"], found["conflicts"][0]["kind"], found["conflicts"][0]["who"]) == ("warn", "undo", "Bea")


def test_an_intent_note_makes_it_a_stop(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve, record=False)
    bea = serve(cwd=trunk.parent / "bea")
    bea.answer("start_run", loop="refactor", goal="net prices")
    bea.answer("share_context", kind="intent", text="net from now on", paths=["src/a.py"])
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(BEFORE)

    found = ana.answer("check_conflicts")

    assert (found["verdict"], found["conflicts"][0]["intent"]) == ("stop", "net from now on")


def test_a_trailer_binds_a_commit_to_its_run(trunk: Path, serve: Callable[..., Server]) -> None:
    branch = worktree(trunk, "bea")
    bea = serve(cwd=branch)
    run = bea.answer("start_run", loop="refactor", goal="net prices")["run"]
    bea.answer("claim_paths", paths=["src/a.py"], intent="prices become net")
    (branch / "src/a.py").write_text(AFTER)
    land(trunk, branch, f"Net prices\n\nLoom-Run: {run}")
    ana_branch = worktree(trunk, "ana")
    ana = serve(cwd=ana_branch)
    ana.answer("start_run", loop="triage", goal="green")
    (ana_branch / "src/a.py").write_text(BEFORE)

    [conflict] = ana.answer("check_conflicts")["conflicts"]

    assert (conflict["run"], conflict["intent"]) == (run, "prices become net")


def test_the_same_loop_may_take_back_its_own(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "again")
    bea = serve(cwd=branch)
    bea.answer("start_run", loop="refactor", goal="on second thought")
    (branch / "src/a.py").write_text(BEFORE)

    assert bea.answer("check_conflicts")["verdict"] == "clear"


def test_an_old_copy_over_the_work_of_several_is_a_stale_base(trunk: Path, serve: Callable[..., Server]) -> None:
    names = [f"def {name}(item):\n    return item.{name} * 12\n\n\n" for name in ("weight", "height", "length")]
    (trunk / "src/b.py").write_text("".join(names))
    commit_all(trunk, "Sizes")
    old = (trunk / "src/b.py").read_text()
    for number, author in enumerate(("Bea <bea@shop>", "Dan <dan@shop>")):
        branch = worktree(trunk, author.split()[0].lower())
        (branch / "src/b.py").write_text((branch / "src/b.py").read_text().replace("12", f"{number + 1}00", 1))
        land(trunk, branch, f"Better factor {number}", author=author)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/b.py").write_text(old + "def new(item):\n    return item.new\n")

    found = ana.answer("check_conflicts")

    assert found["verdict"] == "stop"
    assert [(one["kind"], one["who"]) for one in found["conflicts"]] == [("stale_base", "Bea"), ("stale_base", "Dan")]
    assert "main's version" in found["conflicts"][0]["do"]


def test_what_bounces_back_is_stopped_for_a_person(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve, record=False)
    dan = worktree(trunk, "dan")
    (dan / "src/a.py").write_text(BEFORE)
    land(trunk, dan, "Gross prices", author="Dan <dan@shop>")
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="refactor", goal="net prices")
    (branch / "src/a.py").write_text(AFTER)

    repairing = ana.answer("check_conflicts")
    back = land(trunk, branch, "Net prices", author="Bea <bea@shop>")
    git(dan, "merge", "--quiet", "--ff-only", "main")
    (dan / "src/a.py").write_text(BEFORE)
    again = serve(cwd=dan)
    again.answer("start_run", loop="triage", goal="green")
    found = again.answer("check_conflicts")

    assert (repairing["verdict"], ["of Dan" in one for one in repairing["checked"]["repairs"]]) == ("warn", [True])
    assert (found["verdict"], found["conflicts"][0]["kind"]) == ("stop", "ping_pong")
    assert found["conflicts"][0]["commit"] == back[: len(found["conflicts"][0]["commit"])]
    assert "a person decides" in found["conflicts"][0]["do"]


def test_the_other_side_hears_of_it_and_of_its_end(trunk: Path, tmp_path: Path, serve: Callable[..., Server]) -> None:
    branch = worktree(trunk, "bea")
    bea = serve(cwd=branch)
    bea.answer("start_run", loop="refactor", goal="net prices")
    bea.answer("claim_paths", paths=["src/a.py"], intent="prices become net")
    (branch / "src/a.py").write_text(AFTER)
    sha = land(trunk, branch, "Net prices")
    bea.answer("record_outcome", status="passed", summary="net", commits=[sha])
    ana_branch = worktree(trunk, "ana")
    ana = serve(cwd=ana_branch)
    run = ana.answer("start_run", loop="triage", goal="green")["run"]
    (ana_branch / "src/a.py").write_text(BEFORE)

    conflict = ana.answer("check_conflicts")["conflicts"][0]["conflict"]
    again = ana.answer("check_conflicts")["conflicts"][0]["conflict"]
    [alert] = [one for one in bea.answer("read_shared_context")["alerts"] if one["kind"] == "conflict"]
    [briefed] = bea.answer("read_shared_context")["conflicts"]
    _, listed = conflicts(trunk, tmp_path)
    (ana_branch / "src/a.py").write_text(AFTER)
    ana.answer("check_conflicts")
    _, after = conflicts(trunk, tmp_path)

    assert again == conflict == alert["about"] == briefed["conflict"]
    assert f"would take back your {sha[:10]} in src/a.py" in alert["text"]
    assert [(one["conflict"], one["of"]) for one in listed["open"]] == [(conflict, run)]
    assert after["open"] == []


def test_start_and_claim_warn_of_what_landed_on_purpose(trunk: Path, serve: Callable[..., Server]) -> None:
    sha = bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")

    [warning] = ana.answer("claim_paths", paths=["src/*.py"], intent="fix")["warnings"]
    [again] = ana.answer("start_run", loop="triage", goal="again", paths=["src/"])["warnings"]

    assert (warning["commit"], warning["text"]) == (sha[:12], "prices become net")
    assert warning["who"].startswith("refactor@")
    assert {**again, "age": ""} == {**warning, "age": ""}


def test_a_person_checks_a_worktree_without_a_run(trunk: Path, tmp_path: Path, serve: Callable[..., Server]) -> None:
    sha = bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    clear = conflicts(branch, tmp_path)
    (branch / "src/a.py").write_text(BEFORE)

    code, found = conflicts(branch, tmp_path)

    assert (clear[0], clear[1]["verdict"]) == (0, "clear")
    assert (code, found["verdict"], found["conflicts"][0]["commit"]) == (4, "stop", sha)


def test_a_rewritten_trunk_is_judged_as_it_is_now(trunk: Path, tmp_path: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").write_text(BEFORE)
    before, _ = conflicts(branch, tmp_path)
    git(branch, "stash", "--quiet")
    git(trunk, "reset", "--quiet", "--hard", "HEAD~1")
    git(branch, "reset", "--quiet", "--hard", "main")
    (branch / "src/a.py").write_text(BEFORE + "# more\n")

    after, found = conflicts(branch, tmp_path)

    assert (before, after, found["verdict"]) == (4, 0, "clear")


def test_a_shallow_clone_is_never_clear(trunk: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{trunk}", "shallow")

    code, found = conflicts(tmp_path / "shallow", tmp_path)

    assert (code, found["verdict"]) == (0, "warn")
    assert "shallow" in found["unchecked"][0]


def test_names_and_contents_that_are_no_utf8_are_compared_too(trunk: Path, tmp_path: Path) -> None:
    path = trunk / "src" / b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    path.write_bytes(b"a line of caf\xe9s in the old way\n")
    commit_all(trunk, "A text")
    branch = worktree(trunk, "bea")
    (branch / "src" / path.name).write_bytes(b"another line of th\xe9s in the new way\n")
    land(trunk, branch, "Another text")
    ana = worktree(trunk, "ana")
    (ana / "src" / path.name).write_bytes(b"a line of caf\xe9s in the old way\n")

    _, found = conflicts(ana, tmp_path)

    assert [one["paths"] for one in found["conflicts"]] == [["src/caf\\xe9.txt"]]


@pytest.mark.parametrize(
    ("base", "said"), [("nowhere", "is no commit here"), ("--upload-pack=x", "is no commit here"), ("a\0b", "base")]
)
def test_a_base_that_is_none_is_refused(trunk: Path, serve: Callable[..., Server], base: str, said: str) -> None:
    ana = serve(cwd=trunk)
    ana.answer("start_run", loop="triage", goal="green")

    assert said in ana.error("check_conflicts", base=base)
