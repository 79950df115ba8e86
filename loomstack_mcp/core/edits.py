"""Edits: what becomes of a file at its first edit, and what an agent is told that may not edit it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from loomstack_mcp.core.claims import Blocker, Claim, Waiter, blockers, few_listed
from loomstack_mcp.core.events import DueAlert
from loomstack_mcp.core.limits import MINUTE_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.core.sessions import session_words
from loomstack_mcp.core.texts import plain_line, quoted

_INTENT_CHARS_MAX = 200
_PATH_CHARS_MAX = 200
_LOOP_CHARS_MAX = 60


@record
class Editor:
    """Whose claims mean what to whoever edits, by the ids of their runs."""

    own: Collection[str] = ()
    """Of exactly this agent."""
    family: Collection[str] = ()
    """Whose claims do not stand in its way."""
    kin: Collection[str] = ()
    """Whose automatic claims do not, either, for they are of agents below it."""


@record
class CloserLook:
    """What is known of files that are about to be edited."""

    check: tuple[str, str] | None = None
    """The run under which it checks another's, and that other; None for whoever makes something."""
    blockers: tuple[Blocker, ...] = ()
    """Who holds, exclusively, what is about to be edited."""
    now_ms: int = 0
    meant: tuple[str, ...] = ()
    """Of the files those on which anything may have been made on purpose."""
    ends: tuple[DueAlert, ...] = ()
    """That a person ended its claim on one of these files, which it has not heard yet."""


@record
class HoldResult:
    """What became of files that were about to be held: all are, unless somebody is in the way."""

    blockers: tuple[Blocker, ...] = ()
    unclaimed: tuple[str, ...] = ()
    """What the agent has to claim first, where it was not told so before."""
    now_ms: int = 0
    due: tuple[DueAlert, ...] = ()
    """What the agent has to hear once all is held: that a file is free that it holds now is none of it."""


@record
class EditHold:
    """What an edit of one file comes to. Nothing at all where others share the file, or wait for it: it goes on."""

    blockers: tuple[Blocker, ...] = ()
    covered_by: str = ""
    """The run that holds the file by a claim that this agent asked for."""
    mine: str = ""
    """The automatic claim that its run has on it already."""
    is_free: bool = False
    """Whether it can be held now."""
    passing: tuple[Claim, ...] = ()
    """What ends once it is: lapsed claims, and automatic ones of its own session's."""


def edit_hold(
    wanted: Waiter, near: Iterable[Claim | Waiter], /, *, editor: Editor, now_ms: int, ignore_case: bool
) -> EditHold:
    """What an edit of one literal file by a run comes to, among the claims and earlier requests that overlap it.

    A file is held by one agent of a session at a time, by the last that edited it: above and below one another in the
    session agents do not stand in each other's way, side by side they do.
    """
    claims = [each for each in near if isinstance(each, Claim)]
    live = [claim for claim in claims if claim.expires_at_ms > now_ms]
    if found := _in_the_way(wanted, live, editor, ignore_case=ignore_case):
        return EditHold(blockers=found)
    if covering := _covering(live, editor):
        return EditHold(covered_by=covering.run_id)
    if mine := _automatic(claims, wanted):
        return EditHold(mine=mine.id)
    waiting = [each for each in near if isinstance(each, Waiter)]
    if blockers(wanted, [*_asked(live), *waiting], lineage=editor.family, ignore_case=ignore_case):
        return EditHold()
    return EditHold(is_free=True, passing=_passing(claims, editor, now_ms=now_ms))


def gives_way(claim: Claim, kin: Collection[str], /) -> bool:
    """Whether a claim ends for the sake of who asks: it was merely edited by an agent of its own, or below it."""
    return claim.origin == "auto" and claim.run_id in kin


def edited_by(session: str, /) -> str:
    """The intent of an automatic claim, from a session as callers have it; never words of a prompt."""
    client, letters = session_words(session)
    return f"edited by {client}, session {letters}"


