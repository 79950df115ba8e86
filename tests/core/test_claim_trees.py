"""What is held, as a tree of folders."""

from typing import Any

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.claim_trees import claim_tree
from tests.factories import make_claim


def places(tree: Any) -> dict[str, tuple[int, int]]:
    """Claims and conflicts of each folder."""
    found = {tree["path"]: (tree["claims"], tree["conflicts"])}
    return found | {path: counts for one in tree.get("below", ()) for path, counts in places(one).items()}


def test_a_folder_counts_what_is_held_below_it_each_claim_once() -> None:
    one = make_claim(id="claim_1", patterns=("src/shop/**", "src/shop/tax.py", "docs/*.md"))
    other = make_claim(id="claim_2", patterns=("src/a.py",), loop="docs")
    tree: Any = claim_tree([one, other], [])

    assert places(tree) == {
        "": (2, 0), "src": (2, 0), "src/shop": (1, 0), "src/shop/tax.py": (1, 0), "src/a.py": (1, 0), "docs": (1, 0),
    }  # fmt: skip
    assert tree["holders"] == ["loop@ana", "docs@ana"]
    assert [one["path"] for one in tree["below"]] == ["src", "docs"]
    assert tree["below"][1]["held"] == ["claim_1"]


def test_conflicts_are_counted_where_their_paths_lie() -> None:
    conflict = Conflict(
        id="conf_1", kind="undo", verdict="stop", sha="0" * 40, title="t", who="bea", paths=("src/a.py", "src/b/c.py"),
        evidence="e", landed_at_ms=0,
    )  # fmt: skip
    found = places(claim_tree([make_claim()], [conflict]))

    assert found == {"": (1, 1), "src": (1, 1), "src/a.py": (1, 1), "src/b": (0, 1), "src/b/c.py": (0, 1)}


def test_what_is_wild_from_the_start_is_the_repositorys() -> None:
    tree = claim_tree([make_claim(patterns=("**/*.py", "{a,b}/c"))], [])

    assert places(tree) == {"": (1, 0)}


def test_a_tree_is_bounded_whatever_is_held() -> None:
    deep = make_claim(patterns=("/".join("abcdefghijklmnop"),))
    wide = make_claim(id="claim_2", patterns=tuple(f"area{number}/file.py" for number in range(5_000)))
    found = places(claim_tree([deep, wide], []))

    assert len(found) <= 600
    assert max(path.count("/") for path in found) == 7
    assert found[""] == (2, 0)
