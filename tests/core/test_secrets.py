"""Secrets drawn from their issuers' shapes: each is seen, wherever it stands, and none is repeated."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.secrets import SHAPES, Shape, secret_in, secrets_in
from loomstack_mcp.core.texts import bounded, redacted

BEFORE = st.sampled_from(["", " ", "\n", "key=", '"', "\udcff", "é ", "\x00", "url/", "'"])
AFTER = st.sampled_from(["", " ", "\n", "\r\n", "=", '"', "\udcff", "\x00", "/", ", and so on"])


def drawn(shape: Shape) -> st.SearchStrategy[str]:
    """Some secret of that shape; the longest runs kept short, so that drawing is quick."""
    short = shape.expression.removeprefix(r"\b").removesuffix(r"\b").replace("8,4000", "8,9").replace("8,400", "8,9")
    return st.from_regex(re.compile(short, re.ASCII), fullmatch=True)


@pytest.mark.parametrize("shape", SHAPES, ids=[f"{number} {shape.what}" for number, shape in enumerate(SHAPES)])
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), before=BEFORE, after=AFTER)
def test_a_secret_is_seen_and_kept_nowhere(shape: Shape, data: st.DataObject, before: str, after: str) -> None:
    secret = data.draw(drawn(shape))
    text = f"{before}{secret}{after}"
    at = len(before.encode("utf-8", "surrogateescape"))

    assert secret_in(text)
    assert (at, shape.what) in secrets_in(text.encode("utf-8", "surrogateescape"))
    assert redacted(text, chars_max=4_000) == redacted(text, chars_max=5) == ""
    with pytest.raises(Invalid) as refused:
        bounded("summary", text)
    assert secret not in str(refused.value)


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda some: some.decode("utf-8", "surrogateescape")))
def test_what_may_be_stored_is_text_for_every_reader(text: str) -> None:
    stored = redacted(text, chars_max=30)

    assert stored.encode().decode() == stored
    assert len(stored) <= 30
    assert not {character for character in stored if character < " " and character not in "\t\n"}
