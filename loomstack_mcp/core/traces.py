"""Traces: the chain from a change to who made it, why, who let it through, where it runs, and what became of it."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from loomstack_mcp.core.changes.attributions import Attribution, Binding
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.deploys import Deploy
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run

TraceKind = Literal["commit", "line", "pr", "deploy", "run"]
LaterHow = Literal["reverted", "undone"]
TRACED_COMMITS_MAX = 500
TRACED_RUNS_MAX = 50
"""Of one trace; of more it says how many there are."""
_REF_CHARS_MAX = 2 * NAME_CHARS_MAX
_ID = re.compile(r"(run|dep)_([0-9A-Za-z]{8})")
_DEPLOY = re.compile(r"deploy:(.+)", re.IGNORECASE)
_PULL = re.compile(r"(?:[pm]r[\s:#!]*|[#!])(\d{1,9})|([1-9]\d{0,5})", re.IGNORECASE)
"""Six digits alone are a pull request, or else a commit; more are a commit."""
_PULL_URL = re.compile(
    r"(https?://\S+?)/(?:pull|pulls|pull-requests|pullrequest|-/merge_requests|merge_requests)/(\d{1,9})(?:[/?#]\S*)?"
)
_COMMIT_URL = re.compile(r"(https?://\S+?)/(?:-/)?commits?/([0-9a-fA-F]{7,64})(?:[/?#]\S*)?")
_REVERTING = re.compile(r"revert|back ?out|roll ?back", re.IGNORECASE)
_LINE = re.compile(r"(.+?)(?:(?::|#L)(\d{1,9})|:(\d{1,9}):\d{1,9})")
"""With the column, too, as editors and compilers write it."""
_LINES = re.compile(r"(.+?)(?::|#L)(\d{1,9})-L?\d{1,9}")


@record
class TraceRef:
    """What somebody wants traced, as they typed it."""

    kind: TraceKind
    text: str
    """The commit, the path, the number of a pull request, the deploy's id or name, or the run."""
    line: int = 0
    url: str = ""
    """The address of the repository, where it was told by its pages."""
    is_bare: bool = False
    """Digits alone: a pull request, unless there is none and a commit begins so."""


@record
class WrittenLine:
    """A line of a file, and the run that wrote it."""

    path: str
    line: int
    sha: str
    """The commit that git blames for it."""
    run_id: str = ""
    bound_by: Binding = ""
    confidence: float = 0.0


@record
class AgentSession:
    """A session that another tool wrote down with a commit (git-ai's `refs/notes/ai`). Nobody vouches for it."""

    session: str
    tool: str = ""
    model: str = ""
    person: str = ""
    lines: int = 0


@record
class TraceWanted:
    """What a trace is about, by whoever sees the repository, or found in the store."""

    asked: str
    """What somebody typed."""
    kind: TraceKind
    shas: tuple[str, ...] = ()
    """Its commits, the last first."""
    run_ids: tuple[str, ...] = ()
    """Runs, besides those that made the commits."""
    deploy_ids: tuple[str, ...] = ()
    line: WrittenLine | None = None
    more_commits: int = 0
    unchecked: tuple[str, ...] = ()


@record
class TracedOutcome:
    """What was recorded about a run, and by whom."""

    outcome: Outcome
    who: str


@record
class TracedDecision:
    """A decision of the policy."""

    id: str
    run_id: str
    """Whose step it was; "" at a final point."""
    about_run: str
    """Whose change it was about."""
    head: str
    """The commit that would land; "" where none would."""
    who: str
    point: str
    actions: tuple[str, ...]
    answer: str
    reasons: tuple[Mapping[str, Any], ...]
    decided_at_ms: int


@record
class TracedAnswer:
    """What one person said to an approval."""

    who: str
    verdict: str
    why: str = ""


@record
class TracedApproval:
    """What a decision asked of people, and what they said."""

    id: str
    decision_id: str
    state: str
    asked_at_ms: int
    answers: tuple[TracedAnswer, ...] = ()


