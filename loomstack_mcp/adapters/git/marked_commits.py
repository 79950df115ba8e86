"""Which changes made on purpose a landing takes back, told from history alone: the commits marked so are named."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.adapters.git import diffs, history
from loomstack_mcp.adapters.git.diffs import Unread
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.generated import named_so
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.reversals import Reversals
from loomstack_mcp.core.policy.intents import lost_intents
from loomstack_mcp.core.policy.situation import LostIntent
from loomstack_mcp.core.records import record

_KEY_BYTES = 32


@record
class MarkedCommit:
    """A commit that was made on purpose."""

    commit: str
    who: str
    text: str


def in_history(repo: Repository, base: str, after: str, marked: Sequence[MarkedCommit]) -> tuple[LostIntent, ...]:
    """What the tree `after` would take back of the marked commits, landed on `base`."""
    lines = Lines(secrets.token_bytes(_KEY_BYTES))
    by_commit = {one.commit: Intent(text=one.text, who=one.who) for one in marked}
    reversals = Reversals(ignored=named_so)
    listed = history.commits(repo, base)
    newest_ms = 0
    for change in diffs.changes(repo, listed, Unread(), lines=lines):
        # Whoever made it: what counts is that it was marked, not that another's hands take it back.
        reversals.land(replace(change, author=change.sha, account=""))
        newest_ms = max(newest_ms, change.at_ms)
    mine = replace(diffs.diff(repo, base, after, lines=lines), author="what lands", at_ms=newest_ms)

    def intent_on(landed: Change, _: Sequence[str]) -> Intent | None:
        return by_commit.get(landed.sha)

    undone, touched = reversals.undone_by(mine)
    return lost_intents(undone, touched, intent_on=intent_on, agreed=lambda _: False)
