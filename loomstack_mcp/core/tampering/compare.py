"""What tests lost between two trees, after all that only moved has been set off."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import APPROX_DEFAULT, CASES_MAX, Assertion, Key, Skip, Test
from loomstack_mcp.core.tampering.pairs import Pairs, Placed, loose

_RANK: dict[Skip, int] = {"": 0, "when": 1, "always": 2}
_PLENTY = 1.5
"""Several weaker assertions make up for a stronger one when they weigh this much more together."""
JUDGED_MAX = 200
"""Lost assertions of one test that are told one by one, and gained ones that each is held against."""
_WORDS = re.compile(r"[^\W\d]\w+")
_SAID_BY_ALL = {"self", "str", "len", "int", "set", "list", "dict", "sorted", "repr", "type", "app", "result", "client"}
_OPPOSITE = {("truthy", "falsy"), ("falsy", "truthy"), ("eq", "ne"), ("ne", "eq"), ("in", "ne"), ("ne", "in")}


@dataclass(eq=False)
class Gained:
    """An assertion that the change adds, which makes up for one that it takes away, once."""

    of: Placed
    found: Assertion
    taken: bool = False
    """It is the lost one itself, in another place."""
    weighed: bool = False
    """It stands for a lost one that is not quite the same; for a weaker one it may stand again."""


@dataclass
class Pool:
    """All that the change adds."""

    exact: dict[Key, list[Gained]] = field(default_factory=lambda: defaultdict(list))
    loose: dict[Key, list[Gained]] = field(default_factory=lambda: defaultdict(list))
    sides: dict[str, list[Gained]] = field(default_factory=lambda: defaultdict(list))
    tests: dict[Placed, list[Gained]] = field(default_factory=lambda: defaultdict(list))

    def add(self, of: Placed, found: Assertion) -> None:
        gained = Gained(of, found)
        self.exact[found.key].append(gained)
        self.loose[loose(found, of.test.names)].append(gained)
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

    def near(self, missing: Assertion, new: Placed) -> list[Gained]:
        """What the test has gained that may stand for the lost one."""
        return [one for one in self.tests[new] if _free(one, missing)][:JUDGED_MAX]

    def elsewhere(self, missing: Assertion) -> list[Gained]:
        """What other tests have gained about the same subject."""
        return [one for side in missing.sides for one in self.sides[side][:JUDGED_MAX] if _free(one, missing)]


def _free(gained: Gained, missing: Assertion) -> bool:
    return not gained.taken and (not gained.weighed or gained.found.weight > missing.weight)


@dataclass
class Loss:
    """What one old test no longer has, and the test that it became."""

    old: Placed
    new: Placed | None
    missing: list[Assertion]
    whole: float
    """The weight of all that it asserted."""


def losses(pairs: Pairs) -> tuple[list[Loss], Pool]:
    """Per old test the assertions that are nowhere any more, whatever file or test they might have gone to."""
    pool = Pool()
    found: list[Loss] = []
    for new in pairs.new:
        for one in new.test.spelled if new.test.skip != "always" else ():
            pool.add(new, one)
    for old, new in pairs.same:
        if old.test.skip == "always" or new.test.skip == "always":
            continue
        mine, theirs = _comparable(old.test, new.test)
        missing, gained = _difference(mine, theirs), _difference(theirs, mine)
        for one in gained:
            pool.add(new, one)
        if missing:
            found.append(Loss(old, new, missing, sum(one.weight for one in mine)))
    bodies = {(new.path, new.test.body) for _, new in pairs.same}
    for old in pairs.gone:
        spelled = list(old.test.spelled)
        twin = bool(spelled) and (old.path, old.test.body) in bodies
        found.append(Loss(old, None, [] if twin else spelled, sum(one.weight for one in spelled)))
    for loss in found:
        loss.missing = [one for one in loss.missing if not pool.take(pool.exact, one.key)]
    for loss in found:
        names = loss.old.test.names
        loss.missing = [one for one in loss.missing if not pool.take(pool.loose, loose(one, names))]
    return found, pool


def _comparable(old: Test, new: Test) -> tuple[Sequence[Assertion], Sequence[Assertion]]:
    """Case by case where the cases of both are known, else as they are written."""
    if all(0 < one.cases <= CASES_MAX and (one.expanded or one.cases == 1) for one in (old, new)):
        return old.spelled, new.spelled
    return old.live, new.live


def _difference(mine: Sequence[Assertion], theirs: Sequence[Assertion]) -> list[Assertion]:
    """One of each that the others do not have at all: saying the same thing twice is no more than once."""
    known = {one.key for one in theirs}
    return list({one.key: one for one in mine if one.key not in known}.values())


def pair_findings(old: Placed, new: Placed) -> Iterator[Weakening]:
    """What happened to a test as a whole: skipped, fewer cases, or no longer the real thing under test."""
    name = new.test.name
    before, after = old.test.skip, new.test.skip
    if _RANK[after] > _RANK[before]:
        how = "is skipped or expected to fail now" if after == "always" else "is skipped under a condition now"
        yield _finding("skip_added", f"{name} {how}", new, hard=after == "always")
    elif new.test.skipped_cases > old.test.skipped_cases and 0 < new.test.cases < old.test.cases:
        more = new.test.skipped_cases - old.test.skipped_cases
        yield _finding("skip_added", f"{more} cases of {name} are skipped now", new)
    if before == "always" or after == "always":
        return
    if 0 < new.test.cases < old.test.cases and not (old.test.expanded and new.test.expanded):
        yield _fewer_cases(old, new)
    replaced = set(new.test.mocked) - set(old.test.mocked)
    for owner, attribute in sorted(replaced):
        if _is_subject(owner, attribute, old.test):
            yield _finding("subject_mocked", f"{name} replaces {attribute}, which it is to test", new)
    if unguarded := _newly_guarded(old.test, new.test):
        yield _finding("assert_loosened", f"{unguarded} of {name} run only under a condition now", new, hard=False)


def _fewer_cases(old: Placed, new: Placed) -> Weakening:
    text = f"{new.test.name} had {old.test.cases} cases and has {new.test.cases}"
    return _finding("cases_removed", text, new)


def _newly_guarded(old: Test, new: Test) -> int:
    free = {one.key for one in old.live if not one.guarded}
    still = {one.key for one in new.live if not one.guarded}
    return len({one.key for one in new.live if one.guarded and one.key in free and one.key not in still})


def _is_subject(owner: str, attribute: str, old: Test) -> bool:
    text = "\n".join(side for one in old.live for side in one.sides)
    if not attribute or not re.search(rf"\b{re.escape(attribute)} ?\(", text):
        return False
    bare = re.search(rf"(?<![\w.]){re.escape(attribute)} ?\(", text)
    return bare is not None or bool(owner and re.search(rf"\b{re.escape(owner)}\b", text, re.IGNORECASE))


def loss_findings(loss: Loss, pool: Pool, *, code_changed: bool) -> Iterator[Weakening]:
    """What became of the assertions that one test lost."""
    if loss.new is None:
        yield from _removed(loss)
        return
    fewer = 0 < loss.new.test.cases < loss.old.test.cases
    found = [_fate(one, loss.new, loss.old, pool, code_changed=code_changed) for one in loss.missing[:JUDGED_MAX]]
    kept = {(one.kind, one.line, one.text): one for one in found if one is not None}.values()
    if fewer and loss.old.test.expanded and loss.new.test.expanded:
        yield _fewer_cases(loss.old, loss.new)
    yield from (one for one in kept if one.tampers or not fewer)


def _removed(loss: Loss) -> Iterator[Weakening]:
    test, left = loss.old.test, sum(one.weight for one in loss.missing)
    if loss.whole and not loss.missing:
        return
    if loss.whole and left <= loss.whole / 2:
        text = f"{len(loss.missing)} assertions of {test.name} did not move with the others"
        yield _finding("assert_removed", text, loss.old, hard=test.skip != "always")
    else:
        yield _finding("test_removed", f"{test.name} is gone", loss.old, hard=test.skip != "always")


def _fate(missing: Assertion, new: Placed, old: Placed, pool: Pool, *, code_changed: bool) -> Weakening | None:
    """What stands in the place of a lost assertion; None where that is as good."""
    key = loose(missing, old.test.names)
    known = Counter(one.dead for one in old.test.assertions)
    now = Counter(one.dead for one in new.test.assertions)
    dead = [one for one in new.test.assertions if one.dead and now[one.dead] > known[one.dead]]
    for one in dead:
        if loose(one, new.test.names) == key or set(one.sides) & set(missing.sides):
            return _finding(
                "assert_dead", f"an assertion of {new.test.name} cannot fail: {one.dead}", new, line=one.line
            )
    here = pool.near(missing, new)
    about_same = [one for one in here if set(one.found.sides) & set(missing.sides)]
    elsewhere = pool.elsewhere(missing)
    if missing.kind == "raises":
        about_same = about_same or [one for one in here if one.found.kind == "raises"]
    if about_same or elsewhere:
        return _same_subject(missing, about_same, elsewhere, here, new, code_changed=code_changed)
    found = _other_subject(missing, here, new, code_changed=code_changed)
    if dead and found is not None and found.kind in ("assert_removed", "assert_replaced"):
        text = f"an assertion of {new.test.name} cannot fail: {dead[0].dead}"
        return _finding("assert_dead", text, new, line=dead[0].line)
    return found


def _same_subject(
    missing: Assertion,
    here: list[Gained],
    elsewhere: list[Gained],
    near: list[Gained],
    new: Placed,
    *,
    code_changed: bool,
) -> Weakening | None:
    strong = [one for one in (*here, *elsewhere) if one.found.weight >= missing.weight]
    if strong:
        best = max(strong, key=lambda one: (one.found.kind == missing.kind, one.of is new))
        best.weighed = True
        return _changed(missing, best.found, new, code_changed=code_changed)
    if moved := [one for one in near if _same_value(missing, one.found)]:
        moved[0].weighed = True
        return None
    if not here:
        return _finding("assert_removed", f"an assertion of {new.test.name} is gone", new)
    best = max(here, key=lambda one: one.found.weight)
    if sum(one.found.weight for one in here) >= _PLENTY * missing.weight:
        return _finding("assert_replaced", f"{new.test.name} asserts several smaller things", new, line=best.found.line)
    best.weighed = True
    return _weaker(missing, best.found, new, code_changed=code_changed)


def _changed(missing: Assertion, now: Assertion, new: Placed, *, code_changed: bool) -> Weakening | None:
    """The same thing, asserted as strongly: another value, or just in other words."""
    if missing.kind == now.kind == "approx" and now.tolerance > missing.tolerance * 1.001 and missing.tolerance:
        return _finding("tolerance_loosened", f"{new.test.name} allows {now.tolerance:g} now", new, line=now.line)
    opposite = (missing.kind, now.kind) in _OPPOSITE
    if opposite or (missing.kind == now.kind and (missing.expected, missing.sides) != (now.expected, now.sides)):
        text = f"{new.test.name} expects something else"
        return _finding("expected_changed", text, new, line=now.line, hard=not code_changed)
    return None


def _weaker(missing: Assertion, now: Assertion, new: Placed, *, code_changed: bool) -> Weakening | None:
    if missing.empty and now.kind == "falsy":
        return None
    if (missing.kind, now.kind) in _OPPOSITE and missing.expected == now.expected:
        text = f"{new.test.name} expects the opposite"
        return _finding("expected_changed", text, new, line=now.line, hard=not code_changed)
    if now.kind == "approx":
        hard = missing.kind == "eq" and now.tolerance > APPROX_DEFAULT * 1.001
        text = f"{new.test.name} allows {now.tolerance:g} where it was exact"
        return _finding("tolerance_loosened", text, new, line=now.line, hard=hard)
    text = (
        f"{new.test.name} asserts {_WORD.get(now.kind, now.kind)} where it was {_WORD.get(missing.kind, missing.kind)}"
    )
    if now.kind == missing.kind == "raises":
        text = f"{new.test.name} accepts more exceptions or messages"
    return _finding("assert_loosened", text, new, line=now.line, hard=missing.weight - now.weight >= 1)


_WORD = {
    "eq": "equality",
    "in": "membership",
    "ne": "a difference",
    "type": "a type",
    "order": "an order",
    "call": "a call",
}


def _other_subject(missing: Assertion, here: list[Gained], new: Placed, *, code_changed: bool) -> Weakening | None:
    around = [one for one in here if any(_contains(a, b) for a in one.found.sides for b in missing.sides)]
    around = [one for one in around if one.found.kind != "ne"]  # too little in common to call it the same, loosened
    same_value = [one for one in here if missing.expected and one.found.expected == missing.expected]
    related = [one for one in here if _words(one.found) & _words(missing)]
    for best in (one for one in same_value if one in around or one in related):
        best.weighed = True
        return None
    strong = [one for one in (*same_value, *around, *related, *here) if one.found.weight >= missing.weight]
    if strong:
        best = strong[0]
        best.weighed = True
        text = f"{new.test.name} asserts something else"
        explained = code_changed and (best in same_value or best in related)
        return _finding("assert_replaced", text, new, line=best.found.line, hard=not explained)
    if around:
        best = max(around, key=lambda one: one.found.weight)
        best.weighed = True
        return _weaker(missing, best.found, new, code_changed=code_changed)
    return _finding("assert_removed", f"an assertion of {new.test.name} is gone", new)


def _same_value(missing: Assertion, now: Assertion) -> bool:
    """The same kind of thing is said with the same value, about something that shares a name."""
    same = missing.kind == now.kind and missing.expected == now.expected != ""
    return same and bool(_words(now) & _words(missing))


def _contains(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) > 2 and re.search(rf"(?<!\w){re.escape(shorter)}(?!\w)", longer) is not None


def _words(found: Assertion) -> set[str]:
    return set(_WORDS.findall(" ".join(found.sides))) - _SAID_BY_ALL


def _finding(kind: str, text: str, at: Placed, *, line: int = 0, hard: bool = True) -> Weakening:
    return Weakening(kind=kind, text=text, path=at.path, line=line or at.test.line, hard=hard)
