"""What a server tells a collector of its calls, and that it serves on where there is none."""

from collections.abc import Callable
from pathlib import Path

from loomstack_mcp.adapters.hub_joining import join_hub
from loomstack_mcp.core.trace_context import run_trace
from tests.collector import collector
from tests.conftest import Run, commit_all
from tests.deadlines import seconds, wait_until
from tests.hubs import running_hub
from tests.wire import Server

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SERVER = 2
"""The kind of a span, as OTLP has it."""
Serve = Callable[..., Server]


def test_a_run_s_calls_are_one_trace_with_what_the_store_did_and_no_words(serve: Serve) -> None:
    with collector() as found:
        server = serve(LOOMSTACK_OTLP_ENDPOINT=found.url, LOOMSTACK_OTLP_HEADERS="x-key=s3cret")
        run = server.answer("start_run", loop="triage", goal="a secret goal")["run"]
        server.answer("claim_paths", paths=["src/a.py"], intent="a secret intent")
        server.answer("check_policy", action="edit", paths=["src/a.py"])
        server.error("claim_paths", run="run_XXXXXXXX", paths=["a"], intent="x")
        check = server.answer("start_run", loop="check", goal="a secret check", checks_run=run)["run"]
        counts = {"passed": 8}
        server.answer("record_outcome", run=check, status="passed", summary="secret", role="checker", checks=counts)
        server.answer("record_outcome", run=run, status="done", summary="a secret summary", checks=counts)
        whole = found.span("invoke_workflow triage")
        for _ in range(20):  # at its end a session waits no longer than 0.4 s, which may be too short on a busy machine
            server.close_stdin()
            server.process.wait(seconds(10))
            if "mcp.server.session.duration" in found.metrics:
                break
            server = serve(LOOMSTACK_OTLP_ENDPOINT=found.url)
            server.error("release_paths")
        metrics = found.metrics
        told = repr(found.bodies)
        spans = found.spans

    own = run_trace(run)
    calls = [span for span in spans if span["name"].startswith("tools/call")]
    of_run = [span for span in calls if span["parent"] == whole["id"]]
    by_outcome = {span["attributes"].get("loomstack.claim.outcome"): span for span in of_run}
    [failed] = [span for span in calls if span["failed"]]
    [verdict] = [span["events"] for span in calls if span["events"]]
    assert (whole["id"], whole["trace"], whole["parent"]) == (f"{own.span_id:016x}", f"{own.trace_id:032x}", "")
    assert [span["name"].split()[1] for span in of_run] == [
        "start_run",
        "claim_paths",
        "check_policy",
        "record_outcome",
    ]
    assert {span["name"] for span in spans if span["parent"] == of_run[0]["id"]} == {"store read", "store write"}
    assert whole["attributes"]["gen_ai.operation.name"] == "invoke_workflow"
    assert whole["attributes"]["loomstack.run.status"] == "done"
    assert by_outcome["granted"]["attributes"]["loomstack.claim.pattern"] == ["src/a.py"]
    assert by_outcome["granted"]["attributes"]["network.transport"] == "pipe"
    assert failed["attributes"]["error.type"] == "tool_error"
    assert verdict["gen_ai.evaluation.result"]["gen_ai.evaluation.score.label"] == "pass"
    assert "secret" not in told.replace("s3cret", "")
    assert all(headers["x-key"] == "s3cret" for _, headers, _ in found.bodies)
    assert sum(count for _, count in metrics["mcp.server.operation.duration"]) in (7, 1)
    assert metrics["loomstack.runs.finished"] == [({"loomstack.loop": "triage", "loomstack.run.status": "done"}, 1)]
    assert metrics["mcp.server.session.duration"][0][1] == 1


def test_a_call_joins_the_trace_that_its_meta_or_the_environment_names(serve: Serve) -> None:
    other = PARENT.replace("0af7", "1af7")
    with collector() as found:
        server = serve(LOOMSTACK_OTLP_ENDPOINT=found.url, TRACEPARENT=PARENT)
        meta = {"traceparent": other, "claudecode/toolUseId": "toolu_9"}
        server.call("start_run", {"loop": "a", "goal": "g"}, meta)
        server.answer("read_shared_context")
        by_meta, by_environment = found.span("tools/call start_run"), found.span("tools/call read_shared_context")

    assert (by_meta["trace"], by_meta["attributes"]["gen_ai.tool.call.id"]) == (other.split("-")[1], "toolu_9")
    assert (by_environment["trace"], by_environment["parent"]) == tuple(PARENT.split("-")[1:3])


