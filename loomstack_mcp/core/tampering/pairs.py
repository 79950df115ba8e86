"""Which test of the old tree is which of the new one, over a whole change."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.tampering.model import Assertion, Key, Test

_OVERLAP_MIN = 0.5
"""Share of a test's weight that has to come back in another one for the two to be the same test."""
SHARED_MAX = 50
"""Assertions of a test that are looked up in others, and others that are looked at for each."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A test and its file; two of them are the same only if they are one object."""

    path: str
    test: Test


@dataclass
class Pairs:
    """`same`: old and new; `gone` and `new`: without a partner."""

    same: list[tuple[Placed, Placed]] = field(default_factory=list)
    gone: list[Placed] = field(default_factory=list)
    new: list[Placed] = field(default_factory=list)


def paired(before: Sequence[Placed], after: Sequence[Placed]) -> Pairs:
    """By place and name, by name elsewhere, by the same body, then by what is asserted."""
    pairs = Pairs(gone=list(before), new=list(after))
    _join(pairs, lambda one: (one.path, one.test.qualified), unique=False)
    _join(pairs, lambda one: one.test.qualified, unique=False)
    _join(pairs, lambda one: one.test.name, unique=True)
    _join(pairs, lambda one: one.test.body, unique=True)
    _by_assertions(pairs)
    return pairs


def loose(assertion: Assertion, names: frozenset[str]) -> Key:
    """The key of an assertion without its local names, so that renaming them changes nothing."""
    kind, sides, expected, tolerance = assertion.key
    if not names:
        return assertion.key
    return kind, re.sub(r"[^\W\d]\w*", lambda name: "_" if name[0] in names else name[0], sides), expected, tolerance


def overlap(one: Test, other: Test) -> float:
    """Share of the first test's weight that the second has as well."""
    mine = Counter(loose(found, one.names) for found in one.spelled)
    theirs = Counter(loose(found, other.names) for found in other.spelled)
    weights = {loose(found, one.names): found.weight for found in one.spelled}
    whole = sum(weights[key] * count for key, count in mine.items())
    return sum(weights[key] * count for key, count in (mine & theirs).items()) / whole if whole else 0.0


def _join(pairs: Pairs, key: Callable[[Placed], Hashable], *, unique: bool) -> None:
    """Pair what has the same key; with `unique` only where the key says which one is meant."""
    waiting: dict[Hashable, list[Placed]] = defaultdict(list)
    for one in pairs.new:
        waiting[key(one)].append(one)
    several = {found for found, count in Counter(map(key, pairs.gone)).items() if count > 1}
    gone: list[Placed] = []
    for one in pairs.gone:
        found = waiting.get(key(one), [])
        if found and not (unique and (len(found) > 1 or key(one) in several)):
            pairs.same.append((one, found.pop(0)))
        else:
            gone.append(one)
    _rest(pairs, gone)


class Holders:
    """Tests by what they assert, to find the one that another has become."""

    def __init__(self, placed: Iterable[Placed]) -> None:
        self._by_key: dict[Key, list[Placed]] = defaultdict(list)
        self._by_body: dict[str, Placed] = {}
        self._by_name: dict[str, Placed] = {}
        for one in placed:
            self._by_body.setdefault(one.test.body, one)
            self._by_name.setdefault(one.test.qualified, one)
            for key in {loose(found, one.test.names) for found in one.test.spelled}:
                self._by_key[key].append(one)

    def nearest(self, one: Placed, *, taken: Container[Placed] = ()) -> Placed | None:
        """The test that holds most of what this one asserts, and at least half of it."""
        shared: Counter[Placed] = Counter()
        for found in one.test.spelled[:SHARED_MAX]:
            near = self._by_key.get(loose(found, one.test.names), [])[:SHARED_MAX]
            shared.update(other for other in near if other not in taken)
        likely = [other for other, _ in shared.most_common(3)]
        best = max(likely, key=lambda it: overlap(one.test, it.test), default=None)
        return best if best is not None and overlap(one.test, best.test) >= _OVERLAP_MIN else None

    def same(self, one: Placed) -> Placed | None:
        """The test with the same body, the same name or the same assertions."""
        by_body = self._by_body.get(one.test.body) if one.test.live else None
        return by_body or self._by_name.get(one.test.qualified) or self.nearest(one)


def _by_assertions(pairs: Pairs) -> None:
    holders = Holders(pairs.new)
    gone: list[Placed] = []
    taken: set[Placed] = set()
    for one in pairs.gone:
        best = holders.nearest(one, taken=taken)
        if best is not None:
            pairs.same.append((one, best))
            taken.add(best)
        else:
            gone.append(one)
    _rest(pairs, gone)


def _rest(pairs: Pairs, gone: Iterable[Placed]) -> None:
    taken = {new for _, new in pairs.same}
    pairs.gone = list(gone)
    pairs.new = [one for one in pairs.new if one not in taken]
