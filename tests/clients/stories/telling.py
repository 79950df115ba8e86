"""A story as a reader of a terminal likes it: who, which call, and what of the answer matters."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.clients.script import Json
from tests.clients.stories.hands import SHOW_COMMIT
from tests.clients.stories.steps import Step

_VERDICTS = ("OK", "clear", "allow", "granted")
_NAMED = re.compile(r"\b(?:(run|claim|conf|note)_[0-9A-Z]{8}|(?=[0-9a-f]*[0-9])[0-9a-f]{7,40})\b")
_COMMIT_CHARS = 7
_PERSON = re.compile(r"(?<=[a-z])@\w+")
_REFUSED = re.compile(r"[\w/.]+ is claimed by [^.]*\.")
_REPORT = re.compile(r"^(?:OK|FAILED.*)$", re.MULTILINE)
_COMMIT = re.compile(r"^commit \w+$", re.MULTILINE)
_WORDS_MAX = 70
"""Of one argument, as much is shown."""
_COLUMNS = 76
"""What the narrowest terminals show, without the four by which `help` moves it in."""
_LEFT_OUT = ("run", "since")
"""Without the hook of Claude Code, an agent is asked to name its run in each call."""


def told(played: Sequence[Step], *, folders: Mapping[str, str]) -> str:
    """The lines of a story: an agent is told everything once, what differs from play to play is numbered."""
    who = max(len(step.who) for step in played) + 2
    lines, known = [], set()
    for step in played:
        first, *others = _lines(step)
        new = [line for line in others if (step.who, line) not in known or line in _VERDICTS]
        known |= {(step.who, line) for line in others}
        lines += [f"{step.who:<{who}}{first}", *(f"{'':<{who}}  → {line}" for line in new)]
    text = "\n".join(lines)
    for folder, name in folders.items():
        text = text.replace(folder, name)
    return "\n".join(_folded(line, at=who) for line in _numbered(_PERSON.sub("", text)).splitlines())


def _lines(step: Step) -> list[str]:
    """The call, and the answer's gist."""
    given = step.arguments
    if not step.tool:
        return [f"“{step.text}”"]
    if step.tool == "tell":
        return [f"to {given['to']}: “{given['words']}”"]
    if step.tool == "skill":
        return [f"reads skill {given['skill']}"]
    if step.tool == "edit":
        return [f"edits {given['path']}", *_REFUSED.findall(step.text)[:1]]
    if step.tool == "shell":
        shown, is_told, _ = given["command"].partition(f" && {SHOW_COMMIT}")
        return [f"$ {shown}", *(_COMMIT if is_told else _REPORT).findall(step.text.replace("\r", ""))[-1:]]
    said = ", ".join(f"{name}={_short(value)}" for name, value in given.items() if name not in _LEFT_OUT)
    return [f"{step.tool}({said})", *_gist(step.tool, step.answer)]


def _gist(tool: str, answer: Json) -> Iterator[str]:
    if tool == "start_run":
        yield answer["run"]
    yield from _known({**answer, **answer.get("briefing", {})})
    if "granted" in answer:
        yield "granted" if answer["granted"] else f"refused. {answer['instead']}"
        yield from (f"{warning['who']}: {warning['text']}" for warning in answer.get("warnings", []))
    if "seen_by" in answer and tool == "share_context":
        yield f"seen by {len(answer['seen_by'])} run{'s' * (len(answer['seen_by']) > 1)}"
    yield from _judged(answer)
    if isinstance(step := answer.get("next"), dict):
        yield f"next: {step['action']}. {step['why']}{': ' * bool(step.get('carry'))}{', '.join(step.get('carry', []))}"
    for alert in answer.get("alerts", []):
        yield f"hears from {alert['who']}: {alert['text']}"


def _known(answer: Json) -> Iterator[str]:
    """What others said and hold."""
    for note in answer.get("notes", []):
        place = f" on {_short(note['paths'])}" if "paths" in note else ""
        yield f"{note['who']}, {note['kind']}{place}: {note['text']}"
    for claim in answer.get("claims", []):
        yield f"{claim['who']} holds {_short(claim['paths'])}: {claim['intent']}"
    for blocker in answer.get("blockers", []):
        yield f"{blocker['loop']} holds {blocker['path']}: {blocker['intent']}"


def _judged(answer: Json) -> Iterator[str]:
    if "effect" in answer:
        yield answer["effect"]
    if "verdict" not in answer:
        return
    for found in answer.get("conflicts", []):
        back = f"takes back {found['commit'][:7]} of {found['who']}: {found['intent']}"
        yield f"{answer['verdict']}, {found['conflict']}: {back}"
        yield found["do"]
    for agreed in answer.get("agreed", []):
        yield f"{agreed['who']} agreed to {agreed['commit'][:7]}: {agreed['text']}"
    if answer["verdict"] == "clear":
        yield "clear"


def _short(value: object) -> str:
    text = _spelled(value)
    return f"{text[: _WORDS_MAX - 1]}…" if len(text) > _WORDS_MAX else text


def _spelled(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_spelled(inner)}" for name, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _folded(line: str, *, at: int) -> str:
    """The line as several where it is long; who acts stands alone at the left."""
    indent = " " * (at + (4 if line[at:].startswith("  → ") else 2))
    parts = textwrap.wrap(line, _COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(parts)


def _numbered(text: str) -> str:
    """Ids and commits are called by the order in which they are met, however long the commit is spelled."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()

    def name(found: re.Match[str]) -> str:
        kind, key = (f"{found[1]}_", found[0]) if found[1] else ("c", found[0][:_COMMIT_CHARS])
        if key not in names:
            counts[kind] += 1
            names[key] = f"{kind}{counts[kind]}"
        return names[key]

    return _NAMED.sub(name, text)
