"""Notes: entries of shared context, their authority, and when two of them contradict."""

from collections.abc import Iterable
from typing import Literal

from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.records import record

NoteKind = Literal["intent", "decision", "fact", "warning", "handoff"]
Authority = Literal["human", "ratified", "loop"]

PROTECTING: tuple[NoteKind, ...] = ("intent", "warning")
"""Kinds that keep others from changing something unawares."""
CONTRADICTABLE: tuple[NoteKind, ...] = ("decision", "intent")
AUTHORITY_ORDER: tuple[Authority, ...] = ("human", "ratified", "loop")


@record
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


@record
class NoteResult:
    """What became of a shared note."""

    note: Note
    seen_by: tuple[str, ...] = ()
    """Live runs it concerns now."""
    contradicts: tuple[Note, ...] = ()
    unheard: str = ""
    """Why nobody hears it now whom it is addressed to; empty where somebody does."""
    unchecked: str = ""
    """What it was not compared with, in a sentence."""
    alerts: tuple[Alert, ...] = ()


def first_told(note: Note, /) -> tuple[int, int]:
    """The order in which notes are told: what people said first, then the newest."""
    return AUTHORITY_ORDER.index(note.authority), -note.seq


def may_supersede(new: Note, old: Note, /) -> bool:
    """Whether `new` may take the place of `old`: what protects paths gives way to its own side, or to a person.

    A loop's side is that loop of that developer. Facts, decisions and handoffs of loops give way to any loop.
    """
    if new.authority != "loop":
        return True
    if old.authority != "loop":
        return False
    return old.kind not in PROTECTING or (old.who, old.loop) == (new.who, new.loop)


def contradicted(new: Note, live: Iterable[Note], /, *, ignore_case: bool = False) -> tuple[Note, ...]:
    """The live notes of others that `new` may contradict, found by comparison.

    Two decisions, or two intents, about overlapping paths, in other words and by another author, cannot
    both hold unread. They are flagged and both stay. A note that `new` supersedes is settled, not
    contradicted, and so is what one of the two addressed to the other: that is talk.
    """
    if new.kind not in CONTRADICTABLE or not new.paths:
        return ()
    return tuple(
        old
        for old in live
        if old.kind == new.kind
        and old.id not in (new.id, new.supersedes)
        and (old.who, old.loop) != (new.who, new.loop)
        and not _addresses(new, old)
        and not _addresses(old, new)
        and _words(old.text) != _words(new.text)
        and first_overlap(new.paths, old.paths, ignore_case=ignore_case)
    )


def _addresses(one: Note, other: Note) -> bool:
    return one.addressee != "" and one.addressee in (other.run_id, other.loop)


def _words(text: str) -> list[str]:
    return text.casefold().split()
