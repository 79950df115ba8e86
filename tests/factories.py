"""Records with what matters stated and the rest defaulted."""

from typing import Any

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run

SHOP = Checkout(identity="github.com/acme/shop", clone="clone:1")
REPO = SHOP.identity
ANA = Caller(principal="ana", session="s-ana")
BEA = Caller(principal="bea", session="s-bea")


def make_claim(**fields: Any) -> Claim:
    given = {
        "id": "claim_1", "repo_id": REPO, "run_id": "run_1", "fence": 1, "mode": "exclusive", "intent": "why",
        "patterns": ("src/a.py",), "ttl_ms": 1000, "granted_at_ms": 0, "expires_at_ms": 1000, "loop": "loop",
        "principal": "ana",
    }  # fmt: skip
    return Claim(**{**given, **fields})


def make_run(**fields: Any) -> Run:
    given = {
        "id": "run_1", "repo_id": REPO, "loop": "triage", "goal": "goal", "principal": "ana", "session": "s-ana",
        "seq": 1, "ttl_ms": 1000, "expires_at_ms": 1000, "started_at_ms": 0, "seen_at_ms": 0,
    }  # fmt: skip
    return Run(**{**given, **fields})


def make_note(**fields: Any) -> Note:
    given = {
        "id": "note_1", "repo_id": REPO, "run_id": "run_1", "seq": 1, "kind": "fact", "authority": "loop",
        "who": "ana", "loop": "triage", "text": "a fact", "paths": (), "shared_at_ms": 0,
    }  # fmt: skip
    return Note(**{**given, **fields})
