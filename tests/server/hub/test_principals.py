"""MCP by token: whose run it is, which tools there are, and that nothing of another repository is told."""

import json
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.errors import Unauthorized
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.principals import acting_principal, loom_as_opened
from loomstack_mcp.server.resources import LISTS
from loomstack_mcp.server.sdk.bus import Bus, ListenerNews
from tests.factories import ANA, BEA, SHOP
from tests.hubs import ADMIN, Hub, made_token
from tests.services.support import started
from tests.wire import MODERN

META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
TOOLS = ["start_run", "read_shared_context", "share_context", "claim_paths", "release_paths", "check_policy",
         "check_conflicts", "record_outcome", "trace_change"]  # fmt: skip


def sent(
    hub: Hub, token: str, method: str, *, named: str = "", meta: dict[str, str] | None = None, **params: Any
) -> Any:
    headers = {"Mcp-Method": method, **({"Mcp-Name": named} if named else {}), "MCP-Protocol-Version": MODERN}
    headers |= {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": {**META, **(meta or {})}}}
    answer = hub.send("/mcp", body, token=token, **headers)
    assert answer.status == 200 or "not_found" in answer.text
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    found = json.loads(lines[-1] if lines else answer.text)
    return found.get("result", found)


def called(hub: Hub, token: str, tool: str, *, thread: str = "t1", **arguments: Any) -> Any:
    return sent(hub, token, "tools/call", named=tool, meta={"threadId": thread}, name=tool, arguments=arguments)


def read(hub: Hub, token: str, uri: str) -> Any:
    found = sent(hub, token, "resources/read", named=uri, uri=uri)
    return json.loads(found["contents"][0]["text"]) if "contents" in found else found


@pytest.fixture(scope="module")
def tokens(home: Path, hub: Hub) -> dict[str, str]:
    return {
        "ana": made_token(home, "ana", "agent", ("github.com/acme/*",)),
        "bea": made_token(home, "bea", "agent", ("github.com/zoo/*",)),
        "eve": made_token(home, "eve", "viewer", ("github.com/acme/*",)),
    }


@pytest.fixture(scope="module")
def runs(hub: Hub, tokens: dict[str, str]) -> dict[str, str]:
    """Ana's and Bea's, whose clients gave their sessions one name."""
    asked = {"ana": "github.com/acme/shop", "bea": "github.com/zoo/cage"}
    found = {}
    for who, repo in asked.items():
        answer = called(hub, tokens[who], "start_run", loop="loop", goal=f"secret of {who}", repo=repo)
        found[who] = answer["structuredContent"]["run"]
        called(hub, tokens[who], "share_context", kind="fact", text=f"zebra of {who}")
    return found


def test_a_run_is_the_tokens_owners(hub: Hub, tokens: dict[str, str], runs: dict[str, str]) -> None:
    listed = read(hub, tokens["ana"], "loom://runs")

    assert [(one["run"], one["who"], one["repo"]) for one in listed] == [(runs["ana"], "ana", "github.com/acme/shop")]


def test_sessions_of_one_name_are_each_their_owners(hub: Hub, tokens: dict[str, str], runs: dict[str, str]) -> None:
    for who in ("ana", "bea"):
        claimed = called(hub, tokens[who], "claim_paths", paths=["src/a.py"], intent="mine")["structuredContent"]
        assert claimed["granted"] is True
    refused = called(hub, tokens["bea"], "release_paths", run=runs["ana"])

    assert (refused["isError"], f"run {runs['ana']} is unknown" in str(refused)) == (True, True)


def test_nothing_of_another_repository_is_told(hub: Hub, tokens: dict[str, str], runs: dict[str, str]) -> None:
    ana = tokens["ana"]
    told = [
        *(read(hub, ana, f"loom://{name}") for name in ("runs", "claims", "activity")),
        *(called(hub, ana, "read_shared_context", **more) for more in ({}, {"query": "zebra"}, {"since": 1})),
    ]
    unknown = [str(read(hub, ana, f"loom://runs/{run}")).replace(run, "RUN") for run in (runs["bea"], "run_ZZZZZZZZ")]
    looked = [
        str(called(hub, ana, "read_shared_context", run=run)).replace(run, "RUN")
        for run in (runs["bea"], "run_ZZZZZZZZ")
    ]

    assert "of ana" in str(told)
    assert "of bea" not in str(told)
    assert unknown[0] == unknown[1]
    assert looked[0] == looked[1]


def test_tools_are_listed_by_role_in_one_order(hub: Hub, tokens: dict[str, str]) -> None:
    listed = {who: [tool["name"] for tool in sent(hub, tokens[who], "tools/list")["tools"]] for who in ("ana", "eve")}

    assert listed == {"ana": TOOLS, "eve": ["read_shared_context"]}


def test_a_viewer_reads_and_does_no_more(hub: Hub, tokens: dict[str, str], runs: dict[str, str]) -> None:
    eve = tokens["eve"]
    context = called(hub, eve, "read_shared_context", run=runs["ana"])
    others = [called(hub, eve, name) for name in ("start_run", "claim_paths", "guard")]

    assert "zebra of ana" in str(context)
    assert [one["isError"] for one in others] == [True, True, True]
    assert "no tool for this token" in str(called(hub, eve, "release_paths"))


async def test_whoever_listens_hears_of_what_their_token_opens(loom: Loom) -> None:
    started(loom, ANA)
    bus = Bus(Face(Here(None, {}, elsewhere=""), loom_as_opened(loom)))
    heard: dict[str, list[str]] = {"ana": [], "bea": []}
    looks = ListenerNews(bus._face)
    opened = {name: copy_context() for name in heard}

    def listen(name: str) -> None:
        def hear(event: ServerEvent) -> None:
            assert isinstance(event, ResourceUpdated)
            heard[name].append(event.uri)

        text = loom.tokens.create(ADMIN, owner=name, role="agent", repos=[f"github.com/{name}/*"]).text
        acting_principal.set(loom.tokens.checked(text))
        bus.subscribe(hear)

    async def looked() -> dict[str, list[str]]:
        await bus.look(looks)
        found = {name: [*told] for name, told in heard.items()}
        for told in heard.values():
            told.clear()
        return found

    for name, context in opened.items():
        context.run(listen, name)
    first = await looked()
    run = started(loom, BEA, Checkout(identity="github.com/bea/cage"))

    second = await looked()
    loom.tokens.revoke(ADMIN, next(one.id for one in loom.tokens.listed(ADMIN)[0] if one.principal == "bea"))
    started(loom, BEA, Checkout(identity="github.com/bea/cage"))

    assert first == {"ana": [*LISTS], "bea": [*LISTS]}
    assert second == {"ana": [], "bea": ["loom://activity", "loom://runs", f"loom://runs/{run.id}"]}
    assert await looked() == {"ana": [], "bea": []}


def test_without_a_token_no_service_is_there(loom: Loom) -> None:
    with pytest.raises(Unauthorized, match="no token came"):
        loom_as_opened(loom).repos.id_of(SHOP)
