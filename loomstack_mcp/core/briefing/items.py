"""What is worth knowing, as a briefing shows it, with how near it lies to somebody's paths."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.limits import NAME_CHARS_MAX, SECOND_MS
from loomstack_mcp.core.notes import AUTHORITY_ORDER, Note
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.patterns.globs import first_overlap, literal, pattern
from loomstack_mcp.core.phrases import Body, age, lean
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.core.runs import Run

if TYPE_CHECKING:
    from loomstack_mcp.core.policy.rules import Rule

Section = Literal["runs", "claims", "notes", "changes", "conflicts", "rules"]
Nearness = Literal[0, 1, 2, 3]
"""0 overlaps my paths, 1 lies in the same folder or changes with them, 2 elsewhere, 3 holds for every repo."""

_CONFLICT_PATHS = 5


@record
class Item:
    """One thing worth knowing, as it would be shown, with what decides its rank."""

    section: Section
    nearness: Nearness
    weight: int
    """Lower comes first among equally near items: what people said, then what is held, then the rest."""
    seq: int
    """When it happened, by the repo's events; 0 for what holds without having happened here."""
    body: Body
    is_peoples: bool = False
    by: str = ""
    """Whose word it is, to bound everybody's share."""


@record
class LandedWork:
    """A change that a run recorded as landed, with the intents its claims had."""

    commits: tuple[str, ...]
    run: Run
    paths: tuple[str, ...]
    intent: str
    seq: int
    at_ms: int


@record
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
    """A live run."""
    body = {
        "run": run.id,
        "who": run.who,
        "goal": run.goal,
        "paths": run.paths,
        "age": age(view.now_ms - run.started_at_ms),
    }
    return Item(section="runs", nearness=view.nearness(run.paths), weight=4, seq=run.seq, body=lean(body), by=run.who)


def of_claim(claim: Claim, view: View, /) -> Item:
    """A live claim, with the seconds that are left of its lease."""
    body = {
        "claim": claim.id,
        "run": claim.run_id,
        "who": claim.who,
        "paths": claim.patterns,
        "mode": "shared" if claim.mode == "shared" else "",
        "intent": claim.intent,
        "expires_in_s": max(0, claim.expires_at_ms - view.now_ms) // SECOND_MS,
    }
    nearness = view.nearness(claim.patterns)
    return Item(section="claims", nearness=nearness, weight=1, seq=claim.fence, body=lean(body), by=claim.who)


def of_note(note: Note, view: View, /) -> Item:
    """A note; what people said comes first, and one of the organisation is as near to everyone."""
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
    is_org = note.repo_id == ORG
    return Item(
        section="notes",
        nearness=3 if is_org else view.nearness(note.paths),
        weight=weight,
        seq=0 if is_org else note.seq,  # the organisation's events have numbers of their own
        body=lean(body),
        is_peoples=people,
        by=note.author,
    )


def of_change(landed: LandedWork, view: View, /) -> Item:
    """Work that a run recorded as landed."""
    body = {
        "commits": [commit[:12] for commit in landed.commits],
        "run": landed.run.id,
        "who": landed.run.who,
        "intent": landed.intent,
        "paths": landed.paths,
        "age": age(view.now_ms - landed.at_ms),
    }
    nearness, by = view.nearness(landed.paths), landed.run.who
    return Item(section="changes", nearness=nearness, weight=3, seq=landed.seq, body=lean(body), by=by)


def of_conflict(conflict: Conflict, view: View, /) -> Item:
    """An open conflict, by the paths where it is."""
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


def of_rule(rule: "Rule", view: View, /) -> Item | None:
    """A rule of the repository or its organisation, where it speaks of some of my paths."""
    if rule.layer == "builtin" or rule.mode == "audit" or not rule.where.paths:
        return None
    wanted = compiled(rule.where.paths)
    mine = (pattern(text) for text in view.paths)
    if not any(wanted.loose(one.key.rstrip("/")) if one.literal else wanted.below(one.key.rstrip("/")) for one in mine):
        return None
    body = {"rule": rule.id, "effect": rule.effect, "on": rule.on, "paths": rule.where.paths, "why": rule.why}
    return Item(section="rules", nearness=0, weight=0, seq=0, body=lean(body), is_peoples=True)


def folders(paths: Sequence[str], /) -> set[str]:
    """The folder that each pattern lies in, as a pattern; "" is the root, and a folder lies in itself."""
    return {_folder(path) for path in paths}


def _folder(path: str) -> str:
    parsed = pattern(path)
    if parsed.literal and not parsed.text.endswith("/"):
        return literal(parsed.key[: parsed.key.rstrip("/").rfind("/") + 1])
    return literal(parsed.key)
