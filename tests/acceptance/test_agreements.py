"""Who may take back what was changed on purpose, and how: real servers, worktrees, commands and one store."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_conflicts import AFTER, BEFORE, bea_lands, conflicts, land, trunk, worktree
from tests.cli.test_cli import on_terminal
from tests.conftest import environment, git
from tests.processes import MODULE, SCRIPT, run
from tests.wire import Server

__all__ = ["trunk"]


def named(folder: Path, name: str) -> Path:
    """The worktree as a person's of that name."""
    git(folder, "config", "extensions.worktreeConfig", "true")
    git(folder, "config", "--worktree", "user.name", name)
    git(folder, "config", "--worktree", "user.email", f"{name.lower()}@shop")
    return folder


def ana_undoes(trunk: Path, serve: Callable[..., Server], *, loop: str = "triage") -> tuple[Server, Path, str]:
    """Ana's loop has taken Bea's change back in its worktree; with the id of its run."""
    branch = named(worktree(trunk, "ana"), "Ana")
    ana = serve(cwd=branch)
    run_id = ana.answer("start_run", loop=loop, goal="green")["run"]
    (branch / "src/a.py").write_text(BEFORE)
    return ana, branch, run_id


def settle(folder: Path, home: Path, *arguments: str, **more: str) -> tuple[int, str]:
    env = {**environment(home), **more}
    return on_terminal([SCRIPT, "conflicts", "settle", *arguments], cwd=folder, env=env)


def inbox(folder: Path, home: Path) -> list[dict[str, Any]]:
    done = run([SCRIPT, "inbox", "--json"], cwd=folder, env=environment(home))
    return list(json.loads(done.stdout))


def gated(folder: Path, home: Path) -> tuple[int, dict[str, Any]]:
    done = run([*MODULE, "gate", "--base", "main", "--json"], cwd=folder, env=environment(home))
    return done.returncode, json.loads(done.stdout)


def committed(folder: Path) -> None:
    git(folder, "commit", "--quiet", "--all", "--author", "Ana <ana@shop>", "-m", "Gross prices")


