"""Resources: the repo's runs, claims and activity, and one run, as JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.events import Event
from loomstack_mcp.core.phrases import Body, lean
from loomstack_mcp.core.views import claim_shown, event_shown, outcome_shown, run_shown
from loomstack_mcp.server.face import Face

LISTS = ("loom://runs", "loom://claims", "loom://activity")
ONE_RUN = "loom://runs/"
_LIMIT = 100
_PAGE = 500

_Record = TypeVar("_Record")


def listed(face: Face, uri: str) -> str:
    """A list of the repo that the process stands in, as it is now; over HTTP of every repo, each entry with its own.

    Raises LoomError.
    """
    loom = face.loom
    if uri == "loom://runs":
        return _listed(face, lambda repo_id: loom.runs.latest(repo_id, limit=_LIMIT), run_shown)
    if uri == "loom://claims":
        return _listed(face, lambda repo_id: loom.claims.held(repo_id, limit=_LIMIT), claim_shown)
    return _listed(face, lambda repo_id: loom.events.latest(repo_id, limit=_LIMIT), event_shown)


def one_run(face: Face, run: str) -> str:
    """A run with its claims and outcomes. Raises LoomError, NotFound for a run that is unknown."""
    found = face.loom.runs.details(run)
    return json.dumps(
        {
            **lean(run_shown(found.run, now_ms=found.now_ms)),
            "claims": [lean(claim_shown(claim, now_ms=found.now_ms)) for claim in found.claims],
            "outcomes": [outcome_shown(outcome, now_ms=found.now_ms) for outcome in found.outcomes],
        },
        ensure_ascii=False,
    )


def _listed(face: Face, found: Callable[[str], tuple[Iterable[_Record], int]], shown: Callable[..., Body]) -> str:
    named = face.here.clone is None
    bodies: list[Body] = []
    for repo_id in face.repo_ids():
        records, now_ms = found(repo_id)
        repo = {"repo": repo_id} if named else {}
        bodies += [{**repo, **lean(shown(record, now_ms=now_ms))} for record in records]
    return json.dumps(bodies, ensure_ascii=False)


class Watch:
    """What became stale since it was last asked: resources change by any process, so that the store is asked."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._cursors: dict[str, int] = {}

    def stale(self, *, newcomer: bool, cursors: Mapping[str, int] | None = None) -> tuple[str, ...]:
        """The resources that changed. Raises LoomError where the store does not answer now.

        A newcomer hears of every list once, for it may have read before it came. Where it is known where repos are, by
        `cursors`, only those are asked about that have moved.
        """
        told = dict(self._cursors)
        try:
            return tuple(dict.fromkeys(self._found(newcomer, cursors)))
        except LoomError:
            self._cursors = told
            raise

    def _found(self, newcomer: bool, cursors: Mapping[str, int] | None) -> Iterator[str]:
        events = self._face.loom.events
        if newcomer:
            yield from LISTS
        for repo_id in self._face.repo_ids():
            at = None if cursors is None else cursors.get(repo_id, 0)
            if repo_id not in self._cursors:
                self._cursors[repo_id] = (events.cursor(repo_id) if at is None else at) if newcomer else 0
            if at == self._cursors[repo_id]:
                continue
            for event in self._since(repo_id):
                yield from _made_stale(event)

    def _since(self, repo_id: str) -> Iterator[Event]:
        """All events that are new, page by page."""
        while True:
            since = self._cursors[repo_id]
            found = self._face.loom.events.since(repo_id, since=since, limit=_PAGE)[0]
            for event in found:
                self._cursors[repo_id] = event.seq
                yield event
            if len(found) < _PAGE:
                return


def _made_stale(event: Event) -> Iterator[str]:
    """The resources that an event makes stale."""
    yield "loom://activity"
    if event.kind.startswith("run."):
        yield "loom://runs"
    if event.kind.startswith("claim.") and event.kind not in ("claim.refused", "claim.withdrawn"):
        yield "loom://claims"
    if event.run_id:
        yield f"{ONE_RUN}{event.run_id}"
    if event.kind == "outcome.recorded":  # a checker's is about the run that it checks
        yield f"{ONE_RUN}{event.payload['about']}"
