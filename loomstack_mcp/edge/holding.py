"""Files held where an edit of them was judged free and allowed: for the run of whoever edits, without a word."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from loomstack_mcp.adapters.git.written import Written
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.edits import CloserLook, refused_edit, unclaimed_edit
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.same_lines import lines_told
from loomstack_mcp.quick import Quick

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.events import DueAlert


@record
class Free:
    """A repository in which nobody is in the way of an edit."""

    checkout: Checkout
    written: Written
    settings: Settings
    """As the repository itself has them."""
    stamp: str
    look: CloserLook

    @property
    def stamps(self) -> dict[str, str]:
        """The stamp of each worktree that is written to."""
        return {str(top): self.stamp for top in self.written.tops}

    @property
    def sighted(self) -> str:
        """What a glance may take for granted of `claim_edits`; "" where a variable says it, which may change."""
        return "" if self.settings.origins["claim_edits"] == "environment" else self.settings.claim_edits


def held_files(
    quick: Quick, caller: Caller, action: Action, free: Sequence[Free]
) -> "tuple[str, tuple[DueAlert, ...] | None]":
    """Hold what is about to be edited. Returns what is said where that may not be; "" where it goes on.

    And what the agent has to hear then, where that was asked.

    It goes on, too, where nothing can be held: the store was free to say that nobody stands in the way.
    """
    due = None
    for each in free:
        for top in each.written.tops if each.settings.claim_edits != "off" else ():
            patterns = [pattern for pattern, inside in each.written.patterns.items() if inside == top]
            checkout = replace(each.checkout, worktree=str(top))
            with suppress(LoomError):
                found = quick.edits.hold(caller, checkout, patterns, claim_edits=each.settings.claim_edits)
                if found.blockers:
                    lines = lines_told(action, top, found.blockers[0])
                    return refused_edit(found.blockers, now_ms=found.now_ms, lines=lines), None
                if found.unclaimed:
                    return unclaimed_edit(found.unclaimed), None
                due = found.due
    return "", due
