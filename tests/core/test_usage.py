"""Whose some usage is: a run of the session that told it, by what was named, by its agent, by time."""

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.usage import UsingRun, run_of_usage


def run(id: str, started: int, ended: int | None = None, *, agent: str = "", asked: bool = True) -> UsingRun:  # noqa: A002
    return UsingRun(id=id, agent=agent, is_asked=asked, started_at_ms=started, ended_at_ms=ended, seq=started)


SESSION = [run("own", 10, asked=False), run("one", 20, 30), run("two", 40, 50), run("sub", 42, agent="a")]


def of(at_ms: int, agent: str = "", named: str = "") -> str:
    return run_of_usage(SESSION, agent=agent, named_run=named, at_ms=at_ms)


def test_a_session_s_requests_go_to_what_was_under_way() -> None:
    assert [of(at) for at in (5, 15, 25, 35, 45, 60)] == ["own", "own", "one", "own", "two", "own"]
    assert [of(45, "a"), of(45, "b"), of(45, named="one"), of(45, named="run_else")] == ["sub", "two", "one", "two"]


def test_without_a_run_of_the_session_itself_the_tail_is_the_last_one_s() -> None:
    runs = [run("one", 20, 30), run("two", 40, 50)]

    assert [run_of_usage(runs, agent="", named_run="", at_ms=at) for at in (5, 35, 60)] == ["one", "one", "two"]
    assert run_of_usage([], agent="", named_run="run", at_ms=5) == ""


@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9), st.sampled_from(["", "a"]), st.booleans())),
    st.integers(0, 9),
    st.sampled_from(["", "a", "b"]),
)
def test_it_is_always_a_run_of_the_session_while_there_is_one(
    told: list[tuple[int, int | None, str, bool]], at_ms: int, agent: str
) -> None:
    runs = [run(f"run_{at}", a, b, agent=who, asked=asked) for at, (a, b, who, asked) in enumerate(told)]
    found = run_of_usage(runs, agent=agent, named_run="", at_ms=at_ms)
    own = {one.id for one in runs if one.agent in ("", agent)}

    assert (found in own) if own else not found
