"""What Claude Code and Codex tell of themselves in OTLP logs, read for what it costs. No text of anybody is taken out.

The shapes are those of Claude Code 2.1.330 and Codex 0.169.0, as they were recorded in 2026-11. Their metrics tell the
same sums once more, and are not read: counted besides, each request would count twice.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from loomstack_mcp.core.records import record
from loomstack_mcp.core.usage import UsageEntry, entry_problem

RUN_ATTRIBUTE = "loomstack.run.id"
"""Of a resource: whoever starts a client may say whose its work is."""
_CLAUDE = "claude_code."
_CODEX = "codex."
_NANOS_PER_MS = 1_000_000
_DIGITS_MAX = 18
_ID_CHARS_MAX = 200
_KEY_BYTES = 16

_Told = Mapping[str, Any]


@record
class ToldUsage:
    """What one export told."""

    entries: tuple[UsageEntry, ...]
    refused: int = 0
    """Requests and permissions that cannot be so; `why` says it of the first."""
    why: str = ""


class _Lie(Exception):
    """A field holds what its client never tells."""


def told_usage(export: _Told, /, *, now_ms: int) -> ToldUsage:
    """The requests to models and the permissions of tools in an `ExportLogsServiceRequest` of JSON."""
    entries: list[UsageEntry] = []
    problems: list[str] = []
    for resource, record_ in _records(export):
        try:
            entry = _entry(resource, record_, now_ms=now_ms)
        except _Lie as lie:
            problems.append(str(lie))
            continue
        if entry is None:
            continue
        if problem := entry_problem(entry):
            problems.append(problem)
        else:
            entries.append(entry)
    return ToldUsage(entries=tuple(entries), refused=len(problems), why=problems[0] if problems else "")


def _records(export: _Told) -> Iterator[tuple[_Told, _Told]]:
    """Each log record with the attributes of its resource."""
    for resource in _objects(export, "resourceLogs"):
        found = resource.get("resource")
        about = _attributes(found) if isinstance(found, dict) else {}
        for scope in _objects(resource, "scopeLogs"):
            yield from ((about, one) for one in _objects(scope, "logRecords"))


def _entry(resource: _Told, told: _Told, *, now_ms: int) -> UsageEntry | None:
    """What it tells of usage; None where it tells of something else. Raises _Lie."""
    found = _attributes(told)
    name = _text(found.get("event.name"))
    body = told.get("body")
    if isinstance(body, dict) and body.get("stringValue") == f"{_CLAUDE}{name}":
        fields = _of_claude(name, found)
    elif name.startswith(_CODEX):
        fields = _of_codex(name.removeprefix(_CODEX), found)
    else:
        return None
    if fields is None:
        return None
    at_ms = _time_ms(told) or now_ms
    named = _text(resource.get(RUN_ATTRIBUTE))
    return UsageEntry(key=_key(told), named_run=named, age_ms=now_ms - at_ms, **fields)


def _of_claude(name: str, found: _Told) -> dict[str, Any] | None:
    session = _id(found.get("session.id"))
    whose = {"session": f"claude:{session}" if session else "", "agent": _id(found.get("agent_id"))}
    if name == "api_request":
        return whose | {
            "kind": "request",
            "model": _text(found.get("model")),
            "input_tokens": _count(found, "input_tokens"),
            "output_tokens": _count(found, "output_tokens"),
            "cache_read_tokens": _count(found, "cache_read_tokens"),
            "cache_write_tokens": _count(found, "cache_creation_tokens"),
            "cost_micro_usd": _micro_usd(found),
        }
    return _permission(whose, found) if name == "tool_decision" else None


def _of_codex(name: str, found: _Told) -> dict[str, Any] | None:
    thread = _id(found.get("conversation.id"))
    whose = {"session": f"codex:{thread}" if thread else ""}
    if name == "sse_event":
        if found.get("event.kind") != "response.completed" or "input_token_count" not in found:
            return None
        cached, whole = _count(found, "cached_token_count"), _count(found, "input_token_count")
        return whose | {
            "kind": "request",
            "model": _text(found.get("model")),
            "input_tokens": whole - cached,  # those of the cache are counted among them there
            "output_tokens": _count(found, "output_token_count"),
            "cache_read_tokens": cached,
            "cache_write_tokens": _count(found, "cache_write_token_count"),
        }
    return _permission(whose, found) if name == "tool_decision" else None


def _permission(whose: dict[str, Any], found: _Told) -> dict[str, Any]:
    accepted = _text(found.get("decision")).lower()
    return whose | {
        "kind": "permission",
        "source": _text(found.get("source")).lower(),
        "is_accepted": accepted.startswith(("accept", "approve")),
    }


def _objects(told: _Told, name: str) -> Iterator[_Told]:
    found = told.get(name)
    yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _attributes(told: _Told) -> dict[str, Any]:
    """By name; of values that are no single one, nothing is known here."""
    named = ((one.get("key"), one.get("value")) for one in _objects(told, "attributes"))
    return {
        name: next(iter(value.values()))
        for name, value in named
        if isinstance(name, str) and isinstance(value, dict) and len(value) == 1
    }


def _text(value: Any) -> str:
    """A name: of a client's own there is none that cannot be printed."""
    text = value[:_ID_CHARS_MAX] if isinstance(value, str) else ""
    return text if text.isprintable() else ""


def _id(value: Any) -> str:
    """A client's own id: what is longer, or of other characters, is none."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= _ID_CHARS_MAX and text.isascii() and text.isprintable() else ""


def _count(found: _Told, name: str) -> int:
    """A number that JSON tells as a number, or, as OTLP has it of whole ones, as digits. Raises _Lie."""
    number = _number(found.get(name, 0))
    if number is None or number != int(number) or number < 0:
        raise _Lie(f"{name} is no count")
    return int(number)


def _micro_usd(found: _Told) -> int | None:
    """What it cost; None where that is not told. Raises _Lie."""
    if "cost_usd_micros" in found:
        return _count(found, "cost_usd_micros")
    if "cost_usd" not in found:
        return None
    dollars = _number(found["cost_usd"])
    if dollars is None or dollars < 0:
        raise _Lie("cost_usd is no sum of money")
    return round(dollars * 1_000_000)


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        if len(value) > _DIGITS_MAX or not value.isascii():
            return None
        try:
            value = float(value)
        except ValueError:
            return None
    return value if math.isfinite(value) and abs(value) < 10**_DIGITS_MAX else None


def _time_ms(told: _Told) -> int:
    """When it was: by the event's own clock, else when it was observed; 0 where neither is told."""
    for name in ("timeUnixNano", "observedTimeUnixNano"):
        value = str(told.get(name, ""))[: _DIGITS_MAX + 2]
        if value.isascii() and value.isdigit() and int(value):
            return int(value) // _NANOS_PER_MS
    return 0


def _key(told: _Told) -> str:
    """What tells this record from every other: the same one sent again has the same."""
    parts = {name: told.get(name) for name in ("timeUnixNano", "observedTimeUnixNano", "attributes")}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).hexdigest()
