"""Conflicts as they are kept and told: records, which need nothing of how they are found."""

from typing import Literal

from loomstack_mcp.core.records import record

ConflictKind = Literal["undo", "stale_base", "ping_pong", "intent", "already_landed"]
Verdict = Literal["clear", "warn", "stop"]
ConflictState = Literal["open", "settled", "void"]


@record
class Intent:
    """Why somebody changed some paths on purpose."""

    text: str
    who: str
    run: str = ""
    """Empty where a person said so."""


@record
class Conflict:
    """Two changes that cannot both stand: one of a run, or in a worktree, and one that has landed."""

    id: str = ""
    """Empty where it is nobody's run."""
    repo_id: str = ""
    run_id: str = ""
    seq: int = 0
    kind: ConflictKind
    verdict: Literal["warn", "stop"]
    sha: str
    title: str
    who: str
    with_run: str = ""
    """The run that landed the other change; empty where none is known."""
    paths: tuple[str, ...]
    intent: str = ""
    """Why the other change was made; empty where nobody said so."""
    evidence: str
    landed_at_ms: int
    found_at_ms: int = 0
    state: ConflictState = "open"
    how: str = ""
    marks: tuple[str, ...] = ()
    """The landed hunks that suffer: whoever agrees, agrees to these."""
    own_marks: tuple[str, ...] = ()
    """The first of the hunks that do it, each as `mark 12-14 src/a.py` with its lines in the change that would land.

    Where that makes a whole file as it was, the path alone, behind two spaces.
    """
    holder: str = ""
    """Who may agree: whose intent it is, else who made the other change."""
    signer: str = ""
    account: str = ""
    """Who would land it, as git names them."""
    agreed_by: str = ""
    """The note, or the person, that agreed; empty where nobody did."""


@record
class Agreement:
    """Somebody's word that what a landed change did may go."""

    by: str
    """The note that says so, or the conflict that was settled."""
    who: str
    sha: str
    text: str
