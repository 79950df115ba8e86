"""What happened to a test as a whole: skipped, fewer cases, or no longer the real thing under test."""

import re
from collections.abc import Iterator

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import Skip, Test
from loomstack_mcp.core.tampering.pairs import PlacedTest

_RANK: dict[Skip, int] = {"": 0, "when": 1, "always": 2}


def pair_findings(old: PlacedTest, new: PlacedTest) -> Iterator[Weakening]:
    """What the change does to a test beside its assertions; of one that is skipped always only that it is."""
    yield from _skip_findings(old, new)
    if "always" in (old.test.skip, new.test.skip):
        return
    if has_fewer_cases(old.test, new.test) and not (old.test.expanded and new.test.expanded):
        yield fewer_cases_finding(old, new)
    replaced = set(new.test.mocked) - set(old.test.mocked)
    for owner, attribute in sorted(replaced):
        if _is_subject(owner, attribute, old.test):
            yield new.weakening("subject_mocked", f"{new.test.name} replaces {attribute}, which it is to test")
    if unguarded := _newly_guarded(old.test, new.test):
        text = f"{unguarded} of {new.test.name} run only under a condition now"
        yield new.weakening("assert_loosened", text, hard=False)


def has_fewer_cases(old: Test, new: Test) -> bool:
    """Whether it runs less often than it did; not where it cannot be read how often it runs."""
    return 0 < new.cases < old.cases


def fewer_cases_finding(old: PlacedTest, new: PlacedTest) -> Weakening:
    """That some of its cases are gone."""
    return new.weakening(
        "cases_removed", f"{new.test.name} had {counted(old.test.cases, 'case')} and has {new.test.cases}"
    )


def _skip_findings(old: PlacedTest, new: PlacedTest) -> Iterator[Weakening]:
    name, after = new.test.name, new.test.skip
    more = new.test.skipped_cases - old.test.skipped_cases
    if _RANK[after] > _RANK[old.test.skip]:
        how = "is skipped or expected to fail now" if after == "always" else "is skipped under a condition now"
        yield new.weakening("skip_added", f"{name} {how}", hard=after == "always")
    elif more > 0 and has_fewer_cases(old.test, new.test):
        yield new.weakening("skip_added", f"{counted(more, 'more case')} of {name} skipped now")


def _newly_guarded(old: Test, new: Test) -> int:
    free = {one.key for one in old.live if not one.guarded}
    still = {one.key for one in new.live if not one.guarded}
    return len({one.key for one in new.live if one.guarded and one.key in free and one.key not in still})


def _is_subject(owner: str, attribute: str, old: Test) -> bool:
    """Whether what is replaced is called in what the test asserts: as it stands, or of an owner that it names."""
    text = "\n".join(side for one in old.live for side in one.sides)
    # Go and JavaScript are spelled in tokens with spaces between them: `total ( cart )`.
    if not attribute or not re.search(rf"\b{re.escape(attribute)} ?\(", text):
        return False
    bare = re.search(rf"(?<![\w.]){re.escape(attribute)} ?\(", text)
    return bare is not None or bool(owner and re.search(rf"\b{re.escape(owner)}\b", text, re.IGNORECASE))
