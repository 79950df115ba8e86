"""Which test of the old tree is which of the new one, over a whole change."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import Assertion, Key, Test

_SHARE_MIN = 0.5
"""Share of a test's weight that has to come back in another one for the two to be the same test."""
SHARED_MAX = 50
"""Assertions of a test that are looked up in others, and others that are looked at for each."""


@dataclass(frozen=True, eq=False)
class PlacedTest:
    """A test and its file; two of them are the same only if they are one object."""

    path: str
    test: Test

    def weakening(self, kind: str, text: str, *, line: int = 0, hard: bool = True) -> Weakening:
        """A finding about this test; without a `line` it stands where the test starts."""
        return Weakening(kind=kind, text=text, path=self.path, line=line or self.test.line, hard=hard)


@dataclass
class Pairs:
    """`same`: old and new; `gone` and `new`: without a partner."""

    same: list[tuple[PlacedTest, PlacedTest]] = field(default_factory=list)
    gone: list[PlacedTest] = field(default_factory=list)
    new: list[PlacedTest] = field(default_factory=list)


def paired(before: Sequence[PlacedTest], after: Sequence[PlacedTest]) -> Pairs:
    """By place and name, by name elsewhere, by the same body, then by what is asserted."""
    pairs = Pairs(gone=list(before), new=list(after))
    _join(pairs, lambda one: (one.path, one.test.qualified), unique=False)
    _join(pairs, lambda one: one.test.qualified, unique=False)
    _join(pairs, lambda one: one.test.name, unique=True)
    _join(pairs, lambda one: one.test.body, unique=True)
    _join_by_assertions(pairs)
    return pairs


def nameless_key(assertion: Assertion, names: frozenset[str]) -> Key:
    """The key of an assertion without its local names, so that renaming them changes nothing."""
    kind, sides, expected, tolerance = assertion.key
    if not names:
        return assertion.key
    return kind, re.sub(r"[^\W\d]\w*", lambda name: "_" if name[0] in names else name[0], sides), expected, tolerance


def shared_weight(test: Test, other: Test) -> float:
    """The share of the first test's weight that the second has as well: 0 to 1, and 0 where the first has none."""
    mine = Counter(nameless_key(found, test.names) for found in test.live_by_case)
    theirs = Counter(nameless_key(found, other.names) for found in other.live_by_case)
    weights = {nameless_key(found, test.names): found.weight for found in test.live_by_case}
    whole = sum(weights[key] * count for key, count in mine.items())
    return sum(weights[key] * count for key, count in (mine & theirs).items()) / whole if whole else 0.0


class Holders:
    """Tests by what they assert, to find the one that another has become."""

    def __init__(self, placed: Iterable[PlacedTest]) -> None:
        self._by_key: dict[Key, list[PlacedTest]] = defaultdict(list)
        self._by_body: dict[str, PlacedTest] = {}
        self._by_name: dict[str, PlacedTest] = {}
        for one in placed:
            self._by_body.setdefault(one.test.body, one)
            self._by_name.setdefault(one.test.qualified, one)
            for key in {nameless_key(found, one.test.names) for found in one.test.live_by_case}:
                self._by_key[key].append(one)

    def nearest(self, one: PlacedTest, *, taken: Container[PlacedTest] = ()) -> PlacedTest | None:
        """The test that holds most of what this one asserts, and at least half of it."""
        shared: Counter[PlacedTest] = Counter()
        for found in one.test.live_by_case[:SHARED_MAX]:
            near = self._by_key.get(nameless_key(found, one.test.names), [])[:SHARED_MAX]
            shared.update(other for other in near if other not in taken)
        likely = [other for other, _ in shared.most_common(3)]
        best = max(likely, key=lambda it: shared_weight(one.test, it.test), default=None)
        return best if best is not None and shared_weight(one.test, best.test) >= _SHARE_MIN else None

    def same_test(self, one: PlacedTest) -> PlacedTest | None:
        """The test with the same body, the same name or the same assertions."""
        # The bodies of all tests that assert nothing may well be one: `pass`.
        by_body = self._by_body.get(one.test.body) if one.test.live else None
        return by_body or self._by_name.get(one.test.qualified) or self.nearest(one)


def _join(pairs: Pairs, key: Callable[[PlacedTest], Hashable], *, unique: bool) -> None:
    """Pair what has the same key; with `unique` only where the key says which one is meant."""
    waiting: dict[Hashable, list[PlacedTest]] = defaultdict(list)
    for one in pairs.new:
        waiting[key(one)].append(one)
    several = {found for found, count in Counter(map(key, pairs.gone)).items() if count > 1}
    gone: list[PlacedTest] = []
    for one in pairs.gone:
        found = waiting.get(key(one), [])
        if found and not (unique and (len(found) > 1 or key(one) in several)):
            pairs.same.append((one, found.pop(0)))
        else:
            gone.append(one)
    _keep_unpaired(pairs, gone)


def _join_by_assertions(pairs: Pairs) -> None:
    holders = Holders(pairs.new)
    gone: list[PlacedTest] = []
    taken: set[PlacedTest] = set()
    for one in pairs.gone:
        best = holders.nearest(one, taken=taken)
        if best is not None:
            pairs.same.append((one, best))
            taken.add(best)
        else:
            gone.append(one)
    _keep_unpaired(pairs, gone)


def _keep_unpaired(pairs: Pairs, gone: Iterable[PlacedTest]) -> None:
    taken = {new for _, new in pairs.same}
    pairs.gone = list(gone)
    pairs.new = [one for one in pairs.new if one not in taken]
