"""Erase what people may ask to have erased. Rows stay, with their numbers and times: what was counted stays true."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loomstack_mcp.core.erasing import Erasure, erased_row, quotations
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.repos import REPOS, move_all
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Statement, Store, Tx
from loomstack_mcp.store.many import write_rows

ERASING = queries.statements("erasing")
TOKENS = queries.statements("tokens")
_TABLES = {
    "run": (ERASING["words_of_run"], ERASING["erase_run"]),
    "claim": (ERASING["words_of_claim"], ERASING["erase_claim"]),
    "note": (ERASING["words_of_note"], ERASING["erase_note"]),
    "outcome": (ERASING["words_of_outcome"], ERASING["erase_outcome"]),
    "alert": (ERASING["words_of_alert"], ERASING["erase_alert"]),
    "event": (ERASING["words_of_event"], ERASING["erase_event"]),
    "conflict": (ERASING["words_of_conflict"], ERASING["erase_conflict"]),
    "decision": (ERASING["words_of_decision"], ERASING["erase_decision"]),
    "approval": (ERASING["words_of_approval"], ERASING["erase_approval"]),
    "approval_answer": (ERASING["words_of_approval_answer"], ERASING["erase_approval_answer"]),
    "evidence": (ERASING["words_of_evidence"], ERASING["erase_evidence"]),
    "deploy": (ERASING["words_of_deploy"], ERASING["erase_deploy"]),
    "notice": (ERASING["words_of_notice"], ERASING["erase_notice"]),
    "landed": (ERASING["words_of_landed"], ERASING["erase_landed"]),
    "attribution": (ERASING["words_of_attribution"], ERASING["erase_attribution"]),
}
_PASSING = (
    *(ERASING["forget_sightings"], ERASING["forget_bearings"]),
    *(ERASING["forget_judgings"], ERASING["forget_judged"], ERASING["forget_lines"], ERASING["forget_answers"]),
    ERASING["forget_usage_entries"],
)
"""What hooks saw a while ago, with folders and shell lines; and answers. They are seen, or made, again."""
_PAGE_ROWS = 20_000
_PSEUDONYM_BYTES = 4


@record
class Erased:
    """What was, or would be, erased in one repo."""

    repo: str
    """As it is called from now on."""
    rows: Mapping[str, int]
    """In how many rows of each table."""
    pseudonym: str = ""
    """What a person is called from now on."""


def erased_note(store: Store, note_id: str, *, who: str, is_tried: bool) -> tuple[Erased, ...]:
    """The note has no text any more, and nothing quotes it. Raises NotFound for one that is unknown."""
    with store.read() as tx:
        found = tx.all(ERASING["note"], id=note_id)
        repo_ids = _ids(tx)
    if not found:
        raise NotFound(f"{note_id} is unknown; `loomstack-mcp notes` lists them")
    [note] = found
    erasure = Erasure(note=note_id, quoted=quotations(note["text"]))
    # A note of the organisation may be quoted in every repository.
    wanted = repo_ids if note["repo_id"] == ORG else (note["repo_id"],)
    return tuple(_erased(store, one, erasure, about=note_id, who=who, is_tried=is_tried) for one in wanted)


def erased_person(store: Store, people: Sequence[str], *, who: str, is_tried: bool) -> tuple[Erased, ...]:
    """What these names of one person, and their loops, wrote is gone, and they are called by a name that nobody knows.

    Raises Invalid as long as a run of theirs is live, NotFound where the store knows none of the names.
    """
    named = frozenset(people)
    with store.read() as tx:
        repo_ids = _ids(tx)
        runs = frozenset(_run_ids_of(tx, repo_ids, named))
        _refuse_live(tx, Erasure(people=named))
    pseudonym = f"person_{os.urandom(_PSEUDONYM_BYTES).hex()}"
    erasure = Erasure(people=named, pseudonym=pseudonym, runs=runs)
    done = (_erased(store, one, erasure, about=pseudonym, who=who, is_tried=is_tried) for one in repo_ids)
    found = tuple(replace(one, pseudonym="" if is_tried else pseudonym) for one in done if one.rows)
    if not found:
        raise NotFound(f"{', '.join(people)}: the store knows nobody of that name; `runs` and `notes` show who wrote")
    return found


def _run_ids_of(tx: Tx, repo_ids: Iterable[str], named: Collection[str]) -> Iterator[str]:
    for one in repo_ids:
        yield from (str(run["id"]) for run in _rows(tx, ERASING["words_of_run"], one) if run["principal"] in named)


def erased_owner(private: Store, people: Sequence[str], pseudonym: str) -> None:
    """No token of these names opens anything, and what a hub keeps to itself knows them by the pseudonym alone."""
    forgotten = (
        *(TOKENS["forget_maker"], TOKENS["forget_revoker"], TOKENS["forget_subject"]),
        *(TOKENS["forget_power"], TOKENS["forget_about"]),
    )
    with private.append() as tx:
        for name in people:
            for statement in (TOKENS["forget_owner"], *forgotten):
                tx.run(statement, called=name, pseudonym=pseudonym, now_ms=tx.now_ms)


def erased_repo(store: Store, repo_id: str, *, who: str, is_tried: bool) -> tuple[Erased, ...]:
    """All words of the repo are gone, and its names. Raises NotFound, Invalid as long as a run is live in it."""
    with store.read() as tx:
        if repo_id == ORG or not tx.all(REPOS["get"], repo_id=repo_id):
            raise NotFound(f"no repository {repo_id} is known here; see `loomstack-mcp repo list`")
    done = _erased(store, repo_id, Erasure(is_all=True), about="", who=who, is_tried=is_tried)
    if is_tried:
        return (done,)
    unnamed = f"erased:{os.urandom(_PSEUDONYM_BYTES).hex()}"
    with store.write(repo_id) as tx:
        _refuse_live(tx, Erasure(is_all=True), repo_id=repo_id)
        tx.run(REPOS["insert"], repo_id=unnamed, ignore_case=0, now_ms=tx.now_ms)
        for statement in (
            REPOS["forget_landed"],
            ERASING["forget_imprints"],
            ERASING["forget_paths"],
            ERASING["forget_names"],
        ):
            tx.run(statement, repo_id=repo_id)
        move_all(tx, unnamed, repo_id, shift=0)
    return (Erased(repo=unnamed, rows=done.rows),)


def _ids(tx: Tx) -> tuple[str, ...]:
    return tuple(str(row["id"]) for row in tx.all(REPOS["ids"]))


def _refuse_live(tx: Tx, erasure: Erasure, *, repo_id: str = "") -> None:
    """Nobody may be at work on what goes: in any repo, or in one that is all to go."""
    live = sorted(
        str(run["id"])
        for run in tx.all(ERASING["live"])
        if run["principal"] in erasure.people or (erasure.is_all and run["repo_id"] == repo_id)
    )
    if live:
        raise Invalid(f"still live: {', '.join(live[:5])}; `loomstack-mcp runs stop` each, and do this again")


def _erased(store: Store, repo_id: str, erasure: Erasure, *, about: str, who: str, is_tried: bool) -> Erased:
    if is_tried:
        with store.read() as tx:
            _refuse_live(tx, erasure, repo_id=repo_id)
            return Erased(repo=repo_id, rows={noun: len(found) for noun, found in _changed(tx, repo_id, erasure)})
    counts = {}
    with store.write(repo_id) as tx:
        _refuse_live(tx, erasure, repo_id=repo_id)  # behind whoever started one meanwhile
        for noun, found in _changed(tx, repo_id, erasure):
            counts[noun] = len(found)
            write_rows(tx, _TABLES[noun][1], found)
        if erasure.note:
            tx.run(ERASING["forget_expiry"], repo_id=repo_id, id=erasure.note)
            path_index.unindex_paths(tx, [erasure.note])
        for statement in _PASSING:
            tx.later(statement)
        if counts:
            events.append(tx, repo_id, "erased", about=about, payload={"who": who, "rows": sum(counts.values())})
    return Erased(repo=repo_id, rows=counts)


def _changed(tx: Tx, repo_id: str, erasure: Erasure) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Of each table the rows that change, as they are to be."""
    for noun, (read, _) in _TABLES.items():
        pairs = ((row, erased_row(noun, row, erasure)) for row in _rows(tx, read, repo_id))
        if found := [{**row, **told} for row, told in pairs if told != row]:
            yield noun, found


def _rows(tx: Tx, read: Statement, repo_id: str) -> Iterator[Row]:
    at = 0
    while page := tx.all(read, repo_id=repo_id, limit=_PAGE_ROWS, offset=at):
        yield from page
        at += len(page)