def test_the_holder_s_decision_allows_exactly_that_undo_and_is_linked(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    sha = bea_lands(trunk, serve)
    ana, branch, run_id = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    asked = ana.answer("share_context", kind="handoff", text="may net prices go?", to="refactor")
    bea = serve(cwd=trunk.parent / "bea")
    started = bea.answer("start_run", loop="refactor", goal="answer")
    decision = bea.answer(
        "share_context", kind="decision", text="gross again", supersedes=conflict["conflict"], to=run_id
    )
    found = ana.answer("check_conflicts")
    committed(branch)

    settle = f"a person runs `loomstack-mcp conflicts settle {conflict['conflict']}`"
    assert conflict["do"].endswith(f"agree first: share_context(to=refactor) with this conflict's id, or {settle}.")
    assert asked["unheard"] == "no live run of refactor hears it now; its next run reads it"
    assert "may net prices go?" in [note["text"] for note in started["briefing"]["notes"]]
    assert {"agreed", "message"} <= {alert["kind"] for alert in found["alerts"]}
    assert (found["verdict"], found.get("conflicts")) == ("clear", None)
    assert [(one["by"], one["commit"]) for one in found["agreed"]] == [(decision["note"], sha[:12])]
    assert conflicts(branch, tmp_path)[1]["agreed"][0]["by"] == decision["note"]
    assert gated(branch, tmp_path)[0] == 0
    assert gated(branch, tmp_path)[1]["agreed"][0]["by"] == decision["note"]


def test_a_decision_in_the_place_of_an_intent_note_allows_what_the_intent_covered(
    trunk: Path, serve: Callable[..., Server]
) -> None:
    branch = worktree(trunk, "bea")
    bea = serve(cwd=branch)
    bea.answer("start_run", loop="refactor", goal="net prices")
    (branch / "src/a.py").write_text(AFTER)
    sha = land(trunk, branch, "Net prices")
    bea.answer("record_outcome", status="passed", summary="net", commits=[sha])
    intent = bea.answer("share_context", kind="intent", text="net from now on", paths=["src"])["note"]
    ana, _, _ = ana_undoes(trunk, serve)
    before = ana.answer("check_conflicts")
    decision = bea.answer("share_context", kind="decision", text="gross again", paths=["src"], supersedes=intent)
    after = ana.answer("check_conflicts")

    assert (before["verdict"], before["conflicts"][0]["intent"]) == ("stop", "net from now on")
    assert (after["verdict"], after["agreed"][0]["by"]) == ("clear", decision["note"])
    assert decision["note"] in [alert["text"].split("(")[1][:13] for alert in after["alerts"]]


def test_what_landed_after_the_word_is_not_covered_by_it(trunk: Path, serve: Callable[..., Server]) -> None:
    sha = bea_lands(trunk, serve)
    ana, branch, _ = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    bea_branch = trunk.parent / "bea"
    bea = serve(cwd=bea_branch)
    bea.answer("start_run", loop="refactor", goal="answer")
    bea.answer("share_context", kind="decision", text="gross again", supersedes=conflict["conflict"])
    bea.answer("claim_paths", paths=["src/a.py"], intent="a shop has a title")
    (bea_branch / "src/a.py").write_text(AFTER.replace("'shop'", "'the best of all shops'"))
    later = land(trunk, bea_branch, "Title")
    bea.answer("record_outcome", status="passed", summary="title", commits=[later])
    git(branch, "stash", "--quiet")
    git(branch, "merge", "--quiet", "--ff-only", "main")
    (branch / "src/a.py").write_text(BEFORE)

    found = ana.answer("check_conflicts")

    assert found["verdict"] == "stop"
    assert [one["commit"] for one in found["conflicts"]] == [later[:12]]
    assert sha != later


@pytest.mark.parametrize("loop", ["triage", "refactor"])
def test_the_side_that_undoes_cannot_agree_with_itself(trunk: Path, serve: Callable[..., Server], loop: str) -> None:
    bea_lands(trunk, serve)
    ana, branch, _ = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    ana.answer("start_run", loop=loop, goal="pose")
    refused = ana.error("share_context", kind="decision", text="fine", supersedes=conflict["conflict"])

    assert "a person can: loomstack-mcp conflicts settle" in refused
    again = serve(cwd=branch)
    again.answer("start_run", loop="triage", goal="green")
    assert again.answer("check_conflicts")["verdict"] == "stop"


def test_a_person_settles_exactly_one_undo(trunk: Path, tmp_path: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    ana, branch, _ = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    waiting = inbox(branch, tmp_path)
    status, shown = settle(branch, tmp_path, conflict["conflict"], "--why", "agreed on the phone")
    settled = inbox(branch, tmp_path)
    found = ana.answer("check_conflicts")
    other = named(worktree(trunk, "dan"), "Dan")
    dan = serve(cwd=other)
    dan.answer("start_run", loop="tidy", goal="goal")
    (other / "src/a.py").write_text(BEFORE)
    committed(branch)

    [stopped] = waiting
    assert (stopped["id"], stopped["next"]) == (conflict["conflict"], f"loomstack-mcp conflicts settle {stopped['id']}")
    assert settled == []
    assert (status, conflict["conflict"] in shown) == (0, True)
    assert (found["verdict"], found["agreed"][0]["by"]) == ("clear", conflict["conflict"])
    assert found["agreed"][0]["text"].endswith(": agreed on the phone")
    assert dan.answer("check_conflicts")["verdict"] == "stop"
    assert gated(branch, tmp_path)[0] == 0
    assert "is settled already" in settle(branch, tmp_path, conflict["conflict"])[1]


def test_no_agent_settles(trunk: Path, tmp_path: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    ana, branch, _ = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    inside = settle(branch, tmp_path, conflict["conflict"], CLAUDECODE="1")
    piped = run([SCRIPT, "conflicts", "settle", conflict["conflict"]], cwd=branch, env=environment(tmp_path))
    unknown = settle(branch, tmp_path, "conf_00000000")

    assert (inside[0], piped.returncode, unknown[0]) == (1, 1, 1)
    assert "unauthorized" in inside[1]
    assert "unauthorized" in piped.stderr
    assert "is unknown here" in unknown[1]
    assert ana.answer("check_conflicts")["verdict"] == "stop"


def test_an_intent_is_taken_back_by_nobody_else_and_its_author_hears_of_the_try(
    trunk: Path, serve: Callable[..., Server]
) -> None:
    bea = serve(cwd=trunk)
    bea.answer("start_run", loop="refactor", goal="net prices")
    intent = bea.answer("share_context", kind="intent", text="net from now on", paths=["src"])["note"]
    ana = serve(cwd=trunk)
    ana.answer("start_run", loop="triage", goal="green")
    refused = ana.error("share_context", kind="decision", text="no", paths=["src"], supersedes=intent)
    ana.answer("start_run", loop="refactor", goal="pose")
    posed = ana.error("share_context", kind="decision", text="no", paths=["src"], supersedes=intent)
    [heard, *_] = bea.answer("read_shared_context")["alerts"]

    assert "only that loop, from a session of its own, or a person" in refused
    assert "share_context(to=refactor)" in refused
    assert posed.startswith("invalid")
    assert (heard["kind"], heard["about"]) == ("contradicted", intent)
    assert [one["note"] for one in ana.answer("claim_paths", paths=["src"], intent="x")["warnings"]] == [intent]


def test_two_people_s_loops_of_one_name_are_two_loops(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    ana, _, _ = ana_undoes(trunk, serve, loop="refactor")
    found = ana.answer("check_conflicts")
    branch = named(worktree(trunk, "again"), "Bea")
    bea = serve(cwd=branch)
    bea.answer("start_run", loop="refactor", goal="on second thought")
    (branch / "src/a.py").write_text(BEFORE)

    assert (found["verdict"], found["conflicts"][0]["intent"]) == ("stop", "prices become net")
    assert bea.answer("check_conflicts")["verdict"] == "clear"


def test_a_person_s_decision_in_the_place_of_an_intent_allows_what_it_covered(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    sha = bea_lands(trunk, serve)
    bea = serve(cwd=trunk.parent / "bea")
    bea.answer("start_run", loop="refactor", goal="say so")
    intent = bea.answer("share_context", kind="intent", text="net from now on", paths=["src/a.py"])["note"]
    note = [SCRIPT, "note", "add", "gross again", "--path", "src", "--supersedes", intent, "--json"]
    status, shown = on_terminal(note, cwd=trunk, env=environment(tmp_path))
    ana, branch, _ = ana_undoes(trunk, serve)
    found = ana.answer("check_conflicts")
    [heard, *_] = bea.answer("read_shared_context")["alerts"]
    committed(branch)

    assert status == 0, shown
    assert found["verdict"] == "clear"
    assert [(one["by"], one["commit"]) for one in found["agreed"]] == [(json.loads(shown)["note"], sha[:12])]
    assert heard["kind"] == "superseded"
    assert gated(branch, tmp_path)[0] == 0


def test_one_who_gave_up_an_intent_does_not_speak_for_another(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    dan = serve(cwd=trunk)
    dan.answer("start_run", loop="docs", goal="explain")
    dan.answer("share_context", kind="intent", text="the manual says net", paths=["src/a.py"])
    ana, _, run_id = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    bea = serve(cwd=trunk.parent / "bea")
    bea.answer("start_run", loop="refactor", goal="answer")
    bea.answer("share_context", kind="decision", text="fine", supersedes=conflict["conflict"], to=run_id)
    [still] = ana.answer("check_conflicts")["conflicts"]

    assert still["verdict"] == "stop"


def test_a_word_that_is_taken_back_holds_no_longer(trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    ana, _, _ = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    bea = serve(cwd=trunk.parent / "bea")
    bea.answer("start_run", loop="refactor", goal="answer")
    word = bea.answer("share_context", kind="decision", text="fine", supersedes=conflict["conflict"])["note"]
    agreed = ana.answer("check_conflicts")["verdict"]
    bea.answer("share_context", kind="decision", text="no, keep it", supersedes=word)

    assert (agreed, ana.answer("check_conflicts")["verdict"]) == ("clear", "stop")


def test_a_session_that_was_stopped_cannot_pose_as_the_loop_whose_work_it_is(
    trunk: Path, serve: Callable[..., Server]
) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(BEFORE)
    stopped = ana.answer("check_conflicts")["verdict"]
    posing = ana.answer("start_run", loop="refactor", goal="pose")["run"]
    other = serve(cwd=branch)
    other.answer("start_run", loop="refactor", goal="mend it")

    assert (stopped, ana.answer("check_conflicts", run=posing)["verdict"]) == ("stop", "stop")
    assert other.answer("check_conflicts")["verdict"] == "clear"  # the loop's own, in a session of its own


def test_the_advice_names_whose_word_counts_also_where_no_run_landed_it(
    trunk: Path, serve: Callable[..., Server]
) -> None:
    bea_branch = named(worktree(trunk, "bea"), "Bea")
    bea = serve(cwd=bea_branch)
    bea.answer("start_run", loop="refactor", goal="net prices")
    bea.answer("share_context", kind="intent", text="net by law", paths=["src/a.py"])
    (bea_branch / "src/a.py").write_text(AFTER)
    land(trunk, bea_branch, "Net prices")  # which no outcome names
    ana, _, run_id = ana_undoes(trunk, serve)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    told = bea.answer("share_context", kind="decision", text="gross again", supersedes=conflict["conflict"], to=run_id)
    found = ana.answer("check_conflicts")

    assert "agree first: share_context(to=refactor) with this conflict's id, or a person runs" in conflict["do"]
    assert [alert["about"] for alert in told["alerts"] if alert["kind"] == "conflict"] == [conflict["conflict"]]
    assert (found["verdict"], [one["text"] for one in found["agreed"]]) == ("clear", ["gross again"])


def test_what_a_conflict_stops_is_never_said_to_be_allowed(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    bea_lands(trunk, serve)
    _, branch, _ = ana_undoes(trunk, serve)
    committed(branch)
    shown = run([*MODULE, "gate", "--base", "main"], cwd=branch, env=environment(tmp_path))

    assert (shown.returncode, gated(branch, tmp_path)[1]["decision"]) == (2, "deny")
    assert "\ndeny by what it takes back; allow by sha256:" in shown.stdout
