"""The tools over a real server: what a model is sent, shown and told when it is wrong."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import commit_all, git
from tests.wire import Server

TOOLS = [
    "start_run",
    "read_shared_context",
    "share_context",
    "claim_paths",
    "release_paths",
    "check_policy",
    "check_conflicts",
    "record_outcome",
    "trace_change",
]
UP_FRONT = {"start_run", "read_shared_context", "claim_paths", "check_policy"}


def tokens(value: object) -> float:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) / 4


def definitions(server: Server) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = server.request("tools/list")["result"]["tools"]
    return listed


def test_the_definitions_are_small_and_annotated(serve: Callable[..., Server]) -> None:
    listed = definitions(serve())
    sent = [{"name": t["name"], "description": t["description"], "input_schema": t["inputSchema"]} for t in listed]

    assert [tool["name"] for tool in listed] == [*TOOLS, "guard"]
    assert (tokens(sent[:8]) <= 1400, tokens(sent[-1]) <= 120, tokens(sent) <= 2000) == (True, True, True)
    assert [word for word in ("anyOf", "null", "title") if f'"{word}"' in json.dumps(sent)] == []
    for tool in listed:
        assert len(tool["annotations"]) == 4, tool["name"]
        assert tool["annotations"]["readOnlyHint"] == (
            tool["name"] in ("read_shared_context", "check_policy", "check_conflicts", "trace_change")
        )
        assert tool["annotations"]["destructiveHint"] is False
        assert tool["annotations"]["openWorldHint"] is False
        assert bool(tool.get("_meta")) == (tool["name"] in UP_FRONT)
        assert tool["outputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert "title" not in json.dumps(tool["inputSchema"])


def test_the_instructions_stand_alone_in_their_first_line(serve: Callable[..., Server]) -> None:
    instructions = serve(initialize=False).initialize()["result"]["instructions"]

    assert len(instructions) <= 600
    assert len(instructions.splitlines()[0]) <= 240
    for word in ("start_run", "claim_paths", "check_conflicts", "record_outcome"):
        assert word in instructions.splitlines()[0]


def test_the_story_of_two_loops(serve: Callable[..., Server], shop: Path) -> None:
    sha = git(shop, "rev-parse", "HEAD")
    bea, ana = serve(), serve()
    bea.answer("start_run", loop="refactor", goal="net prices", paths=["src"])
    bea.answer("share_context", kind="intent", text="red on purpose", paths=["tests/test_a.py"])
    held = bea.answer("claim_paths", paths=["tests/test_a.py"], intent="net prices")
    started = ana.answer("start_run", loop="triage", goal="green", paths=["tests"])
    refused = ana.answer("claim_paths", paths=["tests"], intent="fix")
    elsewhere = ana.answer("claim_paths", paths=["README.md"], intent="docs")
    done = bea.answer("record_outcome", status="done", summary="net", checks={"passed": 8}, commits=[sha[:12]])
    told = ana.answer("read_shared_context", paths=["tests"])
    granted = ana.answer("claim_paths", paths=["tests"], intent="fix")

    assert started["briefing"]["notes"][0]["text"] == "red on purpose"
    assert started["briefing"]["claims"][0]["claim"] == held["claim"]
    assert started["warnings"][0]["text"] == "red on purpose"
    assert set(refused) == {"granted", "blockers", "instead"}
    assert set(refused["blockers"][0]) == {"path", "claim", "run", "loop", "who", "intent", "expires_in_s"}
    assert elsewhere["granted"]
    assert done["released"] == [held["claim"]]
    assert done["next"]["action"] == "stop"
    assert [alert["kind"] for alert in told["alerts"]] == ["freed"]
    assert told["changes"][0]["commits"] == [sha[:12]]
    assert granted["granted"]
    assert granted["fence"] > elsewhere["fence"]


def test_a_refusal_stays_within_its_tokens_whoever_holds_what(serve: Callable[..., Server]) -> None:
    for number in range(4):
        holder = serve()
        holder.answer("start_run", loop="a-loop-with-a-long-name" * 3, goal="goal")
        paths = [f"src/folder/{number}/a-rather-long-name-of-a-file-{at}.py" for at in range(20)]
        holder.answer("claim_paths", paths=paths, intent="because " * 60)
    asking = serve()
    asking.answer("start_run", loop="loop", goal="goal")
    refused = asking.answer("claim_paths", paths=["src"], intent="all of it", wait_seconds=1)

    assert tokens(refused) <= 200
    assert refused["position"] == 1
    assert refused["more"] >= 1


def test_the_structured_answer_stands_alone_and_the_text_says_the_same(serve: Callable[..., Server]) -> None:
    result = serve().call("start_run", {"loop": "loop", "goal": "goal"})

    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    assert "alerts" not in result["structuredContent"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("claim_paths", {"run": "run_NONE", "paths": ["src"], "intent": "x"}, "not_found: run run_NONE"),
        ("claim_paths", {"paths": ["/etc/passwd"], "intent": "x"}, "outside the repository"),
        ("claim_paths", {"paths": ["../x"], "intent": "x"}, "leaves the repository"),
        ("claim_paths", {"paths": ["src/["], "intent": "x"}, "is not closed"),
        ("claim_paths", {"paths": [], "intent": "x"}, "invalid: the number of paths is 0"),
        ("claim_paths", {"paths": ["src"], "intent": ""}, "intent is empty"),
        ("claim_paths", {"paths": ["src"], "intent": "x" * 501}, "limit_exceeded"),
        ("claim_paths", {"paths": ["src"], "intent": "x", "mode": "greedy"}, "mode"),
        ("claim_paths", {"paths": ["src"], "intent": "x", "wait_seconds": 46}, "wait_seconds is 46"),
        ("claim_paths", {"paths": ["src"], "intent": "x", "minutes": 0}, "minutes"),
        ("claim_paths", {"paths": ["src"], "intent": "x", "force": True}, "force: Extra inputs"),
        ("claim_paths", {"paths": "src", "intent": "x"}, "paths: Input should be a valid list"),
        ("share_context", {"kind": "fact", "text": "x" * 2001}, "limit_exceeded: text has 2001"),
        ("share_context", {"kind": "rumour", "text": "x"}, "kind"),
        ("share_context", {"kind": "fact", "text": "ghp_" + "a" * 36}, "shows a GitHub token"),
        ("release_paths", {"claims": ["claim_NONE"]}, "not_found: claim claim_NONE"),
        ("record_outcome", {"status": "passed", "summary": "x", "checks": {"failed": 6}}, "6 failed checks"),
        ("record_outcome", {"status": "passed", "summary": "x", "role": "checker"}, "checks no run"),
        ("read_shared_context", {"budget_tokens": 9_999_999}, "budget_tokens"),
        ("start_run", {"loop": "l", "goal": "g", "checks_run": "run_NONE"}, "not_found"),
        ("start_run", {"loop": "l", "goal": "g", "repo": "no repo"}, "no name of a repository"),
        ("start_run", {"goal": "g"}, "loop: Field required"),
        ("nonsense", {}, "Unknown tool"),
    ],
)
def test_wrong_calls_are_told_what_happened_and_what_to_do(
    serve: Callable[..., Server], tool: str, arguments: dict[str, Any], words: str
) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    try:
        text = server.error(tool, **arguments)
    except RuntimeError as refused:
        text = str(refused)

    assert words in text
    assert len(text) <= 400
    assert "pydantic" not in text
    assert "Traceback" not in text + server.whole_stderr()


def test_text_that_looks_like_json_stays_text(serve: Callable[..., Server]) -> None:
    server = serve()
    server.answer("start_run", loop="null", goal='{"a": 1}')
    for text in ('{"a": 1}', "null", "[1, 2]", "123", '"quoted"'):
        server.answer("share_context", kind="fact", text=text)
    texts = [note["text"] for note in server.answer("read_shared_context")["notes"]]

    assert texts == ['"quoted"', "123", "[1, 2]", "null", '{"a": 1}']


def test_paths_mean_what_they_name_on_disk(serve: Callable[..., Server], shop: Path) -> None:
    ana, bea = serve(), serve()
    for server in (ana, bea):
        server.answer("start_run", loop="loop", goal="goal")
    ana.answer("claim_paths", paths=["app/[id]/page.tsx", str(shop / "src"), "./src//../README.md"], intent="x")

    assert bea.answer("claim_paths", paths=["app/i/page.tsx"], intent="x")["granted"]
    for path in ("app/[id]/page.tsx", "src/a.py", "src/new/er.py", "README.md", "**/*.tsx"):
        assert not bea.answer("claim_paths", paths=[path], intent="x")["granted"], path


def test_worktrees_and_clones_are_one_repository_and_forks_are_not(
    serve: Callable[..., Server], shop: Path, tmp_path: Path
) -> None:
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "with space ü"))
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    git(tmp_path, "clone", "--quiet", str(shop), "fork")
    git(tmp_path / "fork", "remote", "set-url", "origin", "https://github.com/fork/shop")
    serve().answer("start_run", loop="first", goal="goal")
    seen = {
        name: len(serve(cwd=tmp_path / name).answer("start_run", loop="loop", goal="goal")["briefing"].get("runs", []))
        for name in ("with space ü", "clone", "fork")
    }

    assert seen == {"with space ü": 1, "clone": 2, "fork": 0}


def test_a_repository_without_commits_works_and_keeps_its_runs_when_it_gets_some(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    serve(cwd=empty).answer("start_run", loop="before", goal="goal")
    commit_all(empty)
    after = serve(cwd=empty).answer("start_run", loop="after", goal="goal")

    assert [run["who"].split("@")[0] for run in after["briefing"]["runs"]] == ["before"]


def test_outside_of_git_a_repo_must_be_named(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    server = serve(cwd=tmp_path / "plain")

    assert "no git worktree" in server.error("start_run", loop="loop", goal="goal")
    assert server.answer("start_run", loop="loop", goal="goal", repo="git@github.com:acme/shop.git")["run"]
    assert server.answer("claim_paths", paths=["src"], intent="x")["granted"]


def test_codex_threads_are_told_apart_and_their_children_share_the_parents_claims(serve: Callable[..., Server]) -> None:
    def codex(server: Server, thread: str, tool: str, **arguments: Any) -> dict[str, Any]:
        meta = {"threadId": thread, "sessionId": "root", "x-codex-turn-metadata": {"parent_thread_id": "root"}}
        result: dict[str, Any] = server.call(tool, arguments, meta=meta)["structuredContent"]
        return result

    main, child = serve(), serve()
    parent = codex(main, "root", "start_run", loop="loop", goal="goal")["run"]
    codex(main, "root", "claim_paths", paths=["src"], intent="x")
    codex(child, "sub-1", "start_run", loop="loop", goal="part")

    assert codex(child, "sub-1", "claim_paths", paths=["src/a.py"], intent="part")["granted"]
    refused = child.call("release_paths", {"run": parent}, meta={"threadId": "sub-1", "sessionId": "root"})
    assert "unauthorized" in refused["content"][0]["text"]


def test_a_server_that_its_client_starts_anew_goes_on_with_the_run(serve: Callable[..., Server]) -> None:
    first = serve(CLAUDE_CODE_SESSION_ID="abc")
    run = first.answer("start_run", loop="loop", goal="goal")["run"]
    claim = first.answer("claim_paths", paths=["src/"], intent="mine")["claim"]
    beside_it = serve(CLAUDE_CODE_SESSION_ID="abc").answer("start_run", loop="loop", goal="goal")
    first.process.kill()
    first.process.wait()
    again = serve(CLAUDE_CODE_SESSION_ID="abc")
    found = again.answer("start_run", loop="loop", goal="goal")

    assert (beside_it["resumed"], found["resumed"], found["run"]) == (False, True, run)
    assert again.answer("claim_paths", run=run, paths=["src/"], intent="mine")["claim"] == claim


def test_a_claude_session_is_known_by_its_id_across_restarts(serve: Callable[..., Server]) -> None:
    first = serve(CLAUDE_CODE_SESSION_ID="abc").answer("start_run", loop="loop", goal="goal", key="k")
    again = serve(CLAUDE_CODE_SESSION_ID="abc").answer("start_run", loop="loop", goal="goal", key="k")
    other = serve(CLAUDE_CODE_SESSION_ID="xyz").error("start_run", loop="loop", goal="goal", key="k")

    assert (again["run"], again["resumed"]) == (first["run"], True)
    assert "another session" in other


def test_a_model_may_read_from_another_callers_run_but_not_act_for_it(serve: Callable[..., Server]) -> None:
    ana, bea = serve(), serve()
    run = ana.answer("start_run", loop="loop", goal="goal", paths=["src"])["run"]
    bea.answer("start_run", loop="loop", goal="goal")

    assert bea.answer("read_shared_context", run=run)["cursor"]
    for tool, arguments in (
        ("claim_paths", {"paths": ["x.py"], "intent": "x"}),
        ("share_context", {"kind": "fact", "text": "x"}),
        ("record_outcome", {"status": "done", "summary": "x"}),
    ):
        assert "unauthorized" in bea.error(tool, run=run, **arguments)


@pytest.mark.parametrize(
    ("store", "words"),
    [("folder", "is no file"), ("garbage", "no SQLite database"), ("foreign", "another program"),
     ("/dev/null/x", "store_unavailable")],
)  # fmt: skip
def test_a_bad_store_is_named_and_the_server_goes_on(
    serve: Callable[..., Server], tmp_path: Path, store: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_bytes(b"garbage" * 999)
    sqlite3.connect(tmp_path / "foreign").execute("CREATE TABLE t (a)")
    named = store if "/" in store else str(tmp_path / store)
    server = serve(LOOMSTACK_STORE=f"sqlite:///{named}")

    for _ in range(2):
        assert words in server.error("start_run", loop="loop", goal="goal")
    assert "Traceback" not in server.whole_stderr()


def test_a_locked_store_is_answered_within_five_seconds(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    other = sqlite3.connect(tmp_path / "loomstack" / "loom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    text = server.call("claim_paths", {"paths": ["src"], "intent": "x"}, quiet_s=5)["content"][0]["text"]
    assert "store_unavailable" in text
    assert "another program" in text
    other.execute("ROLLBACK")
    assert server.answer("claim_paths", paths=["src"], intent="x")["granted"]


def test_prompts_and_resources_are_offered(serve: Callable[..., Server]) -> None:
    server = serve()
    run = server.answer("start_run", loop="loop", goal="goal")["run"]
    server.answer("claim_paths", paths=["src"], intent="x")

    def read(uri: str) -> Any:
        return json.loads(server.request("resources/read", {"uri": uri})["result"]["contents"][0]["text"])

    assert [prompt["name"] for prompt in server.request("prompts/list")["result"]["prompts"]] == [
        "loop",
        "triage",
        "handoff",
    ]
    assert "start_run" in str(server.request("prompts/get", {"name": "loop", "arguments": {"name": "n", "goal": "g"}}))
    assert read("loom://runs")[0]["run"] == run
    assert read("loom://claims")[0]["paths"] == ["src/"]
    assert read(f"loom://runs/{run}")["claims"][0]["intent"] == "x"
    assert "error" in server.request("resources/read", {"uri": "loom://runs/run_NONE"})


def test_a_person_of_another_name_in_the_environment_is_not_believed(serve: Callable[..., Server]) -> None:
    server = serve(USER="mallory", LOGNAME="mallory")
    server.answer("start_run", loop="loop", goal="goal")
    text = server.request("resources/read", {"uri": "loom://runs"})["result"]["contents"][0]["text"]

    assert "mallory" not in text
    assert os.getuid() >= 0


def test_listeners_hear_which_resources_changed(serve: Callable[..., Server]) -> None:
    listening, working = serve(initialize=False), serve()
    listening.modern_era = True
    wanted = {"resourceSubscriptions": ["loom://runs", "loom://claims"]}
    listening.start("subscriptions/listen", {"notifications": wanted})
    assert listening.notification()["method"].endswith("acknowledged")
    at_first = [listening.notification()["params"]["uri"] for _ in range(2)]
    run = working.answer("start_run", loop="loop", goal="goal")["run"]
    heard = [listening.notification()["params"]["uri"]]
    working.answer("claim_paths", paths=["src"], intent="mine")
    heard.append(listening.notification()["params"]["uri"])

    assert run
    assert at_first == heard == ["loom://runs", "loom://claims"]
