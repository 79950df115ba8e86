"""What a test file checks, in plain records, whatever the language."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Literal, Protocol

from loomstack_mcp.core.records import record

Skip = Literal["", "when", "always"]
"""Whether a test is skipped (or expected to fail): never, under a condition, always."""
Key = tuple[str, str, str, float]
"""What makes two assertions the same: kind, sides, expected value, tolerance."""

FileContents = Mapping[str, bytes]
"""What several files hold, by path."""

FILE_BYTES_MAX = 1_000_000
"""A larger file is not read: `unreadable` says so."""
FILE_LINES_MAX = 20_000
"""Nor is one with more lines."""
CASES_MAX = 64
"""Cases of one parametrised test or literal loop that are spelled out one by one."""
TEST_STEPS_MAX = 5_000
CASE_STEPS_MAX = 400
FILE_STEPS_MAX = 100_000
"""Statements that are followed, each time they are: through loops, helpers and cases; a long one counts as several."""

WEIGHTS = {
    "eq": 4.0,
    "raises": 4.0,
    "approx": 3.0,
    "in": 3.0,
    "snapshot": 3.0,
    "call": 2.0,
    "ne": 2.0,
    "type": 2.0,
    "order": 2.0,
    "fail": 2.0,
    "truthy": 1.0,
    "falsy": 1.0,
}
"""How much an assertion of each kind says; a dead one says nothing."""
BROAD_RAISES = 2.0
"""The weight of `raises(Exception)`."""
MATCH_BONUS = 0.5
"""What a pattern for the message adds."""
APPROX_DEFAULT = 1e-6
"""The tolerance of `pytest.approx` when none is given."""


def digest(text: str) -> str:
    """A short name for a text that is to be compared, not shown."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=9).hexdigest()


@record
class Assertion:
    """One thing that a test checks."""

    kind: str
    weight: float
    sides: tuple[str, ...]
    """What is looked at, spelled in one way: one text, or two where neither is a plain value."""
    expected: str = ""
    """A hash of the plain value or exception it is compared with."""
    empty: bool = False
    """The plain value is an empty one, so that `not x` says nearly as much."""
    tolerance: float = 0.0
    line: int = 0
    dead: str = ""
    """Why it can never fail: `swallowed by an except`; empty for one that can."""
    guarded: bool = False
    """It stands under an `if`, so that it may not run."""

    @cached_property
    def key(self) -> Key:
        """What it has in common with every assertion that checks the same thing in the same way."""
        return (self.kind, "\0".join(sorted(self.sides)), self.expected, self.tolerance)


@record
class Test:
    """One test; what a runner reports as passed or failed."""

    __test__ = False  # or else pytest would take this record for a class of tests

    name: str
    group: str = ""
    """The class, or the titles around it, joined by ` > `."""
    line: int = 0
    assertions: tuple[Assertion, ...] = ()
    expanded: tuple[Assertion, ...] = ()
    """The assertions with the values of each case put in; empty where that says nothing new."""
    skip: Skip = ""
    cases: int = 1
    """How often it runs, without the cases that are skipped; 0 where that cannot be read."""
    skipped_cases: int = 0
    mocked: tuple[tuple[str, str], ...] = ()
    """What it replaces: the owner's name and the attribute's."""
    body: str = ""
    """A hash of all that it does."""
    names: frozenset[str] = frozenset()
    """Its local names that stand in `sides`: free to be renamed."""
    uncollected: str = ""
    """Why a runner does not find it: `its name does not start with test`; empty for one that is found."""

    @property
    def qualified(self) -> str:
        """Its name behind that of its group: `TestRates.test_rate`."""
        return f"{self.group}.{self.name}" if self.group else self.name

    @cached_property
    def live(self) -> tuple[Assertion, ...]:
        """The assertions that can fail."""
        return tuple(one for one in self.assertions if not one.dead)

    @cached_property
    def live_by_case(self) -> tuple[Assertion, ...]:
        """The live assertions, those of each case one by one where they are known."""
        return tuple(one for one in self.expanded or self.assertions if not one.dead)


@record
class Inventory:
    """The tests of one file."""

    path: str
    tests: tuple[Test, ...] = ()
    """Those that a runner finds and those that it does not (`Test.uncollected`)."""
    imported: frozenset[str] = frozenset()
    defined: frozenset[str] = frozenset()
    """Names that the file imports, and those that it defines itself."""
    only: bool = False
    """Some test is marked so that no other one runs."""
    error: str = ""
    """Why it could not be read; then it has no tests."""


class Reader(Protocol):
    """Reads test files of other languages; also says whether newer Python than ours can be read at all."""

    def __call__(self, path: str, content: bytes, /) -> Inventory | None:
        """None where the language is not known; an error in the inventory where the text is not of it."""


def unreadable(content: bytes) -> str:
    """Why a file is not even tried; empty where it can be."""
    if len(content) > FILE_BYTES_MAX:
        return f"larger than {FILE_BYTES_MAX // 1_000} kB"
    if content.count(b"\n") > FILE_LINES_MAX:
        return f"longer than {FILE_LINES_MAX} lines"
    if b"\0" in content:
        return "a NUL byte"
    return ""
