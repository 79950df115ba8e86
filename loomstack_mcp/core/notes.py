"""Notes: entries of shared context, their authority, and when two of them contradict."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.patterns.globs import first_overlap

NoteKind = Literal["intent", "decision", "fact", "warning", "handoff"]
Authority = Literal["human", "ratified", "loop"]

AUTHORITY_ORDER: tuple[Authority, ...] = ("human", "ratified", "loop")


@dataclass(frozen=True, kw_only=True)
class Note:
    """One entry of shared context."""

    id: str
    repo_id: str
    run_id: str | None = None
    """None when a person wrote it."""
    seq: int
    kind: NoteKind
    authority: Authority
    who: str
    loop: str = ""
    text: str
    paths: tuple[str, ...] = ()
    addressee: str = ""
    """A run's id or a loop's name; empty for everyone."""
    supersedes: str = ""
    contradicts: tuple[str, ...] = ()
    shared_at_ms: int
    expires_at_ms: int | None = None
    superseded_by: str = ""

    @property
    def author(self) -> str:
        """`loop@who` of a run's note, else the person."""
        return f"{self.loop}@{self.who}" if self.loop else self.who


@dataclass(frozen=True, kw_only=True)
class NoteResult:
    """What became of a shared note."""

    note: Note
    seen_by: tuple[str, ...] = ()
    """Live runs it concerns now."""
    contradicts: tuple[Note, ...] = ()
    alerts: tuple[Alert, ...] = ()


def contradicted(new: Note, live: Iterable[Note], /, *, ignore_case: bool = False) -> tuple[Note, ...]:
    """The live notes of others that `new` may contradict, found by comparison.

    Two statements of the same binding kind (decision, fact or intent) about overlapping paths, in
    other words and by another author, cannot both be taken for true unread. They are flagged and
    both stay. A note that `new` supersedes is settled, not contradicted.
    """
    if new.kind not in ("decision", "fact", "intent") or not new.paths:
        return ()
    return tuple(
        old
        for old in live
        if old.kind == new.kind
        and old.id not in (new.id, new.supersedes)
        and (old.who, old.loop) != (new.who, new.loop)
        and _words(old.text) != _words(new.text)
        and first_overlap(new.paths, old.paths, ignore_case=ignore_case)
    )


def _words(text: str) -> list[str]:
    return text.casefold().split()
