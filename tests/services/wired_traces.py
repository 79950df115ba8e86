"""Deploys and traces, led over a wire: a part of the session in `test_records_only.py`."""

from dataclasses import replace
from typing import Any

from loomstack_mcp.core.deploys import DeployDraft
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.traces import TraceRef
from loomstack_mcp.edge.here import Here
from tests.factories import ANA


def wire_traces(found: Here, wired: Any, landed: str) -> None:
    checkout = found.checkout()
    repo_id = wired.repos.id_of(checkout)
    draft = DeployDraft(environment="production", sha=landed, called="1", kind="first", covers=1)
    deploy = wired.deploys.record(checkout, draft, who="ci").deploy
    wired.deploys.keep_commits(deploy.id, [landed], place=0, is_last=True)
    tag = wired.deploys.take_in_tag(checkout, replace(draft, called="v1", covers=0), who="ana", seen=deploy.id)
    assert wired.deploys.latest(repo_id, environment="production", limit=9)[0] == (
        tag.deploy,
        replace(deploy, whole=True),
    )
    assert wired.deploys.known_tags(checkout, ["v1", "v2"]) == (("production", "v1", landed),)
    [bea] = {one.run.id for one in wired.traces.kept_trace(repo_id, "deploy:1").runs} or {""}
    wanted = wired.traces.trace_wanted(repo_id, TraceRef(kind="deploy", text=deploy.id), asked="1")
    chain = wired.traces.chain(repo_id, wanted)
    assert [one.deploy.id for one in chain.deploys] == [deploy.id]
    assert wired.traces.landed(repo_id, within_ms=DAY_MS, limit=9)
    assert bea in [one.run.id for one in wired.traces.callers_trace(ANA, deploy.id).runs] or not bea
