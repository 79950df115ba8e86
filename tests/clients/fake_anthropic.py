"""A fake Anthropic Messages API on loopback (stdlib only), driven by a Script."""

from __future__ import annotations

import json
import time

from .fake_model import NOT_FOUND, FakeModel
from .script import Call, Ctx, Text, ToolResult

JSON = "application/json"


def _flat(content) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    out = []
    for b in content:
        if b.get("type") == "text":
            out.append(b["text"])
        elif b.get("type") == "tool_reference":
            out.append(f"<tool_reference {b.get('tool_name')}>")
        else:
            out.append(f"<{b.get('type')}>")
    return "\n".join(out)


def tool_results(messages) -> list[ToolResult]:
    """All tool results in a Messages-API conversation, oldest first."""
    uses, out = {}, []
    for m in messages:
        if isinstance(m.get("content"), str):
            continue
        for b in m.get("content") or []:
            if b.get("type") == "tool_use":
                uses[b["id"]] = b
            elif b.get("type") == "tool_result":
                u = uses.get(b["tool_use_id"], {})
                out.append(
                    ToolResult(
                        b["tool_use_id"],
                        u.get("name", "?"),
                        u.get("input"),
                        _flat(b.get("content")),
                        bool(b.get("is_error")),
                        b.get("content"),
                    )
                )
    return out


def last_results(messages) -> list[ToolResult]:
    if not messages:
        return []
    ids = set()
    for m in reversed(messages):
        if m["role"] == "assistant":
            break
        if isinstance(m["content"], list):
            ids |= {b["tool_use_id"] for b in m["content"] if b.get("type") == "tool_result"}
    return [r for r in tool_results(messages) if r.id in ids]


def system_text(req) -> str:
    s = req.get("system") or ""
    return s if isinstance(s, str) else "\n".join(b.get("text", "") for b in s)


def user_text(req) -> str:
    out = []
    for m in req.get("messages", []):
        if m["role"] == "user":
            c = m["content"]
            out.append(c if isinstance(c, str) else "\n".join(b.get("text", "") for b in c if b.get("type") == "text"))
    return "\n".join(out)


class FakeAnthropic(FakeModel):
    """The Messages API."""

    def got(self, path):
        if path == "/v1/models":
            return 200, b'{"data": [], "has_more": false}', JSON
        return NOT_FOUND

    def posted(self, path, body, record):
        size = record["in_bytes"] // 4
        if path.endswith("/count_tokens"):
            return 200, json.dumps({"input_tokens": max(1, size)}).encode(), JSON
        if path != "/v1/messages":
            return NOT_FOUND
        blocks = self._blocks(body, record)
        record["reply"] = [block.__dict__ for block in blocks]
        model = body.get("model", "fake")
        if body.get("stream"):
            return 200, sse(model, blocks, size), "text/event-stream"
        return 200, json.dumps(message(model, blocks, size)).encode(), JSON

    def _blocks(self, body, record):
        canned = default_side(body)
        if canned is not None:
            record["lane"] = "side"
            return [Text(canned)]
        lane = self.script.pick(body)
        record["lane"] = lane.name
        messages, tools = body["messages"], {t.get("name", t.get("type")): t for t in body.get("tools") or []}
        return self.script.next(
            lane, lambda turn: Ctx(turn, lane.name, body, tools, last_results(messages), tool_results(messages))
        )


def default_side(body) -> str | None:
    """Requests the CLI makes besides the conversation (titles, quota probes): canned reply, not the script."""
    if body.get("max_tokens") == 1:
        return "ok"
    sysm = system_text(body)
    if not body.get("tools") and ("title" in sysm.lower() and "json" in sysm.lower()):
        return '{"title": "fake session"}'
    return None


def message(model, blocks, n_in):
    content = []
    for b in blocks:
        if isinstance(b, Text):
            content.append({"type": "text", "text": b.text})
        else:
            content.append({"type": "tool_use", "id": b.id, "name": b.name, "input": b.args})
    stop = "tool_use" if any(isinstance(b, Call) for b in blocks) else "end_turn"
    return {
        "id": f"msg_{time.time_ns()}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": n_in,
            "output_tokens": 10,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def sse(model, blocks, n_in) -> bytes:
    m = message(model, blocks, n_in)
    ev = []

    def e(kind, **d):
        ev.append(f"event: {kind}\ndata: {json.dumps({'type': kind, **d})}\n\n")

    e("message_start", message={**m, "content": [], "stop_reason": None, "usage": {**m["usage"], "output_tokens": 1}})
    for i, c in enumerate(m["content"]):
        if c["type"] == "text":
            e("content_block_start", index=i, content_block={"type": "text", "text": ""})
            e("content_block_delta", index=i, delta={"type": "text_delta", "text": c["text"]})
        else:
            e("content_block_start", index=i, content_block={**c, "input": {}})
            e(
                "content_block_delta",
                index=i,
                delta={"type": "input_json_delta", "partial_json": json.dumps(c["input"])},
            )
        e("content_block_stop", index=i)
    e("message_delta", delta={"stop_reason": m["stop_reason"], "stop_sequence": None}, usage={"output_tokens": 10})
    e("message_stop")
    return "".join(ev).encode()
