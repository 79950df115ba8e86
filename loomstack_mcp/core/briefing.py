"""Rank shared context by how near it lies, and fit it to a token budget."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from loomstack_mcp.core.changes.conflicts import Conflict
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.limits import CHARS_PER_TOKEN, NAME_CHARS_MAX, SECOND_MS
from loomstack_mcp.core.notes import AUTHORITY_ORDER, ORG, Note
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.patterns.globs import first_overlap, literal, pattern
from loomstack_mcp.core.phrases import Body, age, lean
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.runs import Run

Section = Literal["runs", "claims", "notes", "changes", "conflicts", "rules"]
Nearness = Literal[0, 1, 2, 3]
"""0 overlaps my paths, 1 lies in the same folder or changes with them, 2 elsewhere, 3 holds for every repo."""

_CONFLICT_PATHS = 5

_ENVELOPE_CHARS = 80
"""The cursor, `more` and the names of the sections."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing worth knowing, as it would be shown, with what decides its rank."""

    section: Section
    nearness: Nearness
    weight: int
    """Lower comes first among equally near items: what people said, then what is held, then the rest."""
    seq: int
    body: Body


@dataclass(frozen=True, kw_only=True)
class Briefing:
    """Shared context, best first within each section."""

    cursor: int
    """Pass it as `since` to read only what is newer."""
    runs: tuple[Body, ...] = ()
    claims: tuple[Body, ...] = ()
    notes: tuple[Body, ...] = ()
    changes: tuple[Body, ...] = ()
    conflicts: tuple[Body, ...] = ()
    rules: tuple[Body, ...] = ()
    more: int = 0
    """How many items did not fit."""


@dataclass(frozen=True, kw_only=True)
class Landed:
    """A change that a run recorded as landed, with the intents its claims had."""

    commits: tuple[str, ...]
    run: Run
    paths: tuple[str, ...]
    intent: str
    seq: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class View:
    """From where one looks at shared context."""

    paths: tuple[str, ...]
    beside: tuple[str, ...] = ()
    """What history changed together with my paths."""
    now_ms: int
    ignore_case: bool = False

    def nearness(self, paths: Sequence[str], /) -> Nearness:
        """How near `paths` lie to mine; no paths means the whole repo."""
        if not self.paths or not paths:
            return 2
        if first_overlap(self.paths, paths, ignore_case=self.ignore_case):
            return 0
        if folders(self.paths) & folders(paths) or first_overlap(self.beside, paths, ignore_case=self.ignore_case):
            return 1
        return 2


def of_run(run: Run, view: View, /) -> Item:
    body = {
        "run": run.id,
        "who": run.who,
        "goal": run.goal,
        "paths": run.paths,
        "age": age(view.now_ms - run.started_at_ms),
    }
    return Item(section="runs", nearness=view.nearness(run.paths), weight=4, seq=run.seq, body=lean(body))


def of_claim(claim: Claim, view: View, /) -> Item:
    body = {
        "claim": claim.id,
        "run": claim.run_id,
        "who": claim.who,
        "paths": claim.patterns,
        "mode": "shared" if claim.mode == "shared" else "",
        "intent": claim.intent,
        "expires_in_s": max(0, claim.expires_at_ms - view.now_ms) // SECOND_MS,
    }
    return Item(section="claims", nearness=view.nearness(claim.patterns), weight=1, seq=claim.fence, body=lean(body))


def of_note(note: Note, view: View, /) -> Item:
    people = AUTHORITY_ORDER.index(note.authority) < AUTHORITY_ORDER.index("loop")
    body = {
        "note": note.id,
        "kind": note.kind,
        "text": note.text,
        "who": note.author,
        "authority": note.authority if people else "",
        "paths": note.paths,
        "to": note.addressee,
        "supersedes": note.supersedes,
        "contradicts": note.contradicts,
        "age": age(view.now_ms - note.shared_at_ms),
    }
    weight = 0 if people else 3 if note.kind in ("fact", "handoff") else 2
    nearness: Nearness = 3 if note.repo_id == ORG else view.nearness(note.paths)
    return Item(section="notes", nearness=nearness, weight=weight, seq=note.seq, body=lean(body))


