"""What callers type, as canonical patterns."""

import pytest

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.paths import claimed

FILES = {"README.md", "app/[id]/page.tsx", "Makefile"}
FOLDERS = {"src", "app", "app/[id]", "v1.2"}


def canonical(text: str) -> str:
    return claimed(text, root="/work/shop", is_file=FILES.__contains__, is_folder=FOLDERS.__contains__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("README.md", "README.md"),
        ("src", "src/"),
        ("src/", "src/"),
        ("src/new.py", "src/new.py"),
        ("src/newfolder", "src/newfolder/"),
        ("v1.2", "v1.2/"),
        ("Makefile", "Makefile"),
        ("./src//b/../new.py", "src/new.py"),
        ("/work/shop/src/a.py", "src/a.py"),
        ("/work/shop", "**"),
        (".", "**"),
        ("**", "**"),
        ("src/*.py", "src/*.py"),
        ("app/[id]/page.tsx", "app/\\[id\\]/page.tsx"),
        ("app/[id]", "app/\\[id\\]/"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("with space/a b.py", "with space/a b.py"),
    ],
)
def test_paths_become_canonical(text: str, expected: str) -> None:
    assert canonical(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "  ", "/etc/passwd", "/work/shopping/a", "~/a", "C:\\a", "..", "src/../../a", "*/../a", ".git", ".git/config",
     ".GIT/hooks", "a\nb", "a\x00b", "src/[", "\ud800"],
)  # fmt: skip
def test_what_lies_outside_or_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        canonical(text)


def test_a_path_beyond_the_limit_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        canonical("a/" * 300)
