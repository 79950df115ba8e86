"""What became of the assertions that one test lost: gone, dead, weaker, about something else, or as good as before."""

from collections import Counter
from collections.abc import Iterator, Sequence

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.changed_tests import fewer_cases_finding, has_fewer_cases
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.likeness import likenesses, same_thing_of_another
from loomstack_mcp.core.tampering.losses import JUDGED_MAX, Gained, Loss, Pool
from loomstack_mcp.core.tampering.model import Assertion, Test
from loomstack_mcp.core.tampering.pairs import PlacedTest, nameless_key
from loomstack_mcp.core.tampering.substitutes import restated, weaker

_PLENTY = 1.5
"""Several weaker assertions make up for a stronger one when they weigh this much more together."""


@record
class _Heir:
    """The test that an old one became, in whose place its lost assertions are looked for."""

    old: PlacedTest
    new: PlacedTest
    pool: Pool
    newly_dead: Sequence[Assertion]
    """Assertions of the new test that can never fail, for a reason that is rarer in the old one."""
    code_changed: bool

    @property
    def name(self) -> str:
        return self.new.test.name


def loss_findings(loss: Loss, pool: Pool, *, code_changed: bool) -> Iterator[Weakening]:
    """What became of the assertions that one test lost; uses up what may stand for them in the pool."""
    if loss.new is None:
        yield from _removed_findings(loss)
        return
    old, new = loss.old.test, loss.new.test
    dead = _newly_dead(old, new)
    heir = _Heir(old=loss.old, new=loss.new, pool=pool, newly_dead=dead, code_changed=code_changed)
    fates = [_fate(one, heir) for one in loss.missing[:JUDGED_MAX]]
    kept = {(one.kind, one.line, one.text): one for one in fates if one is not None}.values()
    fewer = has_fewer_cases(old, new)
    if fewer and old.expanded and new.expanded:
        yield fewer_cases_finding(loss.old, loss.new)
    # What is missing of a case that is gone has been told by the count of the cases.
    yield from (one for one in kept if one.tampers or not fewer)


def _removed_findings(loss: Loss) -> Iterator[Weakening]:
    test, left = loss.old.test, sum(one.weight for one in loss.missing)
    if loss.whole and not loss.missing:
        return
    if loss.whole and left <= loss.whole / 2:
        text = f"{counted(len(loss.missing), 'assertion')} of {test.name} did not move with the others"
        yield loss.old.weakening("assert_removed", text, hard=test.skip != "always")
    else:
        yield loss.old.weakening("test_removed", f"{test.name} is gone", hard=test.skip != "always")


def _newly_dead(old: Test, new: Test) -> list[Assertion]:
    # By counts of the reason: lines move, and a dead assertion that is edited has another key.
    known = Counter(one.dead for one in old.assertions)
    now = Counter(one.dead for one in new.assertions)
    return [one for one in new.assertions if one.dead and now[one.dead] > known[one.dead]]


def _fate(missing: Assertion, heir: _Heir) -> Weakening | None:
    """What stands in the place of a lost assertion; None where that is as good."""
    for dead in heir.newly_dead:
        if _same_but_dead(missing, dead, heir):
            return _dead_finding(dead, heir)
    here = heir.pool.near(missing, heir.new)
    same_sides = _with_its_sides(missing, here)
    elsewhere = heir.pool.elsewhere(missing)
    if same_sides or elsewhere:
        return _of_same_subject(missing, same_sides, elsewhere, here, heir)
    fate = _of_other_subject(missing, here, heir)
    if heir.newly_dead and fate is not None and fate.kind in ("assert_removed", "assert_replaced"):
        return _dead_finding(heir.newly_dead[0], heir)
    return fate


def _same_but_dead(missing: Assertion, dead: Assertion, heir: _Heir) -> bool:
    same = nameless_key(dead, heir.new.test.names) == nameless_key(missing, heir.old.test.names)
    return same or bool(set(dead.sides) & set(missing.sides))


def _with_its_sides(missing: Assertion, here: list[Gained]) -> list[Gained]:
    same = [one for one in here if set(one.found.sides) & set(missing.sides)]
    if missing.kind == "raises" and not same:
        # What is to raise is the whole block, of which hardly anything stays the same when it is edited.
        return [one for one in here if one.found.kind == "raises"]
    return same


def _dead_finding(dead: Assertion, heir: _Heir) -> Weakening:
    text = f"an assertion of {heir.name} cannot fail: {dead.dead}"
    return heir.new.weakening("assert_dead", text, line=dead.line)


def _removed_finding(heir: _Heir) -> Weakening:
    return heir.new.weakening("assert_removed", f"an assertion of {heir.name} is gone")


def _of_same_subject(
    missing: Assertion, same_sides: list[Gained], elsewhere: list[Gained], here: list[Gained], heir: _Heir
) -> Weakening | None:
    """Something is asserted about what the lost one looked at, in the test itself or in another one."""
    strong = [one for one in (*same_sides, *elsewhere) if one.found.weight >= missing.weight]
    if strong:
        best = max(strong, key=lambda one: (one.found.kind == missing.kind, one.of is heir.new))
        best.weighed = True
        return restated(missing, best.found, heir.new, code_changed=heir.code_changed)
    if moved := [one for one in here if same_thing_of_another(missing, one.found)]:
        moved[0].weighed = True
        return None
    if not same_sides:
        return _removed_finding(heir)
    best = _heaviest(same_sides)
    if sum(one.found.weight for one in same_sides) >= _PLENTY * missing.weight:
        text = f"{heir.name} asserts several smaller things"
        return heir.new.weakening("assert_replaced", text, line=best.found.line)
    best.weighed = True
    return weaker(missing, best.found, heir.new, code_changed=heir.code_changed)


def _of_other_subject(missing: Assertion, here: list[Gained], heir: _Heir) -> Weakening | None:
    """Nothing is asserted about what the lost one looked at; then what has most in common with it stands for it."""
    alike = likenesses(missing, here)
    if as_good := alike.same_value_alike:
        as_good[0].weighed = True
        return None
    by_likeness = (*alike.same_value, *alike.around, *alike.related, *here)
    if strong := [one for one in by_likeness if one.found.weight >= missing.weight]:
        best = strong[0]
        best.weighed = True
        explained = heir.code_changed and (best in alike.same_value or best in alike.related)
        text = f"{heir.name} asserts something else"
        return heir.new.weakening("assert_replaced", text, line=best.found.line, hard=not explained)
    if alike.around:
        best = _heaviest(alike.around)
        best.weighed = True
        return weaker(missing, best.found, heir.new, code_changed=heir.code_changed)
    return _removed_finding(heir)


def _heaviest(gained: Sequence[Gained]) -> Gained:
    return max(gained, key=lambda one: one.found.weight)
