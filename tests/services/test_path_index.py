"""The index over literal folder prefixes, against a comparison with everything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import CANDIDATES_MAX, PATHS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import path_index
from loomstack_mcp.services.path_index import index_paths, overlapping, refuse_many_paths, unindex_paths
from loomstack_mcp.store.base import Tx
from tests.factories import ANA, REPO
from tests.services.support import started

PLAIN = ("a", "A", "k", "\N{KELVIN SIGN}", "ß", "b.py")
WILD = ("*", "**", "*.py", "[ab].py", "?", "{a,b.py}", "x*.js", "\\*", "a{.py,/c.js}", "SS", "B.PY", "a0")
NAME = st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(WILD))
PATTERN = st.builds(
    lambda names, end: "/".join(names) + end, st.lists(NAME, min_size=1, max_size=3), st.sampled_from(("", "/"))
)
PATTERNS = st.lists(PATTERN, min_size=1, max_size=3)


class Rollback(Exception):
    """Nothing of an example is kept."""


def found(tx: Tx, *wanted: str, ignore_case: bool = False) -> list[str]:
    pages = overlapping(tx, REPO, "claim", wanted, ignore_case=ignore_case)
    return [id_ for page in pages for id_ in page]


def test_it_finds_exactly_what_overlaps_whatever_was_put_in_and_taken_out(loom: Loom) -> None:
    started(loom, ANA)

    @settings(max_examples=100)
    @given(
        held=st.lists(PATTERNS, max_size=20),
        gone=st.sets(st.integers(0, 19), max_size=5),
        wanted=PATTERNS,
        folds=st.booleans(),
    )
    def checked(held: list[list[str]], gone: set[int], wanted: list[str], folds: bool) -> None:
        with pytest.raises(Rollback), loom.store.write(REPO) as tx:
            for at, patterns in enumerate(held):
                index_paths(tx, REPO, "claim", f"claim_{at}", patterns)
                index_paths(tx, REPO, "note", f"note_{at}", ["**"])
                index_paths(tx, "elsewhere", "claim", f"far_{at}", ["**"])
            unindex_paths(tx, [f"claim_{at}" for at in gone])

            assert sorted(found(tx, *wanted, ignore_case=folds)) == sorted(
                f"claim_{at}"
                for at, patterns in enumerate(held)
                if at not in gone and first_overlap(wanted, patterns, ignore_case=folds)
            )
            raise Rollback

    checked()


def test_as_many_as_may_be_compared_are_and_one_more_is_too_many(loom: Loom) -> None:
    started(loom, ANA)
    with loom.store.write(REPO) as tx:
        for at in range(0, CANDIDATES_MAX, 50):
            index_paths(tx, REPO, "claim", "claim_FAR", [f"far/{number}.py" for number in range(at, at + 50)])
        within = found(tx, "**/9.py")
        index_paths(tx, REPO, "claim", "claim_LAST", ["zzz/last.py"])
        pages = overlapping(tx, REPO, "claim", ["**/9.py"], ignore_case=False)

        assert within == ["claim_FAR"]
        assert next(pages) == ["claim_FAR"]
        with pytest.raises(LimitExceeded, match="name the folders"):
            next(pages)


def test_what_is_near_is_named_once(loom: Loom) -> None:
    started(loom, ANA)
    with loom.store.write(REPO) as tx:
        index_paths(tx, REPO, "note", "note_1", ["src/a.py", "src/{b,c}.py", "src/"])
        near = path_index.ids_near(tx, REPO, "note", ["src/a.py", "src/", "**/*.py"], limit=99)

    assert near == ["note_1"]


def test_each_alternative_in_braces_counts_as_a_path() -> None:
    half = "{" + ",".join(map(str, range(PATHS_MAX // 2))) + "}"
    refuse_many_paths([half, half])

    with pytest.raises(LimitExceeded):
        refuse_many_paths([half, half, "a"])
    with pytest.raises(LimitExceeded):
        refuse_many_paths(["a"] * (PATHS_MAX + 1))
    with pytest.raises(Invalid):
        refuse_many_paths([], least=1)
