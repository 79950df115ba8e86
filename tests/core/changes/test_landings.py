"""Landed changes in batches: bounded, in order, whole, and the imprint with the last part alone."""

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.changes.imprints import imprint
from loomstack_mcp.core.changes.landings import (
    BATCH_PARTS_MAX,
    BATCH_ROWS_MAX,
    batch_rows,
    landed_parts,
    landing_batches,
)


def change(number: int, files: int) -> Change:
    hunk = Hunk(before=1, before_lines=0, after=1, after_lines=1, added=(number << 8 | 40,))
    made = tuple(
        FileChange(path=f"f{at}.py", old_path=f"f{at}.py", before="1", after="2", hunks=(hunk,)) for at in range(files)
    )
    return Change(sha=f"{number:040x}", files=made, hints=("run_1",))


@given(counts=st.lists(st.sampled_from([0, 1, 100, 248, 249, 250, 251, 510]), max_size=3) | st.just([0] * 120))
def test_batches_are_bounded_and_have_each_change_whole_and_in_order(counts: list[int]) -> None:
    changes = [change(number, files) for number, files in enumerate(counts)]
    batches = list(landing_batches(part for one in changes for part in landed_parts(one, at_ms=5)))
    parts = [part for batch in batches for part in batch]
    found = {one.sha: [part for part in parts if part.sha == one.sha] for one in changes}

    assert all(0 < len(batch) <= BATCH_PARTS_MAX and batch_rows(batch) <= BATCH_ROWS_MAX for batch in batches)
    assert list(dict.fromkeys(part.sha for part in parts)) == [one.sha for one in changes]
    for one in changes:
        mine = found[one.sha]
        assert [file.path for part in mine for file in part.files] == [file.path for file in one.files]
        assert {part.files_in_all for part in mine} == {len(one.files)}
        assert [part.imprint for part in mine] == [None] * (len(mine) - 1) + [imprint(one.files)]
