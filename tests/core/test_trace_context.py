"""`traceparent` as W3C has it, and the one of a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.trace_context import TraceParent, run_trace, trace_parent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_the_first_that_is_one_counts() -> None:
    found = trace_parent(None, 7, "nonsense", f" 00-{TRACE}-{SPAN}-00 ", f"00-{SPAN}{SPAN}-{SPAN}-01")

    assert found == TraceParent(trace_id=int(TRACE, 16), span_id=int(SPAN, 16), is_sampled=False)
    assert str(found) == f"00-{TRACE}-{SPAN}-00"


@pytest.mark.parametrize(
    "told",
    [f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
     f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}", "", f"00-{TRACE}-{SPAN}-01" + " " * 500],
)  # fmt: skip
def test_what_is_none_begins_no_trace(told: str) -> None:
    assert trace_parent(told) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert trace_parent(f"cc-{TRACE}-{SPAN}-01-what-comes") == trace_parent(f"00-{TRACE}-{SPAN}-01")


@given(st.text(max_size=60))
def test_a_run_has_one_span_wherever_it_is_asked_for(run_id: str) -> None:
    assert trace_parent(str(run_trace(run_id))) == run_trace(run_id)
