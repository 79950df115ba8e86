"""Phrases: numbers and their nouns agree."""

import re
from pathlib import Path

import pytest

from loomstack_mcp.core.phrases import counted

SOURCES = sorted((Path(__file__).parents[2] / "loomstack_mcp").rglob("*.py"))
COUNT = re.compile(r"\{(len\([^{}]*\)|[a-z_.]*(commits|count|changes|hunks|size_bytes))(:,)?\} (more )?[a-z]+s\b")
"""How many, and a plural, in a text made in place: wrong for one."""
VERBS = re.compile(r"\} (is|was|has|characters|of)\b")


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 commits"), (1, "1 commit"), (2, "2 commits"), (12_000, "12,000 commits")]
)
def test_one_is_no_plural(number: int, words: str) -> None:
    assert counted(number, "commit") == words


def test_no_text_counts_a_plural_by_itself() -> None:
    found = [
        f"{path.name}: {line.strip()}"
        for path in SOURCES
        for line in path.read_text().splitlines()
        if COUNT.search(line) and not VERBS.search(line)
    ]

    assert found == []
