"""What nobody can look at: pending early, a violation at the end, named either way."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.rules import Boundaries, Checks, Content, Limits, Rule, Rulebook, Where
from loomstack_mcp.core.policy.situation import Situation, Touched

LAND = Situation(point="mcp", actions=frozenset({"land"}), now_ms=0, touched=(), message="mend it")


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("limits", Checks(limits=Limits(files_max=1))),
        ("secrets", Checks(content=Content(secrets=True))),
        ("links", Checks(content=Content(symlink_escape=True))),
        ("submodules", Checks(content=Content(submodule_change=True))),
        ("added", Checks(content=Content(forbid_added=("x",)))),
        ("weakening", Checks(content=Content(test_weakening="any"))),
        ("secrets, links", Checks(content=Content(secrets=True, symlink_escape=True))),
        ("crossings", Checks(boundaries=Boundaries(independent=("/a/**", "/b/**")))),
        ("message", Checks(message="^fix")),
    ],
)
def test_a_look_that_cannot_be_taken_is_named(name: str, check: Checks) -> None:
    book = Rulebook(rules=(Rule(id="r", why="a good reason", effect="deny", on=("land",), check=check),))
    [early] = decide(book, LAND).reasons
    [final] = decide(book, replace(LAND, point="land")).reasons

    assert (early.outcome, [one.text for one in early.violations]) == ("pending", [f"{name} is not known at mcp"])
    assert (final.outcome, [one.text for one in final.violations]) == ("fired", [f"{name} is not known here"])


def test_a_folder_that_nobody_can_look_into_holds_no_file_of_a_floating_pattern() -> None:
    rule = Rule(id="r", why="a good reason", effect="deny", on=("edit",), where=Where(paths=("*.lock",)))
    edit = Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=(Touched(path="src", is_folder=True),))

    assert decide(Rulebook(rules=(rule,)), edit).reasons == ()