def test_one_trace_spans_an_edge_and_its_hub(serve: Serve, tmp_path: Path) -> None:
    home = tmp_path / "hub"
    home.mkdir()
    with collector() as found, running_hub(home, LOOMSTACK_OTLP_ENDPOINT=found.url) as hub:
        token = (home / "loomstack" / "token").read_text().strip()
        join_hub(str(tmp_path / "loomstack"), f"http://127.0.0.1:{hub.port}", token=token)
        server = serve(fresh=True, LOOMSTACK_OTLP_ENDPOINT=found.url, TRACEPARENT=PARENT)
        server.answer("start_run", loop="triage", goal="g")
        there, here = found.span("runs.start"), found.span("tools/call start_run")
        below = [span for span in found.spans if span["parent"] == there["id"]]
        header = PARENT.replace("0af7", "2af7")
        arguments = {"loop": "b", "goal": "g", "repo": "github.com/acme/shop"}
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "start_run", "arguments": arguments},
        }
        told = {"Content_Type": "application/json", "Accept": "application/json, text/event-stream"}
        hub.send("/mcp", body, token=token, MCP_Protocol_Version="2025-11-25", traceparent=header, **told)
        wait_until(lambda: any(span["trace"] == header.split("-")[1] for span in found.spans), 10)
        over_mcp = next(
            span for span in found.spans if span["trace"] == header.split("-")[1] and span["kind"] == SERVER
        )

    assert (there["trace"], there["parent"]) == (here["trace"], here["id"])
    assert here["trace"] == PARENT.split("-")[1]
    assert {span["name"] for span in below} >= {"store write"}
    assert (over_mcp["name"], over_mcp["attributes"]["network.transport"]) == ("tools/call start_run", "tcp")


def test_a_collector_that_is_away_costs_nobody_anything(serve: Serve) -> None:
    server = serve(LOOMSTACK_OTLP_ENDPOINT="http://127.0.0.1:9")
    for _ in range(3):
        assert server.answer("start_run", loop="triage", goal="g")["run"]
    server.close_stdin()

    assert server.process.wait(seconds(2)) == 0


def test_what_happens_is_counted_and_a_deploy_is_told_by_its_command(serve: Serve, loomstack: Run, shop: Path) -> None:
    (shop / "a.py").write_text("x = 1\n")
    commit_all(shop)
    with collector() as found:
        ana, bea = (serve(LOOMSTACK_OTLP_ENDPOINT=found.url) for _ in range(2))
        for server, loop in ((ana, "a"), (bea, "b")):
            server.answer("start_run", loop=loop, goal="g")
        ana.answer("claim_paths", paths=["a.py"], intent="i")
        assert bea.answer("claim_paths", paths=["a.py"], intent="i", wait_seconds=1)["granted"] is False
        assert bea.answer("check_policy", action="command", command="git commit --no-verify")["effect"] == "deny"
        assert (
            bea.answer("record_outcome", status="failed", summary="s", checks={"failed": 1})["next"]["action"]
            == "retry"
        )
        ended = loomstack("deploy", "record", "--env", "prod", "--id", "b7", LOOMSTACK_OTLP_ENDPOINT=found.url)
        deployed, denied = found.span("deploy")["attributes"], found.span("tools/call check_policy")["attributes"]
        wait_until(lambda: "loomstack.rework.rounds" in found.metrics, 25)
        metrics = found.metrics

    assert ended.returncode == 0, ended.stderr
    assert (deployed["deployment.environment.name"], len(deployed["vcs.ref.head.revision"])) == ("prod", 40)
    assert (denied["loomstack.policy.outcome"], denied["loomstack.policy.rule"]) == ("deny", ["builtin.no-hook-bypass"])
    assert metrics["loomstack.policy.decisions"] == [
        ({"loomstack.policy.outcome": "deny", "loomstack.policy.point": "mcp"}, 1)
    ]
    kinds = {"loomstack.conflict.kind": "claim", "loomstack.conflict.verdict": "stop"}
    assert metrics["loomstack.claims.conflicts"] == [(kinds, 1)]
    assert metrics["loomstack.claims.wait"] == [({"loomstack.claim.outcome": "refused"}, 1)]
    assert metrics["loomstack.rework.rounds"] == [({}, 1)]
