"""Authorship as git-ai writes it down beside a commit (Git AI Standard 3.0.0, `refs/notes/ai`): read as data alone."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from loomstack_mcp.core.texts import encodable
from loomstack_mcp.core.traces import AgentSession

NOTES_REF = "refs/notes/ai"
SCHEMA = "authorship/3.0.0"
_SESSIONS_MAX = 10
_WORD_CHARS = 100
_LINES_MAX = 1_000_000
_RANGES = re.compile(r"\d{1,7}(?:-\d{1,7})?(?:,\d{1,7}(?:-\d{1,7})?)*")


def agent_sessions(note: str, /) -> tuple[AgentSession, ...]:
    """The sessions that a note tells of, those with the most lines first; empty for what is no such note.

    Anybody may write one: it says what its writer says.
    """
    files, rule, rest = note.partition("\n---\n")
    if not rule and note.startswith("---\n"):
        files, rest = "", note[4:]
    try:
        told: Any = json.loads(rest)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(told, dict) or not str(told.get("schema_version", "")).startswith("authorship/3."):
        return ()
    lines = _lines_by_key(files)
    found = [_session(key, fields, lines) for key, fields in _told_sessions(told)]
    return tuple(sorted(found, key=lambda one: -one.lines)[:_SESSIONS_MAX])


def _told_sessions(told: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in ("sessions", "prompts"):
        group = told.get(name)
        for key, fields in list(group.items())[: 10 * _SESSIONS_MAX] if isinstance(group, dict) else ():
            if isinstance(fields, dict):
                yield key, fields


def _session(key: str, fields: Mapping[str, Any], lines: Mapping[str, int]) -> AgentSession:
    agent = fields.get("agent_id")
    named: Mapping[str, Any] = agent if isinstance(agent, dict) else {}
    return AgentSession(
        session=_word(named.get("id")) or _word(key),
        tool=_word(named.get("tool")),
        model=_word(named.get("model")),
        person=_word(fields.get("human_author")),
        lines=lines.get(key, 0),
    )


def _word(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return encodable(" ".join(text.split()))[:_WORD_CHARS]


def _lines_by_key(files: str) -> Mapping[str, int]:
    """How many lines each session wrote, over all files: `  KEY 1-6,9` below each path."""
    counted: Counter[str] = Counter()
    for line in files.split("\n"):
        if not line.startswith("  "):
            continue
        key, _, ranges = line.strip().partition(" ")
        if _RANGES.fullmatch(ranges):
            pairs = ((first, last or first) for first, _, last in (one.partition("-") for one in ranges.split(",")))
            number = sum(max(0, int(last) - int(first) + 1) for first, last in pairs)
            whose = key.partition("::")[0]
            counted[whose] = min(_LINES_MAX, counted[whose] + number)
    return counted
