"""A fake Anthropic Messages API on loopback, played back from a Script."""

import json
import time
from collections.abc import Sequence
from itertools import takewhile

from tests.clients.fake_model import NOT_FOUND, FakeModel, Reply, event
from tests.clients.script import Block, Call, Json, Moment, Text, ToolResult

_JSON = "application/json"


class FakeAnthropic(FakeModel):
    """The Messages API."""

    def got(self, path: str) -> Reply:
        if path == "/v1/models":
            return 200, b'{"data": [], "has_more": false}', _JSON
        return NOT_FOUND

    def posted(self, path: str, body: Json, record: Json) -> Reply:
        tokens = record["in_bytes"] // 4
        if path.endswith("/count_tokens"):
            return 200, json.dumps({"input_tokens": max(1, tokens)}).encode(), _JSON
        if path != "/v1/messages":
            return NOT_FOUND
        message = _message(body.get("model", "fake"), self._blocks(body, record), tokens)
        if body.get("stream"):
            return 200, _stream(message), "text/event-stream"
        return 200, json.dumps(message).encode(), _JSON

    def _blocks(self, body: Json, record: Json) -> list[Block]:
        aside = _aside(body)
        if aside is not None:
            record["lane"] = "side"
            return [Text(aside)]
        lane = self.script.lane(body)
        record["lane"] = lane.name
        messages = body["messages"]
        return self.script.next_blocks(
            lane,
            lambda turn: Moment(
                turn=turn, lane=lane.name, request=body, tools=tools_sent(body),
                results=_last_results(messages), all_results=tool_results(messages),
            ),
        )  # fmt: skip


def tools_sent(request: Json) -> dict[str, Json]:
    """Definitions by name; what the API itself offers has a type alone."""
    return {tool.get("name", tool.get("type")): tool for tool in request.get("tools") or []}


def tool_results(messages: Sequence[Json]) -> list[ToolResult]:
    """All tool results of a conversation, oldest first."""
    calls: dict[str, Json] = {}
    results = []
    for block in (block for message in messages for block in _content(message)):
        if block.get("type") == "tool_use":
            calls[block["id"]] = block
        elif block.get("type") == "tool_result":
            called = calls.get(block["tool_use_id"], {})
            results.append(
                ToolResult(
                    id=block["tool_use_id"], name=called.get("name", "?"), arguments=called.get("input"),
                    text=_shown(block.get("content")), is_error=bool(block.get("is_error")), raw=block.get("content"),
                )
            )  # fmt: skip
    return results


def _last_results(messages: Sequence[Json]) -> list[ToolResult]:
    new = takewhile(lambda message: message["role"] != "assistant", reversed(messages))
    ids = {block.get("tool_use_id") for message in new for block in _content(message)}
    return [result for result in tool_results(messages) if result.id in ids]


def _content(message: Json) -> list[Json]:
    """The blocks of a message; none where it is a text."""
    content = message.get("content")
    return content if isinstance(content, list) else []


def _shown(content: str | list[Json] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(_block_shown(block) for block in content)


def _block_shown(block: Json) -> str:
    kind = block.get("type")
    if kind == "tool_reference":
        return f"<tool_reference {block.get('tool_name')}>"
    return str(block["text"]) if kind == "text" else f"<{kind}>"


def _aside(request: Json) -> str | None:
    """What the client asks besides the conversation, a title or a quota, has its answer here; else None."""
    if request.get("max_tokens") == 1:
        return "ok"
    system = request.get("system") or ""
    words = (system if isinstance(system, str) else "\n".join(block.get("text", "") for block in system)).lower()
    if not request.get("tools") and "title" in words and "json" in words:
        return '{"title": "fake session"}'
    return None


def _message(model: str, blocks: Sequence[Block], input_tokens: int) -> Json:
    return {
        "id": f"msg_{time.time_ns()}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [_block_sent(block) for block in blocks],
        "stop_reason": "tool_use" if any(isinstance(block, Call) for block in blocks) else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": input_tokens,
            "output_tokens": 10,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _block_sent(block: Block) -> Json:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text}
    return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.arguments}


def _stream(message: Json) -> bytes:
    """The message as events."""
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    events = [event("message_start", message=begun)]
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty: Json = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        events += [
            event("content_block_start", index=index, content_block=empty),
            event("content_block_delta", index=index, delta=delta),
            event("content_block_stop", index=index),
        ]
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events += [event("message_delta", delta=stop, usage={"output_tokens": 10}), event("message_stop")]
    return "".join(events).encode()
