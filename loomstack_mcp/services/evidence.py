"""Evidence: checked facts about exactly one commit, recorded by checkers' runs, or told by CI or a person."""

from collections.abc import Iterator, Mapping

from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.policy.rules import EvidenceKind
from loomstack_mcp.core.policy.situation import EvidenceFact
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.services import events, repos
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Store, Tx

EVIDENCE = queries.statements("evidence")

_KINDS: Mapping[str, EvidenceKind] = {"checker": "tests", "reviewer": "review", "build": "build", "scan": "scan"}
"""By the role that recorded it."""


class EvidenceService:
    """What is told of commits by those who have no run."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, checkout: Checkout, sha: str, kind: EvidenceKind, *, passed: bool, who: str, link: str = ""
    ) -> tuple[str, EvidenceFact]:
        """Tell what was found out about a commit, by its whole id. Returns its id and what it says.

        Raises Invalid and LimitExceeded for a name or a link that cannot be kept.
        """
        who = bounded("by", who, chars_max=NAME_CHARS_MAX, required=True)
        link = bounded("link", link)
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            columns = {"sha": sha, "kind": kind, "passed": int(passed), "who": who, "link": link}
            seq = tx.next_seq(repo_id)
            columns |= {"repo_id": repo_id, "seq": seq, "added_at_ms": tx.now_ms}
            drawn = events.drawn("evid", lambda id: tx.run(EVIDENCE["insert"], id=id, **columns))  # noqa: A006
            payload = {"kind": kind, "passed": passed, "commit": sha, "by": who}
            events.append(tx, repo_id, "evidence.added", about=drawn, payload=payload, seq=seq)
            return drawn, EvidenceFact(kind=kind, passed=passed, by=who, commit=sha, at_ms=tx.now_ms)


def evidence_of(tx: Tx, repo_id: str, head: str) -> tuple[EvidenceFact, ...]:
    """The last word of each checker, build or person on the head commit, for each kind."""
    if not head:
        return ()
    last: dict[tuple[EvidenceKind, str], EvidenceFact] = {}
    for kind, row in sorted(_told(tx, repo_id, head), key=lambda told: -told[1]["seq"]):
        fact = EvidenceFact(kind=kind, passed=bool(row["passed"]), by=row["who"], commit=head, at_ms=row["at_ms"])
        last.setdefault((kind, fact.by), fact)
    return tuple(last.values())


def _told(tx: Tx, repo_id: str, head: str) -> Iterator[tuple[EvidenceKind, Row]]:
    """What runs recorded, and what was told from outside."""
    for row in tx.all(EVIDENCE["recorded"], repo_id=repo_id, sha=head):
        yield _KINDS[row["role"]], row
    for row in tx.all(EVIDENCE["added"], repo_id=repo_id, sha=head):
        yield row["kind"], row
