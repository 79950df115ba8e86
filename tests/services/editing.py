"""Edits as a hook tells them to the services, and what is held by them."""

from dataclasses import replace

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.patterns.typed import file_pattern
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.blockers import EditService
from tests.factories import REPO, SHOP

HERE = replace(SHOP, worktree="/shop")
ELSEWHERE = replace(SHOP, worktree="/shop-2")
ANA = Caller(principal="ana", session="claude:aaaaaaaa-1")
BEA = Caller(principal="ana", session="claude:bbbbbbbb-2")
"""Another session of the same person."""
SUB, SIBLING = replace(ANA, agent="a1"), replace(ANA, agent="a2")


def edited(loom: Loom, caller: Caller, *paths: str, checkout: Checkout = HERE) -> list[tuple[str, str]]:
    """Who stands in the way of an edit, which is held where nobody does."""
    found = loom.edits.hold(caller, checkout, list(map(file_pattern, paths)))
    return [(blocker.path, blocker.intent) for blocker in found.blockers]


def in_the_way(loom: Loom, caller: Caller, *paths: str) -> list[str]:
    """Of whom a hook is told that only looks."""
    found, _ = EditService(loom.store).blockers(caller, HERE, paths)
    return [blocker.intent for blocker in found]


def held(loom: Loom) -> list[tuple[str, ...]]:
    claims, _ = loom.claims.held(REPO, limit=100)
    return sorted((*claim.patterns, claim.origin, claim.loop) for claim in claims)


def claim_of(loom: Loom, path: str) -> Claim:
    claims, _ = loom.claims.held(REPO, limit=100)
    [found] = [claim for claim in claims if claim.patterns == (path,)]
    return found
