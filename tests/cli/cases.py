"""FollowedCases of an audit, made by hand: state what matters, default the rest."""

from typing import Any

from loomstack_mcp.cli.audit_cases import Case
from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.repairs import Repair
from loomstack_mcp.core.changes.undone import Undone, UndonePlace
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.limits import DAY_MS

HUNK = Hunk(before=1, before_lines=1, after=1, after_lines=1)


def case(sha: str, *, author: str = "Ana", whom: tuple[str, ...] = ("Bea",), **more: Any) -> Case:
    undone = tuple(
        Undone(
            change=Change(sha=f"{at:040x}", author=name, message=f"Work of {name} that is long enough to be cut"),
            hunks=at + 1, hunks_before=0, restored=1, share=0.5, same_author=False, named=False, again=False,
            places=(UndonePlace(path=f"src/{at}.py", old_path="a", by_path="a", hunk=HUNK, by=(HUNK,)),),
        )
        for at, name in enumerate(whom)
    )  # fmt: skip
    change = Change(sha=sha * 40, author=author, at_ms=DAY_MS, message=f"Change {sha} with a title that goes on and on")
    given = {"kind": "undo", "verdict": "stop", **more}
    one = Reversal(change=change, undoes=undone, agreed=(False,) * len(undone), **given)
    return Case(one=one, pages="https://forge/", line=None, command=f"git show {sha * 12} -- {'long/' * 30}a.py")


def repair(after_ms: int, share: float, who: str = "Cleo") -> Repair:
    return Repair(change=Change(sha="abc1234" + "0" * 33, author=who, at_ms=DAY_MS + after_ms), share=share)
