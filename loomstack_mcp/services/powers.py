"""Uses of power: who did, or was refused, what takes a developer's or an admin's token."""

from collections.abc import Sequence

from loomstack_mcp.core.events import EventKind
from loomstack_mcp.core.limits import MINUTE_MS, SENTENCE_CHARS_MAX
from loomstack_mcp.core.tokens import PowerVerdict, Principal
from loomstack_mcp.services import events
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store, Tx

REPOS = queries.statements("repos")
TOKENS = queries.statements("tokens")

_TELLING = frozenset({"tokens.create", "tokens.revoke", "tokens.map_subject"})
"""What writes its own grants down, with what it did: on the hub's machine it is done without a token."""


class PowerLog:
    """Told by the log of the repo that it is about; where there is none, by the private database alone."""

    def __init__(self, private: Store, store: Store) -> None:
        self._private, self._store = private, store

    def keep_power(
        self, by: Principal, verdict: PowerVerdict, what: str, *, repos: Sequence[str], granted_at_ms: int = 0
    ) -> int:
        """Each that is granted; of those that are refused the first of a minute, and how many they were. And when.

        A refusal takes the place of the grant of that time: the token sufficed, and the service did nothing for it.
        """
        with self._private.append() as tx:
            now_ms, about = tx.now_ms, ", ".join(repos)[:SENTENCE_CHARS_MAX]
            if granted_at_ms:
                granted = {"what": what, "who": by.name, "token_id": by.token, "about": about}
                tx.run(TOKENS["power_not_used"], at_ms=granted_at_ms, **granted)
                tx.run(TOKENS["powers_never_used"], at_ms=granted_at_ms)
            tells_itself = verdict == "granted" and what in _TELLING
            count = 1 if tells_itself else count_power(tx, by, verdict, what, about=about)
        if verdict == "refused" and count > 1:
            return now_ms
        payload = {"what": what, "who": by.name, "token": by.token, "role": by.role}
        for repo_id in repos:
            with self._store.read() as tx:
                is_known = bool(tx.all(REPOS["get"], repo_id=repo_id))
            if is_known:
                with self._store.write(repo_id) as tx:
                    events.append(tx, repo_id, _KINDS[verdict], about=by.token, payload=payload)
        return now_ms


_KINDS: dict[PowerVerdict, EventKind] = {"granted": "power.granted", "refused": "power.refused"}


def count_power(tx: Tx, by: Principal, verdict: PowerVerdict, what: str, *, about: str) -> int:
    """Write it down, in the private database; what is the same within a minute is one row. How many it has by now."""
    about = about[:SENTENCE_CHARS_MAX]
    at_ms = tx.now_ms if verdict == "granted" else tx.now_ms // MINUTE_MS * MINUTE_MS
    columns = {"verdict": verdict, "what": what, "who": by.name, "token_id": by.token, "count": 1}
    [row] = tx.all(TOKENS["count_power"], at_ms=at_ms, about=about, **columns)
    return int(row["count"])