def refused_edit(in_the_way: Sequence[Blocker], /, *, now_ms: int, lines: str = "") -> str:
    """What an agent reads when it is about to edit what another run holds. `lines` says which lines both mean."""
    return (
        f"{held_words(in_the_way, now_ms=now_ms)}.{lines} Work on other paths, or claim_paths with wait_seconds=45; "
        f"share_context(to={in_the_way[0].run}) reaches the holder."
    )


def held_words(in_the_way: Sequence[Blocker], /, *, now_ms: int) -> str:
    """What is held, by whom and for how long."""
    holder = in_the_way[0]
    left_ms = holder.until_ms - now_ms
    more = f", and {len(in_the_way) - 1} more" if len(in_the_way) > 1 else ""
    whose = _whose(holder, more)
    if holder.origin == "asked":
        held = f"is claimed by {whose} for {max(1, left_ms // MINUTE_MS)} min more"
    else:
        soon = f"free in {-(-left_ms // MINUTE_MS)} min unless edited again, or once it is committed"
        held = f"is being edited by {whose}; {soon}"
    return f"{_path(holder.path)} {held}"


def changed_meanwhile(in_the_way: Sequence[Blocker], /, *, now_ms: int) -> str:
    """What an agent reads when a file that another run holds changed while its shell line ran."""
    holder = in_the_way[0]
    minutes = max(1, (holder.until_ms - now_ms) // MINUTE_MS)
    more = f" (and {len(in_the_way) - 1} more)" if len(in_the_way) > 1 else ""
    return (
        f"While your line ran, {_path(holder.path)}{more} changed, which {_whose(holder)} holds for {minutes} min more."
        " If your line wrote it, leave it out of your commit (git restore --staged) and tell them what it did: "
        f"share_context(to={holder.run}). Never check out or restore the file: it may hold their work. If it took "
        "their changes away (git stash), bring them back."
    )


def unclaimed_edit(patterns: Sequence[str], /) -> str:
    """What an agent reads, once, that edits what it did not claim where `claim_edits` says that it has to."""
    return (
        f"You hold no claim on {_path(few_listed(patterns))}, and an edit here asks for one. Call claim_paths with an "
        "intent that tells others what you are about, then edit again."
    )


def refused_change(run: str, checked: str, /) -> str:
    """What an agent reads when it is about to edit while it checks another's work."""
    return (
        f"{run} checks {checked}, and who checks changes nothing. record_outcome says what fails, and the maker mends "
        "it; for work of your own start_run first."
    )


def _in_the_way(wanted: Waiter, live: Sequence[Claim], editor: Editor, *, ignore_case: bool) -> tuple[Blocker, ...]:
    """Whoever holds the file exclusively; who shares it stands in the way of no edit."""
    against = [claim for claim in live if not gives_way(claim, editor.kin)]
    return blockers(replace(wanted, mode="shared"), against, lineage=editor.family, ignore_case=ignore_case)


def _covering(live: Sequence[Claim], editor: Editor) -> Claim | None:
    return next((claim for claim in _asked(live) if claim.run_id in editor.own), None)


def _automatic(claims: Sequence[Claim], wanted: Waiter) -> Claim | None:
    """What the very run has on the file already; a lapsed one that nobody took is held again."""
    mine = (claim for claim in claims if claim.origin == "auto" and claim.run_id == wanted.run_id)
    return next((claim for claim in mine if claim.patterns == wanted.patterns), None)


def _passing(claims: Sequence[Claim], editor: Editor, *, now_ms: int) -> tuple[Claim, ...]:
    lapsed = (claim for claim in _asked(claims) if claim.expires_at_ms <= now_ms and claim.run_id not in editor.family)
    return (*(claim for claim in claims if claim.origin == "auto"), *lapsed)


def _asked(claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.origin == "asked"]


def _path(path: str) -> str:
    """On one line: others name files as they like."""
    return plain_line(path, chars_max=_PATH_CHARS_MAX)


def _whose(holder: Blocker, more: str = "") -> str:
    who = plain_line(f"{holder.loop}@{holder.who}", chars_max=_LOOP_CHARS_MAX)
    return f"{holder.run} ({who}: {quoted(holder.intent, chars_max=_INTENT_CHARS_MAX)}{more})"
