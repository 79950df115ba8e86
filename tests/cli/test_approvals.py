"""What waits for people, and their answers: real servers ask, a person answers on a terminal, the gate takes it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import on_terminal
from tests.conftest import Run, commit_all, environment, git
from tests.processes import SCRIPT
from tests.wire import Server

RULES = """\
version: 1
policy: shop
rules:
  - id: billing-asks
    why: billing belongs to the leads
    effect: require_approval
    on: [edit, commit, push, land]
    where: {paths: ["/billing/**"]}
    approve: {by: ["role:lead"], not_maker: false}
  - id: two-for-core
    why: core wants four eyes
    effect: require_approval
    on: [edit]
    where: {paths: ["/core/**"]}
    approve: {by: ["role:lead"]}
  - id: built
    why: what lands has been built
    effect: deny
    on: [land]
    where: {paths: ["/web/**"]}
    check: {evidence: [{kind: build, by: anyone}]}
"""
ACCOUNT = __import__("pwd").getpwuid(__import__("os").getuid()).pw_name
PEOPLE = f"version: 1\npeople:\n  dana:\n    users: [{ACCOUNT}]\n    handles: [dana-gh]\n    roles: [lead]\n"

Answer = Callable[..., tuple[int, str]]


@pytest.fixture
def ruled(shop: Path) -> Path:
    """A repository whose trunk has rules, and says who is who."""
    (shop / "policies").mkdir()
    (shop / "policies/shop.yaml").write_text(RULES)
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/people.yaml").write_text(PEOPLE)
    commit_all(shop)
    return shop


@pytest.fixture
def agent(ruled: Path, serve: Callable[..., Server]) -> Server:
    server = serve()
    server.answer("start_run", loop="triage", goal="green")
    return server


@pytest.fixture
def person(ruled: Path, tmp_path: Path) -> Answer:
    """A command, typed by a person at a terminal."""

    def typed(*arguments: str, cwd: Path = ruled) -> tuple[int, str]:
        return on_terminal([SCRIPT, *arguments], cwd=cwd, env=environment(tmp_path))

    return typed


def asked(server: Server, path: str = "billing/a.py") -> dict[str, Any]:
    return server.answer("check_policy", action="edit", paths=[path])


def test_a_persons_word_lets_the_one_that_waits_go_on_once(agent: Server, person: Answer, loomstack: Run) -> None:
    question = asked(agent)
    [waiting] = json.loads(loomstack("inbox", "--json").stdout)
    status, shown = person("approve", question["approval"], "--why", "the prices are right")
    told = agent.answer("read_shared_context")["alerts"]
    allowed, again = asked(agent), asked(agent)

    assert (waiting["id"], waiting["what"]) == (
        question["approval"], "edit billing/a.py; what it will say was not told",
    )  # fmt: skip
    assert status == 0, shown
    for part in ("edit billing/a.py", "billing-asks", "billing belongs to the leads", "triage@", "Granted by dana"):
        assert part in shown
    assert [(alert["kind"], alert["about"]) for alert in told] == [("answered", question["approval"])]
    assert "the prices are right" in told[0]["text"]
    assert (allowed["effect"], again["effect"]) == ("allow", "require_approval")
    assert again["approval"] != question["approval"]
    assert json.loads(loomstack("inbox", "--json").stdout)[0]["id"] == again["approval"]


def test_the_inbox_shows_each_id_whole_and_how_to_answer_in_80_columns(
    agent: Server, tmp_path: Path, ruled: Path
) -> None:
    question = asked(agent)["approval"]
    status, shown = on_terminal([SCRIPT, "inbox"], cwd=ruled, env=environment(tmp_path, COLUMNS="80"))

    assert status == 0
    assert question in shown
    assert shown.rstrip().endswith("→ loomstack-mcp approve ID")
    assert max(map(len, shown.splitlines())) <= 80 + len("\x1b[1m\x1b[0m")


def test_a_person_may_look_before_they_answer(agent: Server, person: Answer, loomstack: Run) -> None:
    question = asked(agent)["approval"]
    looked = [person(command, question, "--dry-run") for command in ("approve", "deny")]

    assert [(status, "edit billing/a.py" in shown) for status, shown in looked] == [(0, True)] * 2
    assert [one["id"] for one in json.loads(loomstack("inbox", "--json").stdout)] == [question]


def test_a_denial_is_told_with_its_reason(agent: Server, person: Answer, loomstack: Run) -> None:
    question = asked(agent)
    status, shown = person("deny", question["approval"], "--why", "not this week")
    again = asked(agent)
    behind = loomstack("why", question["approval"]).stdout

    assert (status, "Denied by dana." in shown) == (0, True)
    assert again["next"] == f"{question['approval']} was denied by dana: not this week"
    assert loomstack("inbox").stderr.strip() == "nothing waits for a person"
    for part in ("billing-asks asks role:lead: billing belongs to the leads", "denied by dana: not this week"):
        assert part in behind


@pytest.mark.parametrize("command", ["approve", "deny"])
def test_no_agent_and_no_script_answers(agent: Server, loomstack: Run, command: str) -> None:
    question = asked(agent)["approval"]
    inside = loomstack(command, question, CLAUDECODE="1")
    piped = loomstack(command, question)
    guarded = agent.answer("check_policy", action="command", command=f"loomstack-mcp {command} {question}")

    assert (inside.returncode, "CLAUDECODE is set" in inside.stderr) == (1, True)
    assert (piped.returncode, "there is no terminal" in piped.stderr) == (1, True)
    assert (guarded["effect"], guarded["reasons"][0]["rule"]) == ("deny", "builtin.decider")


def test_on_one_account_a_second_person_cannot_be_told(agent: Server, person: Answer) -> None:
    question = asked(agent, "core/a.py")
    status, shown = person("approve", question["approval"])

    assert status == 1
    assert "On one account a second person cannot be told, so it stays closed" in shown
    assert asked(agent, "core/a.py")["approval"] == question["approval"]


def test_who_is_who_says_the_trunk_alone(agent: Server, person: Answer, ruled: Path) -> None:
    """A worktree that makes somebody a lead makes nobody one."""
    (ruled / ".loomstack/people.yaml").write_text(PEOPLE.replace("[lead]", "[developer]"))
    commit_all(ruled)
    (ruled / ".loomstack/people.yaml").write_text(PEOPLE)
    status, shown = person("approve", asked(agent)["approval"])

    assert (status, "asks role:lead, and you are dana with the roles: role:developer" in shown) == (1, True)


def test_an_answer_is_given_in_a_clone_of_its_repository(
    agent: Server, person: Answer, tmp_path: Path, ruled: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet", "-b", "main")
    (other / "a").write_text("a\n")
    commit_all(other)
    question = asked(agent)["approval"]

    for arguments in (("approve", question), ("--repo", "x", "approve", question)):
        status, shown = person(*arguments, cwd=other)
        assert (status, "go to a clone of it" in shown) == (1, True)


def test_the_gate_asks_takes_the_answer_for_that_head_and_asks_again_for_another(
    ruled: Path, agent: Server, person: Answer, loomstack: Run
) -> None:
    git(ruled, "checkout", "--quiet", "-b", "work")
    (ruled / "billing").mkdir()
    (ruled / "billing/a.py").write_text("price = 1\n")
    commit_all(ruled)
    early = agent.answer("check_policy", action="land", target="main")
    first = loomstack("gate", "--base", "main", "--json")
    words = loomstack("gate", "--base", "main")
    notice = loomstack("gate", "--base", "main", "--github").stdout
    question = json.loads(first.stdout)["approval"]
    status, shown = person("approve", question)
    taken, again = loomstack("gate", "--base", "main"), loomstack("gate", "--base", "main")
    (ruled / "billing/a.py").write_text("price = 2\n")
    commit_all(ruled)
    other = loomstack("gate", "--base", "main", "--json")

    assert (first.returncode, early["approval"]) == (3, question)
    assert (words.returncode, f"a person: loomstack-mcp approve {question}" in words.stdout) == (3, True)
    assert f"::notice title=approval::a person: loomstack-mcp approve {question}\n" in notice
    assert (status, "A billing/a.py +1 -0" in shown) == (0, True), shown
    assert (taken.returncode, "approved" in taken.stdout, again.returncode) == (0, True, 3)
    assert (other.returncode, json.loads(other.stdout)["approval"] != question) == (3, True)


def test_evidence_of_ci_counts_for_exactly_its_commit_and_a_failed_one_takes_it_back(
    ruled: Path, agent: Server, loomstack: Run
) -> None:
    git(ruled, "checkout", "--quiet", "-b", "work")
    (ruled / "web").mkdir()
    (ruled / "web/a.ts").write_text("export {}\n")
    commit_all(ruled)
    sha = git(ruled, "rev-parse", "HEAD")
    none = loomstack("gate", "--base", "main")
    added = json.loads(loomstack("evidence", "add", "--kind", "build", "--by", "dana-gh", "--json").stdout)
    same = [
        json.loads(loomstack("evidence", "add", "--kind", "scan", "--by", by, "--json").stdout)["by"]
        for by in (" dana-gh ", "DANA", "the scanner\n")
    ]
    built = loomstack("gate", "--base", "main")
    loomstack("evidence", "add", "--kind", "build", "--commit", sha[:8], "--by", "dana-gh", "--failed")
    failed = loomstack("gate", "--base", "main")
    refused = [
        loomstack("evidence", "add", "--kind", "build", "--by", "ci", CLAUDECODE="1"),
        loomstack("evidence", "add", "--kind", "build"),
        loomstack("evidence", "add", "--kind", "build", "--commit", "nowhere", "--by", "ci"),
    ]

    assert (added["commit"], added["by"], added["passed"]) == (sha, "dana", True)
    assert same == ["dana", "dana", "the scanner"]
    assert [one.returncode for one in (none, built, failed)] == [2, 0, 2]
    assert "0 of 1 build passed on exactly this commit; failed by dana" in failed.stdout
    assert [one.returncode for one in refused] == [1, 1, 1]
    assert [
        next(part for part in ("CLAUDECODE is set", "pass --by NAME", "is no commit here") if part in one.stderr)
        for one in refused
    ] == ["CLAUDECODE is set", "pass --by NAME", "is no commit here"]


def test_the_check_finds_approvers_whom_nobody_is(ruled: Path, loomstack: Run) -> None:
    fine = loomstack("policy", "check")
    (ruled / "policies/shop.yaml").write_text(RULES.replace('by: ["role:lead"]}', 'by: ["role:leed", chen], count: 2}'))
    wrong = loomstack("policy", "check")
    (ruled / ".loomstack/people.yaml").unlink()
    hinted = loomstack("policy", "check")
    (ruled / "policies/shop.yaml").write_text(RULES.replace("role:lead", "developer"))
    bare = loomstack("policy", "check")

    assert (fine.returncode, wrong.returncode) == (0, 1), fine.stdout
    for name in ("role:leed", "chen"):
        assert (
            f"two-for-core: may be approved by {name}, and .loomstack/people.yaml knows nobody of that" in wrong.stdout
        )
    assert "two-for-core: wants 2 of role:leed, chen; .loomstack/people.yaml knows 0" in wrong.stdout
    assert hinted.returncode == 0
    assert "hint: policies/shop.yaml:4: billing-asks: asks role:lead: nobody has one of these roles" in hinted.stdout
    assert bare.returncode == 1
    assert "by developer, which is no person: for the role write role:developer" in bare.stdout


def test_a_file_of_people_that_does_not_load_lands_nowhere(ruled: Path, loomstack: Run) -> None:
    git(ruled, "checkout", "--quiet", "-b", "work")
    (ruled / ".loomstack/people.yaml").write_text(PEOPLE + "  chen:\n    users: [DANA-GH]\n")
    commit_all(ruled)
    gate = loomstack("gate", "--base", "main", "--actor", "dana")
    check = loomstack("policy", "check")

    told = ".loomstack/people.yaml:8: people.chen.users: DANA-GH is dana already; one name is one person's"
    assert (gate.returncode, told in gate.stdout) == (2, True), gate.stdout
    assert (check.returncode, told in check.stderr) == (1, True)
