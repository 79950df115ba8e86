"""A fake OpenAI Responses API (SSE) on loopback (stdlib only), driven by a Script."""

from __future__ import annotations

import json

from .fake_model import NOT_FOUND, FakeModel
from .script import Ctx, Text, ToolResult


def flat_output(o) -> str:
    """function_call_output.output is a string or a list of content items."""
    if isinstance(o, str):
        return o
    if isinstance(o, list):
        return "\n".join(x.get("text", f"<{x.get('type')}>") for x in o)
    return json.dumps(o)


def tool_results(items) -> list[ToolResult]:
    calls, out = {}, []
    for it in items:
        t = it.get("type")
        if t in ("function_call", "custom_tool_call", "tool_search_call"):
            calls[it.get("call_id")] = it
        elif t in ("function_call_output", "custom_tool_call_output"):
            c = calls.get(it.get("call_id"), {})
            name = (f"{c['namespace']}." if c.get("namespace") else "") + c.get("name", "?")
            args = c.get("input") if c.get("type") == "custom_tool_call" else c.get("arguments")
            try:
                args = json.loads(args)
            except (TypeError, ValueError):
                pass
            out.append(ToolResult(it["call_id"], name, args, flat_output(it.get("output")), False, it.get("output")))
        elif t == "tool_search_output":
            c = calls.get(it.get("call_id"), {})
            out.append(
                ToolResult(it.get("call_id"), "tool_search", c.get("arguments"), json.dumps(it.get("tools")), False, it)
            )
    return out


def last_results(items) -> list[ToolResult]:
    i = len(items)
    while (
        i
        and items[i - 1].get("type") not in ("function_call", "custom_tool_call", "tool_search_call")
        and items[i - 1].get("role") != "assistant"
    ):
        i -= 1
    ids = {it.get("call_id") for it in items[i:]}
    return [r for r in tool_results(items) if r.id in ids]


def all_tools(req) -> dict[str, dict]:
    """name -> definition; tools of a namespace are 'namespace.name'.  Also the ones a request carries in its input
    (additional_tools items, tool_search_output)."""
    out = {}

    def add(tools):
        for t in tools or []:
            if t.get("type") == "namespace":
                for u in t.get("tools") or []:
                    out[f"{t['name']}.{u.get('name', u.get('type'))}"] = u
            else:
                out[t.get("name") or t.get("type")] = t

    add(req.get("tools"))
    for it in req.get("input") or []:
        if it.get("type") in ("additional_tools", "tool_search_output"):
            add(it.get("tools"))
    return out


def input_text(req, role=None) -> str:
    out = []
    for it in req.get("input") or []:
        if it.get("type", "message") == "message" and (role is None or it.get("role") == role):
            c = it.get("content")
            out.append(c if isinstance(c, str) else "\n".join(x.get("text", "") for x in c))
    return "\n".join(out)


class FakeOpenAI(FakeModel):
    """The Responses API."""

    def posted(self, path, body, record):
        if not path.endswith("/responses"):
            return NOT_FOUND
        lane = self.script.pick(body)
        record["lane"] = lane.name
        items = body.get("input") or []
        blocks = self.script.next(
            lane, lambda turn: Ctx(turn, lane.name, body, all_tools(body), last_results(items), tool_results(items))
        )
        record["reply"] = [block.__dict__ for block in blocks]
        return 200, sse(blocks, record["in_bytes"] // 4, len(self.requests)), "text/event-stream"


def item(b, i):
    if isinstance(b, Text):
        return {
            "type": "message",
            "role": "assistant",
            "id": f"msg_{i}",
            "status": "completed",
            "content": [{"type": "output_text", "text": b.text, "annotations": []}],
        }
    if b.name == "tool_search":
        return {
            "type": "tool_search_call",
            "id": f"ts_{i}",
            "call_id": b.id,
            "execution": "client",
            "status": "completed",
            "arguments": b.args,
        }
    if b.custom:
        d = {
            "type": "custom_tool_call",
            "id": f"ct_{i}",
            "call_id": b.id,
            "name": b.name,
            "status": "completed",
            "input": b.args if isinstance(b.args, str) else json.dumps(b.args),
        }
    else:
        d = {
            "type": "function_call",
            "id": f"fc_{i}",
            "call_id": b.id,
            "name": b.name,
            "status": "completed",
            "arguments": b.args if isinstance(b.args, str) else json.dumps(b.args),
        }
    if b.namespace:
        d["namespace"] = b.namespace
    return d


def sse(blocks, n_in, k) -> bytes:
    rid = f"resp_{k}"
    out = []

    def e(kind, **d):
        out.append(f"event: {kind}\ndata: {json.dumps({'type': kind, **d})}\n\n")

    e("response.created", response={"id": rid, "status": "in_progress", "output": []})
    items = []
    for i, b in enumerate(blocks):
        it = item(b, f"{k}_{i}")
        items.append(it)
        if isinstance(b, Text):
            e("response.output_item.added", output_index=i, item={**it, "status": "in_progress", "content": []})
            e("response.output_text.delta", output_index=i, content_index=0, item_id=it["id"], delta=b.text)
        else:
            e("response.output_item.added", output_index=i, item={**it, "status": "in_progress"})
        e("response.output_item.done", output_index=i, item=it)
    e(
        "response.completed",
        response={
            "id": rid,
            "status": "completed",
            "output": items,
            "usage": {
                "input_tokens": n_in,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 10,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": n_in + 10,
            },
        },
    )
    return "".join(out).encode()
