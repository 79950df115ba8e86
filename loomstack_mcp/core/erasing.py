"""What is left of a row once what people may ask to have erased is gone: its number, its time, what kind it was."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from loomstack_mcp.core.records import record

ERASED = "[erased]"
_STATUSES = frozenset({"", "done", "passed", "failed", "blocked", "abandoned"})
"""Those of runs that are no words of anybody."""
_ID = re.compile(r"(?:run|claim|wait|note|out|conf|dec|apr|evid|notice|dep)_[0-9A-Z]{8}")
_NAMES = frozenset({"principal", "who", "holder", "signer", "account", "author", "agreed_by", "makers"})
_PLACES = frozenset({"paths", "patterns", "own_marks"})
_KEPT = frozenset(
    {"id", "repo_id", "seq", "number", "run_id", "with_run", "about", "approval_id", "was", "loop", "used_at"}
)
"""What tells which row it is, and what happened when."""
_EMPTY = {
    **dict.fromkeys(("paths", "patterns", "own_marks", "failing", "reasons", "shown", "makers"), "[]"),
    **dict.fromkeys(("payload", "links", "subject", "mentions"), "{}"),
}
_QUOTING = frozenset({("alert", "text"), ("notice", "text")})
"""What passes on the words of people, with their names."""
_ASCII = json.JSONEncoder(ensure_ascii=True)
_PLAIN = json.JSONEncoder(ensure_ascii=False)
_WORDS_MIN = 4
"""Shorter texts stand in too many others to be looked for there."""


@record
class Erasure:
    """What is to be erased: the words of some people, all of a repo, or one note wherever it is quoted."""

    people: frozenset[str] = frozenset()
    pseudonym: str = ""
    runs: frozenset[str] = frozenset()
    """The runs of these people."""
    is_all: bool = False
    note: str = ""
    quoted: tuple[str, ...] = ()
    """How a note's text may stand elsewhere, longest first."""


def quotations(text: str, /, *, cuts: Collection[int] = (200,)) -> tuple[str, ...]:
    """How a text may stand elsewhere: cut, and in JSON; longest first."""
    plain = {text, *(text[:cut] for cut in cuts)}
    found = plain | {coder.encode(one)[1:-1] for one in plain for coder in (_ASCII, _PLAIN)}
    return tuple(sorted((one for one in found if len(one) >= _WORDS_MIN), key=len, reverse=True))


def erased_row(noun: str, row: Mapping[str, Any], erasure: Erasure, /) -> dict[str, Any]:
    """The row without it; the same where there is nothing to erase."""
    if erasure.is_all:
        about = row.get("about", "")
        return _blanked(row) | ({} if noun != "event" or _ID.fullmatch(about) else {"about": ""})
    if erasure.note:
        is_it = erasure.note == (row.get("id") if noun == "note" else row.get("about"))
        return _blanked(row) if is_it else {name: _unquoted(name, value, erasure) for name, value in row.items()}
    found = _blanked(row, kept=_PLACES) if _is_theirs(noun, row, erasure) else row
    return {name: _unnamed(noun, name, value, erasure) for name, value in found.items()}


def _blanked(row: Mapping[str, Any], *, kept: frozenset[str] = frozenset()) -> dict[str, Any]:
    return {name: value if name in kept | _NAMES else _blank(name, value) for name, value in row.items()}


def _blank(name: str, value: Any) -> Any:
    if name in _KEPT or not isinstance(value, str):
        return value
    if name == "status":
        return value if value in _STATUSES else ERASED
    return _EMPTY.get(name, "")


def _unquoted(name: str, value: Any, erasure: Erasure) -> Any:
    if name in _KEPT or not isinstance(value, str):
        return value
    for text in erasure.quoted:
        value = value.replace(text, ERASED)
    return value


def _is_theirs(noun: str, row: Mapping[str, Any], erasure: Erasure) -> bool:
    """Whether they, or their loops, wrote it."""
    if noun == "conflict":
        return row["with_run"] in erasure.runs
    said = [str(row.get(name, "")) for name in ("principal", "who")]
    is_named = any(one in erasure.people or one.rpartition("@")[2] in erasure.people for one in said)
    return is_named or row.get("run_id") in erasure.runs


def _unnamed(noun: str, name: str, value: Any, erasure: Erasure) -> Any:
    if name in _KEPT | _PLACES or not isinstance(value, str):
        return value
    told = value
    for person in sorted(erasure.people, key=len, reverse=True):
        told = re.sub(rf"(?<!\w){re.escape(person)}(?!\w)", erasure.pseudonym, told)
    if told == value:
        return value
    if name in ("status", "ended_why", "how"):  # by whom and, behind that, in which words
        return told[: told.index(erasure.pseudonym) + len(erasure.pseudonym)]
    return _EMPTY.get(name, "") if name == "payload" or (noun, name) in _QUOTING else told
