"""What git's hooks in a hurry ask the store: one question each, in few modules.

What it is not sure of is asked the way everybody else asks it.
"""

from loomstack_mcp.store.plain import boot_and_clock_ms, sql_texts
from loomstack_mcp.store.sqlite.hasty import answers


def surely_committing_run(store: str, who: "dict[str, str]", *, agent: str, certain: bool, worktree: str) -> str:
    """The run in which an agent commits in a worktree; "" where only the service can tell, or has to write.

    It is sure where every live run of the session is of that agent, in that worktree, and needs no renewal, and where
    at most one of them was asked for.
    """
    boot_id, boot_ms = boot_and_clock_ms()
    asked = {**who, "boot_id": boot_id, "boot_ms": boot_ms}
    found = answers(store, sql_texts("hasty_runs")["of_session"], asked) or []
    runs = [run for run in found if run[1] == agent or not certain]
    if not runs or not all((run[1], run[3], run[4]) == (agent, worktree, 1) for run in runs):
        return ""
    wanted = [run for run in runs if run[2] == "asked"]
    return str((wanted or runs)[0][0]) if len(wanted) < 2 else ""


def surely_holds_no_edits(store: str) -> bool:
    """Whether nothing is held for the edits of anybody, so that no commit ends such a claim."""
    return answers(store, sql_texts("hasty_runs")["edited"], {}) == []
