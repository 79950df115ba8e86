"""Usage: what runs consumed of models, and what their clients let tools do, as the clients themselves tell it."""

from collections.abc import Iterable, Sequence
from typing import Literal

from loomstack_mcp.core.limits import DAY_MS, MINUTE_MS
from loomstack_mcp.core.records import record

UsageKind = Literal["request", "permission"]
"""A request to a model that was answered, or a client's word whether a tool may run."""

ENTRIES_MAX = 200
"""Of one call, which keeps others at the gate for no longer than a claim does."""
ENTRY_KEPT_MS = DAY_MS
"""What is older by its own time is not taken in, and so long each entry is known again: none counts twice."""
AHEAD_MS_MAX = 10 * MINUTE_MS
"""What is further in the future is of no clock that could be believed."""
TOKENS_MAX = 1_000_000_000
COST_MICRO_USD_MAX = 10_000 * 1_000_000
"""Of one request; what tells more lies."""
UNBOUND_MAX = 20_000
"""Entries of sessions that no run is known of, of one person."""
RUN_ENTRIES_MAX = 50_000
"""Entries of one session in a day."""


@record
class UsageEntry:
    """One request to a model, or one word of a client about a tool. Of texts it has names alone."""

    key: str
    """By which it is known again: a digest of all that tells it from others."""
    kind: UsageKind
    session: str
    """As of a caller: `claude:…`, `codex:…`."""
    agent: str = ""
    """As of a caller: a sub-agent of the session, where its client tells."""
    named_run: str = ""
    """The run that whoever started the client named as whose it is (`loomstack.run.id`); "" for none."""
    age_ms: int
    """How long ago it was when it was told."""
    model: str = ""
    input_tokens: int = 0
    """Without those that were read from a cache or written to one."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_micro_usd: int | None = None
    """Millionths of a dollar; None where the client does not tell."""
    source: str = ""
    """Who let a tool run or not: `config`, `hook`, `user_temporary` …, as the client calls it."""
    is_accepted: bool = True


@record
class UsageTaken:
    """What became of entries."""

    kept: int
    """That were new."""
    known: int
    """That had come before."""
    refused: int
    """That were too old, too large, or too many; `why` says it of the first."""
    why: str = ""


@record
class ModelUsage:
    """What a run consumed of one model."""

    run_id: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_micro_usd: int
    unpriced: int
    """Requests whose cost the client did not tell."""
    last_at_ms: int


@record
class ToolPermissions:
    """How often a client let the tools of a run do what they were asked for, by who decided it."""

    run_id: str
    source: str
    accepted: int
    rejected: int


@record
class RunUsage:
    """All that a client told of one run. A run that nothing is told of has none."""

    run_id: str
    models: tuple[ModelUsage, ...] = ()
    permissions: tuple[ToolPermissions, ...] = ()

    @property
    def tokens(self) -> int:
        """All of them, those of caches too."""
        return sum(
            one.input_tokens + one.output_tokens + one.cache_read_tokens + one.cache_write_tokens for one in self.models
        )

    @property
    def cost_usd(self) -> float | None:
        """In dollars; None where the client did not tell it of each request."""
        if not self.models or any(one.unpriced for one in self.models):
            return None
        return sum(one.cost_micro_usd for one in self.models) / 1_000_000


@record
class UsingRun:
    """A run as far as it is asked whose some usage is."""

    id: str
    agent: str
    is_asked: bool
    """Whether an agent asked for it; else it stands for all that its session does besides."""
    started_at_ms: int
    ended_at_ms: int | None
    seq: int


def run_of_usage(runs: Sequence[UsingRun], *, agent: str, named_run: str, at_ms: int) -> str:
    """Which of the runs of one person's session consumed something at an instant; "" where there is none.

    The one that was named, if it is among them. Else of the agent's own runs the newest that was under way, one that
    was asked for before the session's own; else the session's own agent's, by the same rule; where none was under way,
    the last one before, and before all of them the first: a client asks its model before it starts a run, and once
    more after it has ended one.
    """
    if any(run.id == named_run for run in runs):
        return named_run
    for whose in dict.fromkeys((agent, "")):
        if own := [run for run in runs if run.agent == whose]:
            return _at(own, at_ms).id
    return ""


def usage_of_runs(
    ids: Iterable[str], models: Sequence[ModelUsage], permissions: Sequence[ToolPermissions], /
) -> tuple[RunUsage, ...]:
    """Of each run that something is told of, in the order of the ids."""
    found = (
        RunUsage(
            run_id=one,
            models=tuple(each for each in models if each.run_id == one),
            permissions=tuple(each for each in permissions if each.run_id == one),
        )
        for one in dict.fromkeys(ids)
    )
    return tuple(one for one in found if one.models or one.permissions)


def entry_problem(entry: UsageEntry, /) -> str:
    """Why an entry is not to be believed; "" where it may be."""
    if not -AHEAD_MS_MAX <= entry.age_ms <= ENTRY_KEPT_MS - MINUTE_MS:
        return "it is dated more than a day ago, or in the future"
    counts = (entry.input_tokens, entry.output_tokens, entry.cache_read_tokens, entry.cache_write_tokens)
    if not all(0 <= count <= TOKENS_MAX for count in counts):
        return f"a request has from 0 to {TOKENS_MAX:,} tokens"
    if entry.cost_micro_usd is not None and not 0 <= entry.cost_micro_usd <= COST_MICRO_USD_MAX:
        return f"a request costs from 0 to {COST_MICRO_USD_MAX // 1_000_000:,} dollars"
    return "" if entry.session else "it names no session"


def _at(runs: Sequence[UsingRun], at_ms: int) -> UsingRun:
    begun = [run for run in runs if run.started_at_ms <= at_ms]
    if not begun:
        return min(runs, key=lambda run: (run.started_at_ms, run.is_asked, run.seq))
    under_way = [run for run in begun if run.ended_at_ms is None or at_ms <= run.ended_at_ms]
    if under_way:
        return max(under_way, key=lambda run: (run.is_asked, run.started_at_ms, run.seq))
    return max(begun, key=lambda run: (run.ended_at_ms or 0, run.seq))
