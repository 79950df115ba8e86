"""What becomes of rows on their way from one store into another: ids, names and numbers change wherever they stand."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from loomstack_mcp.core.records import record

_ID = re.compile(r"(?<!\w)(?:run|claim|wait|note|out|conf|dec|apr|evid|notice|dep)_[0-9A-Z]{8}(?!\w)")
_NUMBERS = ("seq", "fence")
_NAMES = frozenset({"principal", "who", "holder", "addressee", "makers", "payload", "agreed_by"})
"""Columns that say who somebody is, alone or as `loop@principal`."""
_BITS = 256


@record
class Passage:
    """How the rows of one repo change on their way."""

    repo_id: str
    """The repo's id where they arrive."""
    shift: int = 0
    """How far its sequence there had come: numbers come behind it, so that fences grow."""
    ids: Mapping[str, str]
    """New ids for those that something else has there."""
    names: Mapping[str, str]
    """New names of people."""
    keeps_keys: bool = True
    """Whether a run is known again by its key."""


@record
class Tally:
    """How many rows, and a sum over what they hold that is the same in any order."""

    rows: int = 0
    digest: int = 0

    def __sub__(self, before: "Tally") -> "Tally":
        return Tally(rows=self.rows - before.rows, digest=(self.digest - before.digest) % (1 << _BITS))


def tallied(tally: Tally, found: Iterable[Mapping[str, Any]], /) -> Tally:
    """The tally with these rows."""
    rows, digest = tally.rows, tally.digest
    for row in found:
        told = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
        body = json.dumps(told, sort_keys=True, separators=(",", ":"))
        rows, digest = rows + 1, digest + int.from_bytes(hashlib.sha256(body.encode()).digest())
    return Tally(rows=rows, digest=digest % (1 << _BITS))


def carried_row(row: Mapping[str, Any], passage: Passage, /) -> dict[str, Any]:
    """The row as it arrives."""
    moved = {name: _value(name, value, passage) for name, value in row.items()}
    if "repo_id" in row:
        moved["repo_id"] = passage.repo_id
    if "key" in row and "principal" in row and not passage.keeps_keys:  # of a run, not of a place in the index
        moved["key"] = ""
    return moved


def ended_row(noun: str, row: Mapping[str, Any], /, *, live: Collection[str], now_ms: int) -> Mapping[str, Any] | None:
    """The row where those runs that were live are lost, and hold nothing; None where nothing is left of it."""
    if noun == "run" and row["id"] in live:
        return {**row, "state": "lost", "ended_at_ms": now_ms}
    if noun == "claim" and row["ended_at_ms"] is None:
        return {**row, "ended_at_ms": now_ms, "ended_how": "expired"}
    if noun == "conflict" and row["state"] == "open" and row["run_id"] in live:
        return {**row, "state": "void", "how": "the run was lost", "ended_at_ms": now_ms}
    is_over = noun == "waiter" or (noun == "path_key" and row["noun"] in ("claim", "waiter", "run"))
    return None if is_over else row


def _value(name: str, value: Any, passage: Passage) -> Any:
    if name in _NUMBERS:
        return value + passage.shift
    if not isinstance(value, str) or name == "repo_id":
        return value
    told = _ID.sub(lambda found: passage.ids.get(found[0], found[0]), value) if passage.ids else value
    if name == "payload":
        return _payload(told, passage)
    return _renamed(told, passage.names) if name in _NAMES else told


def _payload(text: str, passage: Passage) -> str:
    """An event's own words: who it names, and the fence that it tells."""
    body = json.loads(text)
    if not isinstance(body, dict) or not (passage.names or "fence" in body):
        return text
    named = {key: _renamed(value, passage.names) if key in ("who", "by") else value for key, value in body.items()}
    if "fence" in named:
        named["fence"] += passage.shift
    return _compact(named)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith("["):
        return json.dumps(
            [_renamed(one, names) for one in json.loads(value)], ensure_ascii=False, separators=(",", ":")
        )
    loop, at, principal = value.rpartition("@")
    return names.get(value) or (f"{loop}@{names[principal]}" if at and principal in names else value)


def _compact(value: object) -> str:
    """JSON as the columns hold it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
