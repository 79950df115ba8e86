"""What tests lost between two trees, after all that only moved has been set off."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.tampering.model import CASES_MAX, Assertion, Key, Test
from loomstack_mcp.core.tampering.pairs import Pairs, PlacedTest, nameless_key

JUDGED_MAX = 200
"""Lost assertions of one test that are told one by one, and gained ones that each is held against."""


@dataclass(eq=False)
class Gained:
    """An assertion that the change adds, which makes up for one that it takes away, once."""

    of: PlacedTest
    found: Assertion
    taken: bool = False
    """It is the lost one itself, in another place."""
    weighed: bool = False
    """It stands for a lost one that is not quite the same; for a weaker one it may stand again."""

    def may_stand_for(self, missing: Assertion) -> bool:
        """Whether it has not yet made up for another one, or says more than this one and may do so again."""
        return not self.taken and (not self.weighed or self.found.weight > missing.weight)


@dataclass
class Pool:
    """All that the change adds."""

    exact: dict[Key, list[Gained]] = field(default_factory=lambda: defaultdict(list))
    nameless: dict[Key, list[Gained]] = field(default_factory=lambda: defaultdict(list))
    sides: dict[str, list[Gained]] = field(default_factory=lambda: defaultdict(list))
    tests: dict[PlacedTest, list[Gained]] = field(default_factory=lambda: defaultdict(list))

    def add(self, of: PlacedTest, found: Assertion) -> None:
        """The assertion may make up for a lost one from now on."""
        gained = Gained(of, found)
        self.exact[found.key].append(gained)
        self.nameless[nameless_key(found, of.test.names)].append(gained)
        self.tests[of].append(gained)
        for side in found.sides:
            self.sides[side].append(gained)

    def take(self, index: dict[Key, list[Gained]], key: Key) -> bool:
        """Use one that makes up for the key; False where none is left."""
        waiting = index.get(key, [])
        while waiting:
            gained = waiting.pop()
            if not gained.taken:
                gained.taken = True
                return True
        return False

    def near(self, missing: Assertion, new: PlacedTest) -> list[Gained]:
        """What the test has gained that may stand for the lost one."""
        return [one for one in self.tests[new] if one.may_stand_for(missing)][:JUDGED_MAX]

    def elsewhere(self, missing: Assertion) -> list[Gained]:
        """What other tests have gained about the same subject."""
        near = (one for side in missing.sides for one in self.sides[side][:JUDGED_MAX])
        return [one for one in near if one.may_stand_for(missing)]


@dataclass
class Loss:
    """What one old test no longer has, and the test that it became."""

    old: PlacedTest
    new: PlacedTest | None
    missing: list[Assertion]
    whole: float
    """The weight of all that it asserted."""


def losses(pairs: Pairs) -> tuple[list[Loss], Pool]:
    """Per old test the assertions that are nowhere any more, whatever file or test they might have gone to."""
    pool = Pool()
    for new in pairs.new:
        if new.test.skip != "always":
            for one in new.test.live_by_case:
                pool.add(new, one)
    found = [*_of_pairs(pairs, pool), *_of_gone(pairs)]
    # Every loss takes what is exactly its own before any of them takes what only looks alike.
    for loss in found:
        loss.missing = [one for one in loss.missing if not pool.take(pool.exact, one.key)]
    for loss in found:
        names = loss.old.test.names
        loss.missing = [one for one in loss.missing if not pool.take(pool.nameless, nameless_key(one, names))]
    return found, pool


def _of_pairs(pairs: Pairs, pool: Pool) -> list[Loss]:
    """What tests that are still there lack; what they have gained goes into the pool."""
    found: list[Loss] = []
    for old, new in pairs.same:
        if "always" in (old.test.skip, new.test.skip):
            continue
        mine, theirs = _comparable(old.test, new.test)
        for one in _difference(theirs, mine):
            pool.add(new, one)
        if missing := _difference(mine, theirs):
            found.append(Loss(old, new, missing, sum(one.weight for one in mine)))
    return found


def _of_gone(pairs: Pairs) -> list[Loss]:
    """All that tests asserted which are gone; nothing of one that was there twice."""
    bodies = {(new.path, new.test.body) for _, new in pairs.same}
    found: list[Loss] = []
    for old in pairs.gone:
        asserted = list(old.test.live_by_case)
        twin = bool(asserted) and (old.path, old.test.body) in bodies
        found.append(Loss(old, None, [] if twin else asserted, sum(one.weight for one in asserted)))
    return found


def _comparable(old: Test, new: Test) -> tuple[Sequence[Assertion], Sequence[Assertion]]:
    """Case by case where the cases of both are known, else as they are written."""
    if all(0 < one.cases <= CASES_MAX and (one.expanded or one.cases == 1) for one in (old, new)):
        return old.live_by_case, new.live_by_case
    return old.live, new.live


def _difference(mine: Sequence[Assertion], theirs: Sequence[Assertion]) -> list[Assertion]:
    """One of each that the others do not have at all: saying the same thing twice is no more than once."""
    known = {one.key for one in theirs}
    return list({one.key: one for one in mine if one.key not in known}.values())
