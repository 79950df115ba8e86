"""A fake OpenAI Responses API on loopback, played back from a Script."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any

from tests.clients.fake_model import NOT_FOUND, FakeModel, Reply, event
from tests.clients.script import Block, Call, Json, Moment, Text, ToolResult

_CALLS = ("function_call", "custom_tool_call", "tool_search_call")
_BRING_TOOLS = ("additional_tools", "tool_search_output")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


class FakeOpenAI(FakeModel):
    """The Responses API."""

    def posted(self, path: str, body: Json, record: Json) -> Reply:
        if not path.endswith("/responses"):
            return NOT_FOUND
        if _is_aside(body):
            record["lane"] = "side"
            return 200, _stream([Text('{"title": "fake session"}')], 0, len(self.requests)), "text/event-stream"
        lane = self.script.lane(body)
        record["lane"] = lane.name
        items = body.get("input") or []
        blocks = self.script.next_blocks(
            lane,
            lambda turn: Moment(
                turn=turn, lane=lane.name, request=body, tools=_tools_sent(body),
                results=_last_results(items), all_results=tool_results(items),
            ),
        )  # fmt: skip
        return 200, _stream(blocks, record["in_bytes"] // 4, len(self.requests)), "text/event-stream"


def tool_results(items: Sequence[Json]) -> list[ToolResult]:
    """All tool results of a conversation, oldest first."""
    calls: dict[str, Json] = {}
    results = []
    for item in items:
        kind, id = item.get("type"), item.get("call_id", "")  # noqa: A001
        if kind in _CALLS:
            calls[id] = item
        elif kind in _OUTPUTS:
            results.append(_result(id, calls.get(id, {}), item.get("output")))
        elif kind == "tool_search_output":
            text, arguments = json.dumps(item.get("tools")), calls.get(id, {}).get("arguments")
            results.append(
                ToolResult(id=id, name="tool_search", arguments=arguments, text=text, is_error=False, raw=item)
            )
    return results


def _result(id: str, called: Json, output: Any) -> ToolResult:  # noqa: A002
    space = f"{called['namespace']}." if called.get("namespace") else ""
    arguments: Any = called.get("input" if called.get("type") == "custom_tool_call" else "arguments")
    with suppress(TypeError, ValueError):  # of a custom tool, it may be any text
        arguments = json.loads(arguments)
    name = space + called.get("name", "?")
    return ToolResult(id=id, name=name, arguments=arguments, text=_shown(output), is_error=False, raw=output)


def _shown(output: Any) -> str:
    if isinstance(output, str):
        return output
    if isinstance(output, list):
        return "\n".join(part.get("text", f"<{part.get('type')}>") for part in output)
    return json.dumps(output)


def _is_aside(request: Json) -> bool:
    """Whether the client's screen asks for a title, besides the conversation."""
    return "title" in json.dumps((request.get("text") or {}).get("format"))


def _last_results(items: Sequence[Json]) -> list[ToolResult]:
    new = takewhile(lambda item: item.get("type") not in _CALLS and item.get("role") != "assistant", reversed(items))
    ids = {item.get("call_id", "") for item in new}
    return [result for result in tool_results(items) if result.id in ids]


def _tools_sent(request: Json) -> dict[str, Json]:
    """Definitions by name; "namespace.name" where there is one."""
    return dict(_named_tools(request))


def _named_tools(request: Json) -> Iterator[tuple[str, Json]]:
    """Also those that came later, in the conversation."""
    later = [item for item in request.get("input") or [] if item.get("type") in _BRING_TOOLS]
    for tool in (tool for bearer in (request, *later) for tool in bearer.get("tools") or []):
        if tool.get("type") == "namespace":
            yield from ((f"{tool['name']}.{_name(inner)}", inner) for inner in tool.get("tools") or [])
        else:
            yield _name(tool), tool


def _name(tool: Json) -> str:
    return str(tool.get("name") or tool.get("type"))


def _stream(blocks: Sequence[Block], input_tokens: int, number: int) -> bytes:
    """The response as events."""
    response = {"id": f"resp_{number}", "status": "in_progress", "output": []}
    events = [event("response.created", response=response)]
    items = [_item(block, f"{number}_{index}") for index, block in enumerate(blocks)]
    for index, (block, item) in enumerate(zip(blocks, items, strict=True)):
        begun = {**item, "status": "in_progress"}
        if isinstance(block, Text):
            place = {"output_index": index, "content_index": 0, "item_id": item["id"]}
            events += [
                event("response.output_item.added", output_index=index, item={**begun, "content": []}),
                event("response.output_text.delta", **place, delta=block.text),
            ]
        else:
            events.append(event("response.output_item.added", output_index=index, item=begun))
        events.append(event("response.output_item.done", output_index=index, item=item))
    usage = {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + 10,
    }
    done = {**response, "status": "completed", "output": items, "usage": usage}
    return "".join([*events, event("response.completed", response=done)]).encode()


def _item(block: Block, suffix: str) -> Json:
    if isinstance(block, Text):
        content = [{"type": "output_text", "text": block.text, "annotations": []}]
        return {
            "type": "message", "role": "assistant", "id": f"msg_{suffix}", "status": "completed", "content": content,
        }  # fmt: skip
    return {**_call_item(block, suffix), "call_id": block.id, "status": "completed"}


def _call_item(block: Call, suffix: str) -> Json:
    if block.name == "tool_search":
        return {"type": "tool_search_call", "id": f"ts_{suffix}", "execution": "client", "arguments": block.arguments}
    named = {"name": block.name, **({"namespace": block.namespace} if block.namespace else {})}
    text = block.arguments if isinstance(block.arguments, str) else json.dumps(block.arguments)
    if block.custom:
        return {**named, "type": "custom_tool_call", "id": f"ct_{suffix}", "input": text}
    return {**named, "type": "function_call", "id": f"fc_{suffix}", "arguments": text}