@record
class TracedRun:
    """A run, and all that led to what it made, and let it through."""

    run: Run
    claims: tuple[Claim, ...] = ()
    notes: tuple[Note, ...] = ()
    """Its own, first to last."""
    told: tuple[Note, ...] = ()
    """Those of others that lay on its paths when it ended, and hold."""
    outcomes: tuple[TracedOutcome, ...] = ()
    decisions: tuple[TracedDecision, ...] = ()
    approvals: tuple[TracedApproval, ...] = ()
    tokens: int = 0
    """What its models took, as far as that was told."""
    cost_usd: float | None = None

    @property
    def intents(self) -> tuple[str, ...]:
        """Why, in its own words: its notes before what its claims said."""
        said = [note.text for note in self.notes if note.kind == "intent"]
        return tuple(dict.fromkeys([*said, *(claim.intent for claim in self.claims if claim.intent)]))


@record
class TracedDeploy:
    """Where a change was brought, and what let it through there."""

    deploy: Deploy
    decision: TracedDecision | None = None
    approvals: tuple[TracedApproval, ...] = ()


@record
class LaterStep:
    """What took a change back later."""

    sha: str
    """The commit that was taken back."""
    by: str
    """The commit that did."""
    how: LaterHow
    title: str
    author: str
    run_id: str = ""
    who: str = ""
    """`loop@principal` of that run."""
    at_ms: int = 0


@record
class TracedCommit:
    """A commit, whose it is, and what its clone says of it besides."""

    commit: Attribution
    url: str = ""
    sessions: tuple[AgentSession, ...] = ()


@record
class Trace:
    """The chain of one thing."""

    ref: str
    kind: TraceKind
    commits: tuple[TracedCommit, ...] = ()
    line: WrittenLine | None = None
    runs: tuple[TracedRun, ...] = ()
    deploys: tuple[TracedDeploy, ...] = ()
    later: tuple[LaterStep, ...] = ()
    more_commits: int = 0
    more_runs: int = 0
    unchecked: tuple[str, ...] = ()
    now_ms: int = 0

    @property
    def is_unattributed(self) -> bool:
        """Whether there are commits, and none is any run's."""
        return bool(self.commits) and not self.runs


def trace_ref(text: str, /) -> TraceRef:
    """What is meant by a text, as far as it says so itself. Raises Invalid for nothing, lines, and far too much."""
    text = text.strip()
    if not text or len(text) > _REF_CHARS_MAX or "\n" in text or text.startswith("-"):
        raise Invalid(
            "name what to trace: a commit, path:line, a pull request (#12 or its URL), deploy:ID or a run; "
            f"{text[:40]!r} is none"
        )
    return _by_id(text) or _by_its_form(text) or TraceRef(kind="commit", text=text)


def _by_id(text: str) -> TraceRef | None:
    named = _DEPLOY.fullmatch(text)
    found = _ID.fullmatch(named[1].strip() if named else text)
    if found:
        noun, letters = found[1].lower(), found[2].upper()
        return TraceRef(kind="run" if noun == "run" else "deploy", text=f"{noun}_{letters}")
    return TraceRef(kind="deploy", text=named[1].strip()) if named else None


def _by_its_form(text: str) -> TraceRef | None:
    if found := _PULL_URL.fullmatch(text):
        return TraceRef(kind="pr", text=found[2], url=found[1])
    if found := _COMMIT_URL.fullmatch(text):
        return TraceRef(kind="commit", text=found[2].lower(), url=found[1])
    if found := _PULL.fullmatch(text):
        return TraceRef(kind="pr", text=found[1] or found[2], is_bare=not found[1])
    if several := _LINES.fullmatch(text):
        raise Invalid(f"one line is traced at a time: {several[1]}:{several[2]}, say")
    found = _LINE.fullmatch(text)
    return TraceRef(kind="line", text=found[1], line=int(found[2] or found[3])) if found else None


def later_how(title: str, /) -> LaterHow:
    """How a commit takes another back: it says so, or it was found to."""
    return "reverted" if _REVERTING.match(title) else "undone"
