"""Braces of patterns, against bash, which reads those that we take in the same way."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_BRACES_MAX, SPELLED_CHARS_MAX
from loomstack_mcp.core.patterns.braces import alternatives

CHOICES = st.recursive(
    st.sampled_from(["", "a", "b", "ab", "/", "c.py"]),
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda some: "{" + ",".join(some) + "}")
        | st.lists(inner, min_size=1, max_size=3).map("".join)
    ),
    max_leaves=8,
)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to ask")
@given(st.lists(CHOICES, min_size=1, max_size=20))
def test_alternatives_are_the_words_of_bash_each_once(some: list[str]) -> None:
    script = "\n".join(f"printf '%s\\0' x{text}; printf '\\1'" for text in some)
    printed = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode().split("\1")[:-1]

    assert [alternatives(f"x{text}") for text in some] == [
        list(dict.fromkeys(words.split("\0")[:-1])) for words in printed
    ]


@given(st.text("ab{},[]!\\/*", max_size=14))
def test_a_text_is_spelled_out_within_the_limits_or_refused(text: str) -> None:
    try:
        found = alternatives(text)
    except (Invalid, LimitExceeded):
        assert "{" in text
        return

    assert 1 <= len(found) == len(set(found)) <= PATTERN_BRACES_MAX
    assert sum(map(len, found)) <= SPELLED_CHARS_MAX