def of_change(landed: Landed, view: View, /) -> Item:
    body = {
        "commits": [commit[:12] for commit in landed.commits],
        "run": landed.run.id,
        "who": landed.run.who,
        "intent": landed.intent,
        "paths": landed.paths,
        "age": age(view.now_ms - landed.at_ms),
    }
    return Item(section="changes", nearness=view.nearness(landed.paths), weight=3, seq=landed.seq, body=lean(body))


def of_conflict(conflict: Conflict, view: View, /) -> Item:
    body = {
        "conflict": conflict.id,
        "run": conflict.run_id,
        "kind": conflict.kind,
        "verdict": conflict.verdict,
        "with": conflict.who,
        "commit": conflict.sha[:12],
        "paths": conflict.paths[:_CONFLICT_PATHS],
        "age": age(view.now_ms - conflict.found_at_ms),
    }
    paths = [literal(path) for path in conflict.paths if len(path) <= NAME_CHARS_MAX]
    return Item(section="conflicts", nearness=view.nearness(paths), weight=1, seq=conflict.seq, body=lean(body))


def of_rule(rule: Rule, view: View, /) -> Item | None:
    """A rule of the repository or its organisation, where it speaks of some of my paths."""
    if rule.layer == "builtin" or rule.mode == "audit" or not rule.where.paths:
        return None
    wanted = compiled(rule.where.paths)
    mine = (pattern(text) for text in view.paths)
    if not any(wanted.loose(one.key.rstrip("/")) if one.literal else wanted.below(one.key.rstrip("/")) for one in mine):
        return None
    body = {"rule": rule.id, "effect": rule.effect, "on": rule.on, "paths": rule.where.paths, "why": rule.why}
    return Item(section="rules", nearness=0, weight=0, seq=1, body=lean(body))


def fitted(items: Iterable[Item], /, *, cursor: int, since: int, budget_tokens: int) -> Briefing:
    """The best items newer than `since` that together fit the budget, rendered as compact JSON.

    One item takes at most a quarter of the budget: a longer text is clipped, and a larger budget
    shows it whole.
    """
    ranked = sorted(
        (item for item in items if item.seq > since),
        key=lambda item: (item.nearness, item.weight, -item.seq),
    )
    budget_chars = budget_tokens * CHARS_PER_TOKEN
    left = budget_chars - _ENVELOPE_CHARS
    taken: dict[Section, list[Body]] = {section: [] for section in get_args(Section)}
    more = 0
    for item in ranked:
        body = _clipped(item.body, budget_chars // 4)
        size = len(json.dumps(body, ensure_ascii=False, separators=(",", ":"))) + 1
        if more or size > left:
            more += 1
            continue
        left -= size
        taken[item.section].append(body)
    return Briefing(
        cursor=cursor,
        runs=tuple(taken["runs"]),
        claims=tuple(taken["claims"]),
        notes=tuple(taken["notes"]),
        changes=tuple(taken["changes"]),
        conflicts=tuple(taken["conflicts"]),
        rules=tuple(taken["rules"]),
        more=more,
    )


def folders(paths: Sequence[str], /) -> set[str]:
    """The folder that each pattern lies in, as a pattern; "" is the root, and a folder lies in itself."""
    return {_folder(path) for path in paths}


def _clipped(body: Body, chars: int) -> Body:
    return {name: _clip(value, chars) if name in ("text", "goal", "intent") else value for name, value in body.items()}


def _clip(value: object, chars: int) -> object:
    return f"{value[: chars - 1]}…" if isinstance(value, str) and len(value) > chars else value


def _folder(path: str) -> str:
    parsed = pattern(path)
    if parsed.literal and not parsed.text.endswith("/"):
        return literal(parsed.key[: parsed.key.rstrip("/").rfind("/") + 1])
    return literal(parsed.key)
