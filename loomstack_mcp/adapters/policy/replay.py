"""A history held against rules: what they would have stopped, had they held when it landed."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import committed_at_ms
from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.decision_views import reasons_shown
from loomstack_mcp.core.policy.needs import needs_store
from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.core.policy.situation import Actor

_EMPTY = "0" * 40


def replayed(repo: Repository, book: Rulebook, *, last: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Each commit of the trunk's first-parent line as a landing of a loop: `{commits, seconds, stopped, skipped}`.

    Rules that need what only the store knew at that time are skipped, and named. Raises NotFound without a commit.
    """
    began = time.monotonic()
    repo.must_have_history()
    ref = repo.trunk or "HEAD"
    commits = _commits(repo, ref, last)
    judged = replace(book, rules=tuple(rule for rule in book.rules if not needs_store(rule)))
    stopped = []
    for done, (sha, parents, seconds, title) in enumerate(commits, start=1):
        base = parents.split(" ")[0] or _EMPTY
        found, _ = situations.landing(repo, base, sha, point="land", branch=repo.branch_name(ref))
        actor = Actor(kind="loop", loop="", developer="", agent="", roles=())
        decision = decide(judged, replace(found, actor=actor, now_ms=committed_at_ms(seconds), message=title))
        if decision.answer in ("deny", "require_approval"):
            stopped.append(
                {"commit": sha, "title": title, "decision": decision.answer, "reasons": reasons_shown(decision)}
            )
        progress(done, len(commits))
    return {
        "commits": len(commits),
        "seconds": round(time.monotonic() - began, 2),
        "stopped": stopped,
        "skipped": [rule.id for rule in book.rules if needs_store(rule)],
    }


def _commits(repo: Repository, ref: str, last: int) -> list[list[str]]:
    """Sha, parents, seconds and title of each, oldest first."""
    asked = ("log", "--first-parent", f"--max-count={last}", "--format=%H%x00%P%x00%ct%x00%s")
    listed = repo.run_plain(*asked, repo.commit(ref)).text
    # Git ends a line at a line feed alone; a title may hold what `splitlines` ends one at, U+2028 or a form feed.
    return [line.split("\0") for line in reversed(listed.split("\n")) if line]
