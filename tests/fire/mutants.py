"""What goes wrong on purpose, so that it is known that the check of histories would see it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from loomstack_mcp.core.claims import Blocker, Claim, Waiter
from loomstack_mcp.services import claims
from loomstack_mcp.services.requests import Met, Near, in_the_way, met
from loomstack_mcp.store.base import Tx

_STALE_S = 2.0
_BLIND = 0.2


def _none(random: Random) -> None:
    """Nothing goes wrong."""


def _stale_reads(random: Random) -> None:
    """What lies near some paths is told as it was a moment ago."""
    true, known = met, dict[tuple[str, ...], tuple[float, Met]]()

    def stale(tx: Tx, wanted: Waiter, near: Near | None = None, /) -> Met:
        found, now_s = true(tx, wanted, near), time.monotonic()
        at_s, old = known.get(wanted.patterns, (0.0, found))
        if now_s - at_s > _STALE_S:
            known[wanted.patterns] = (now_s, found)
            return found
        return replace(found, near=old.near)

    claims.met = stale  # type: ignore[attr-defined]  # a mutant


def _blind_grants(random: Random) -> None:
    """Some requests are granted without a look at what is held."""
    true = in_the_way

    def blind(tx: Tx, wanted: Waiter, here: Met, /, *, before: Waiter | None) -> tuple[list[Blocker], list[Claim]]:
        return ([], []) if random.random() < _BLIND else true(tx, wanted, here, before=before)

    claims.in_the_way = blind  # type: ignore[attr-defined]  # a mutant


MUTANTS: Mapping[str, Callable[[Random], None]] = {"": _none, "stale": _stale_reads, "blind": _blind_grants}
