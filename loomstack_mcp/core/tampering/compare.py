"""The tests of test files before and after a change, compared: what is lost, hidden, skipped or left alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.changed_tests import pair_findings
from loomstack_mcp.core.tampering.fates import loss_findings
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.losses import Loss, losses
from loomstack_mcp.core.tampering.model import Inventory, Test
from loomstack_mcp.core.tampering.pairs import Holders, PlacedTest, paired
from loomstack_mcp.core.tampering.paths import found_by_runner, holds_tests, in_test_folder

Inventories = Mapping[str, Inventory]
"""The tests of several files, by path."""


@record
class ChangeFacts:
    """What else is to be known of a change to judge its tests."""

    old_paths: frozenset[str]
    """The files that it touches, as far as they were there before."""
    code_changed: bool
    """It touches code that is tested, which may explain a new expectation."""
    runners_look_elsewhere: bool
    """It tells a runner of other folders or names, so that tests may move there."""

    @cached_property
    def odd_names_before(self) -> bool:
        """Some of the files held tests that a runner with its usual settings passes by, so that others may as well."""
        return any(holds_tests(path) and not found_by_runner(path) for path in self.old_paths)


def inventory_findings(before: Inventories, after: Inventories, change: ChangeFacts) -> Iterator[Weakening]:
    """How the change weakens the tests that were there before, wherever in it they have gone."""
    placed = [
        PlacedTest(path, _uncollected_if_out_of_sight(test, path, change))
        for path, one in after.items()
        for test in one.tests
    ]
    pairs = paired(_tests_before(before, after), [one for one in placed if not one.test.uncollected])
    lost, pool = losses(pairs)
    for old, new in pairs.same:
        yield from pair_findings(old, new)
        if _left_test_folder(old, new) and not change.runners_look_elsewhere:
            yield _hidden_finding(old, new, "its file has left the test folder")
    hidden = _Hidden(_newly_uncollected(before, placed))
    for loss in lost:
        where = hidden.place_of(loss)
        if where is not None:
            yield _hidden_finding(loss.old, where, where.test.uncollected)
        else:
            yield from loss_findings(loss, pool, code_changed=change.code_changed)
    yield from _only_findings(before, after)


def _tests_before(before: Inventories, after: Inventories) -> list[PlacedTest]:
    """Those that a runner found; none of a file that cannot be read now, which is told as a whole."""
    unreadable_now = {path for path, one in after.items() if one.error}
    readable = [path for path in before if holds_tests(path) and path not in unreadable_now]
    return [PlacedTest(path, test) for path in readable for test in before[path].tests if not test.uncollected]


def _uncollected_if_out_of_sight(test: Test, path: str, change: ChangeFacts) -> Test:
    """A test in a new file that no runner looks into is one that is not collected."""
    if test.uncollected or found_by_runner(path):
        return test
    expected = path in change.old_paths or change.runners_look_elsewhere or change.odd_names_before
    if expected and holds_tests(path):
        return test
    return replace(test, uncollected="its file does not look like one of tests")


def _left_test_folder(old: PlacedTest, new: PlacedTest) -> bool:
    return in_test_folder(old.path) and not in_test_folder(new.path) and new.path.endswith(".py")


def _newly_uncollected(before: Inventories, placed: Sequence[PlacedTest]) -> list[PlacedTest]:
    known = {(path, test.qualified) for path, one in before.items() for test in one.tests if test.uncollected}
    return [one for one in placed if one.test.uncollected and (one.path, one.test.qualified) not in known]


class _Hidden:
    """Tests that stand there and are not collected, where they were or not there before."""

    def __init__(self, uncollected: Sequence[PlacedTest]) -> None:
        self._holders = Holders(uncollected)
        self._by_place = {(one.path, one.test.qualified, one.test.body): one for one in uncollected}

    def place_of(self, loss: Loss) -> PlacedTest | None:
        """Where a test that lost something still stands, unseen by a runner; None where it is nowhere."""
        old = loss.old
        # A later test of the same name took the name, and the old one is still there.
        where = self._by_place.get((old.path, old.test.qualified, old.test.body))
        if where is None and loss.new is None and (loss.missing or not loss.whole):
            where = self._holders.same_test(old)
        return where


def _hidden_finding(old: PlacedTest, new: PlacedTest, why: str) -> Weakening:
    text = f"{old.test.name} is not found by a runner now: {why}"
    return new.weakening("not_collected", text, hard=old.test.skip != "always")


def _only_findings(before: Inventories, after: Inventories) -> Iterator[Weakening]:
    for path, one in after.items():
        was = before.get(path)
        if one.only and was is not None and not was.only and was.tests:
            text = "one test is marked `only`, so that the others do not run"
            yield Weakening(kind="skip_added", text=text, path=path)
