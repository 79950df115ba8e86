"""Which commits there are, when they landed and who made them; not what they changed."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, as_text, committed_at_ms
from loomstack_mcp.core.changes.branches import arrivals
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.trailers import named_runs
from loomstack_mcp.core.errors import Invalid, NotFound

_LINE_MAX = 20_000
"""Of the first-parent line, to find where the window begins."""
_MADE = "--format=%H%x00%ct%x00%at%x00%aN%x00%aE%x00%B%x00"


@dataclass(frozen=True)
class Made:
    """A commit, as its maker signed it."""

    sha: str
    at_ms: int
    written_ms: int
    author: str
    address: str
    message: str

    @property
    def runs(self) -> str:
        """What its `Loom-Run:` lines say, wherever in its message they stand."""
        return ",".join(named_runs(self.message))


def base_of(repo: Repository, target: str, *, head: str = "HEAD") -> str:
    """The commit that `head` and `target` have in common. Raises NotFound."""
    repo.must_have_history()
    if not (onto := repo.commit(target)):
        raise NotFound(f"base {target[:100]} is no commit here; name a branch, or leave it out for the trunk")
    found = repo.fork(repo.commit(head), onto)
    if not found:
        raise NotFound(f"{head[:100]} and {target[:100]} share no commit; fetch the trunk, or name another base")
    return found


def commits(repo: Repository, tip: str, *, since_ms: int = 0, last: int = 0) -> tuple[Change, ...]:
    """The commits reachable from `tip`, parents first: when each was made and on what, not what it changed.

    Those before `since_ms` are left out one by one: a wrong clock hides nothing behind it. Raises Invalid where git
    cannot follow the history.
    """
    asked = ["rev-list", "--date-order", "--reverse", "--timestamp", "--parents"]
    asked += [f"--max-count={last}"] if last else []
    return tuple(change for change in _listed(repo, *asked, "--end-of-options", tip) if change.at_ms >= since_ms)


def landed(repo: Repository, tip: str, *, since_ms: int) -> tuple[Change, ...]:
    """The commits that landed on `tip` since a time, parents first, each with when it landed: with its merge.

    A commit of the first-parent line landed no earlier than those before it, whatever its clock said.
    """
    line = _listed(repo, "rev-list", "--first-parent", "--timestamp", "--parents", f"--max-count={_LINE_MAX}", tip)
    at_ms: dict[str, int] = {}
    newest = 0
    for change in reversed(line):
        newest = at_ms[change.sha] = max(newest, change.at_ms)
    old = next((f"^{change.sha}" for change in line if at_ms[change.sha] < since_ms), "")
    asked = ("rev-list", "--topo-order", "--reverse", "--timestamp", "--parents", tip, *([old] if old else []))
    history = _listed(repo, *asked)
    arrived = arrivals(history, history[-1].sha) if history else {}
    return tuple(replace(one, at_ms=at_ms.get(arrived.get(one.sha, ""), one.at_ms)) for one in history)


def with_window(repo: Repository, tip: str, judged: Sequence[Change], *, window_ms: int) -> tuple[Change, ...]:
    """The commits `judged`, reachable from `tip`, and what landed there within a window before, parents first.

    Each with when it landed.
    """
    wanted = {change.sha: change for change in judged}
    line = _listed(repo, "rev-list", "--first-parent", "--timestamp", "--parents", f"--max-count={_LINE_MAX}", tip)
    # By the line alone: the clock of a commit beside it may have been wrong by years.
    first_ms = min((change.at_ms for change in line if change.sha in wanted), default=line[0].at_ms if line else 0)
    found = landed(repo, tip, since_ms=max(1, first_ms - window_ms))
    known = {change.sha for change in found}
    return (*(change for change in judged if change.sha not in known), *found)


def made_since(repo: Repository, base: str, head: str) -> tuple[Made, ...]:
    """The commits of `head` that `base` ("" for none) has not, newest first. Raises Invalid where git cannot tell."""
    tip, below = repo.commit(head), repo.commit(base) if base else ""
    ran = repo.run_plain("log", _MADE, "--end-of-options", tip or head, *([f"^{below or base}"] if base else []))
    if ran.code:
        raise Invalid(f"git cannot tell who made {head[:12]}: {ran.complaint}")
    return _printed(ran.printed)


def dated(repo: Repository, head: str, *, limit: int) -> tuple[tuple[str, int], ...]:
    """The newest commits of `head`, a whole id, and when each says that it was committed."""
    ran = repo.run_plain("log", f"--max-count={limit}", "--format=%H %ct", "--end-of-options", head)
    return tuple((sha, committed_at_ms(at)) for sha, _, at in (line.partition(" ") for line in ran.text.splitlines()))


def signed(repo: Repository, shas: Sequence[str], run_id: str) -> tuple[str, ...]:
    """Those of some commits, by their whole ids, whose messages name a run."""
    ran = repo.run_plain("log", "--no-walk=unsorted", _MADE, "--end-of-options", *shas) if shas else None
    return tuple(one.sha for one in _printed(ran.printed) if run_id in one.runs.split(",")) if ran else ()


def author_here(repo: Repository) -> tuple[str, str]:
    """Who commits here, as history names them: name and address, each "" where git was not told."""
    told = {name: os.environ[name] for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL") if name in os.environ}
    ident = repo.run("var", "GIT_AUTHOR_IDENT", variables=told).text
    who = re.fullmatch(r"(.*?) ?<(.*)> .*", ident)
    mapped = who and re.fullmatch(r"(.*?) ?<(.*)>", repo.run_plain("check-mailmap", f"{who[1]} <{who[2]}>").text)
    found = mapped or who
    return (found[1], found[2]) if found else ("", "")


def _printed(log: bytes) -> tuple[Made, ...]:
    fields = [field.strip("\n") for field in as_text(log).split("\0")]
    return tuple(
        Made(sha, committed_at_ms(seconds), committed_at_ms(written), *who)
        for sha, seconds, written, *who in (fields[at : at + 6] for at in range(0, len(fields) - 6, 6))
    )


def _listed(repo: Repository, *asked: str) -> tuple[Change, ...]:
    """The commits that a `rev-list --timestamp --parents` names."""
    ran = repo.run(*asked, seconds_max=READ_SECONDS_MAX)
    if ran.code:
        raise Invalid(f"git cannot follow the history here: {ran.complaint}")
    return tuple(_commit(line.split()) for line in as_text(ran.printed).splitlines())


def _commit(fields: Sequence[str]) -> Change:
    return Change(sha=fields[1], parents=tuple(fields[2:]), at_ms=committed_at_ms(fields[0]))
