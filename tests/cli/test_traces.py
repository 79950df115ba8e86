"""A trace on a screen: what others wrote into it moves no cursor, and what is asked wrongly is told."""

import json
import re
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.cli.trace_text import trace_lines
from loomstack_mcp.core.changes.attributions import Attribution, Candidate
from loomstack_mcp.core.deploys import Deploy
from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.core.traces import (
    AgentSession,
    LaterStep,
    Trace,
    TracedAnswer,
    TracedApproval,
    TracedCommit,
    TracedDecision,
    TracedDeploy,
    TracedRun,
    WrittenLine,
)
from tests.conftest import Run, git
from tests.factories import make_claim, make_note, make_run

EVIL = "\x1b[2J\x1b]0;x\x07 \u202egnp.exe \x9b31m\r\nrun  run_00000000  honest@ana" + "x" * 2_000
SHA = "a" * 40


def hostile() -> Trace:
    decision = TracedDecision(
        id="dec_1", run_id="run_1", about_run="", head=SHA, who=EVIL, point="ci", actions=("deploy",), answer="deny",
        reasons=({"rule": EVIL, "why": EVIL},), decided_at_ms=1,
    )  # fmt: skip
    approval = TracedApproval(
        id="apr_1", decision_id="dec_1", state="granted", asked_at_ms=1,
        answers=(TracedAnswer(who=EVIL, verdict="granted", why=EVIL),),
    )  # fmt: skip
    deploy = Deploy(
        id="dep_1", repo_id="r", seq=1, environment=EVIL, sha=SHA, called=EVIL, kind="aside", previous=EVIL, how="tag",
        who=EVIL, decision="dec_1", covers=1, deployed_at_ms=1, recorded_at_ms=1,
    )  # fmt: skip
    commit = Attribution(
        sha=SHA, run_id="run_1", bound_by="lines", confidence=0.8, title=EVIL, author=EVIL, landed_at_ms=1,
        candidates=(Candidate(run_id="run_2", bound_by="lines", confidence=0.3),), flags=("several_runs",),
    )  # fmt: skip
    return Trace(
        ref=EVIL,
        kind="deploy",
        line=WrittenLine(path=EVIL, line=1, sha=SHA, run_id="run_1", bound_by="lines", confidence=0.9),
        commits=(TracedCommit(commit=commit, url=EVIL, sessions=(AgentSession(session=EVIL, tool=EVIL, model=EVIL),)),),
        runs=(
            TracedRun(
                run=make_run(goal=EVIL, loop=EVIL, principal=EVIL, status=EVIL, state="ended"),
                claims=(make_claim(intent=EVIL),),
                notes=(make_note(kind="decision", text=EVIL, who=EVIL),),
                decisions=(decision,),
                approvals=(approval,),
            ),
        ),
        deploys=(TracedDeploy(deploy=deploy, decision=decision, approvals=(approval,)),),
        later=(LaterStep(sha=SHA, by=SHA, how="undone", title=EVIL, author=EVIL, who=EVIL, run_id="run_3"),),
        more_commits=3,
        unchecked=(EVIL,),
        now_ms=10_000,
    )


def test_what_others_wrote_moves_no_cursor_and_begins_no_line() -> None:
    for full in (False, True):
        lines = list(trace_lines(trace_shown(hostile(), full=full)))

        assert [line for line in lines if re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line)] == []
        assert not [line for line in lines if line.startswith("run  run_00000000")]
        assert len(lines) < 30


def test_what_is_asked_wrongly_is_wrong_usage(loomstack: Run) -> None:
    for words in ((), ("HEAD", "--unattributed"), ("--unattributed", "--since", "soon")):
        assert loomstack("trace", *words).returncode == 64


def test_a_list_of_more_days_than_are_looked_at_says_so(loomstack: Run) -> None:
    beyond, within = loomstack("trace", "--unattributed", "--since", "60d"), loomstack("trace", "--unattributed")

    assert "Not looked at: what landed more than 30 days ago (window_days)" in beyond.stderr
    assert "Not looked at" not in within.stderr


def test_a_line_says_where_it_was_written_and_a_commit_what_it_takes_back() -> None:
    evil = hostile()
    commit = replace(evil.commits[0].commit, reverts=("b" * 40,))
    moved = replace(evil, ref="src/b.py:9", commits=(TracedCommit(commit=commit),))
    line = WrittenLine(path="src/a.py", line=7, sha=SHA, run_id="run_1", bound_by="lines", confidence=0.9)

    text = "\n".join(trace_lines(trace_shown(replace(moved, line=line), full=False)))

    assert "src/a.py:7  now src/b.py:9  by its lines, 90 %" in text
    assert f"takes back {'b' * 12}\n" in text


def test_tags_of_this_clone_are_no_deploys_of_another_repository(loomstack: Run, shop: Path) -> None:
    git(shop, "tag", "v1")
    here, there = (
        json.loads(loomstack(*repo, "deploy", "list", "--json", LOOMSTACK_DEPLOY_TAGS="v*=production").stdout)
        for repo in ((), ("--repo", "https://example.com/other/shop"))
    )

    assert ([one["called"] for one in here], there) == (["v1"], [])
