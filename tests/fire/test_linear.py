"""The check of histories is itself checked: by every order of short ones, and by long ones that are known."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations, product
from random import Random
from typing import get_args

import hypothesis.strategies as st
from hypothesis import given, settings

from tests.fire.linear import FREE, Answer, Call, State, is_linearizable, shortest

TTL_MS = 50.0


def allowed(call: Call, state: State, *, is_done: bool) -> State | None:
    """The lock with a lease, written down once more: where a call leaves it, None where that cannot be."""
    holder, until_ms = state
    mine, expired = holder == call.who, until_ms <= call.until_ms
    match call.answer.removeprefix("unknown "):
        case "granted" | "grant":
            may = holder == "" or mine or expired
            return (call.who, call.began_ms + call.ttl_ms) if is_done and may else None
        case "refused":
            return state if holder and not mine and call.by in ("", holder) else None
        case "released" | "release":
            return FREE if is_done and mine else None
        case "swept":
            return FREE if mine else state
        case _:
            return state if not mine else FREE if expired else None


def explained(order: Sequence[tuple[Call, bool]]) -> bool:
    state: State = FREE
    for call, is_done in order:
        if call.answer.startswith("unknown") and not is_done:
            continue
        after = allowed(call, state, is_done=True)
        if after is None:
            return False
        state = after
    return True


def by_every_order(calls: Sequence[Call]) -> bool:
    for order in permutations(calls):
        if any(late.until_ms < early.began_ms for at, early in enumerate(order) for late in order[at + 1 :]):
            continue
        fates = product(*[(True, False) if call.answer.startswith("unknown") else (True,) for call in order])
        if any(explained(list(zip(order, fate, strict=True))) for fate in fates):
            return True
    return False


calls = st.builds(
    lambda who, began, took, answer, by: Call(
        who=who, began_ms=float(began), ended_ms=float(began + took), answer=answer, ttl_ms=TTL_MS, by=by
    ),
    st.sampled_from("ab"),
    st.integers(0, 100),
    st.integers(0, 40),
    st.sampled_from(get_args(Answer)),
    st.sampled_from(("", "a", "b")),
)


@given(st.lists(calls, max_size=5))
@settings(max_examples=400)
def test_it_says_what_every_order_says(history: list[Call]) -> None:
    assert is_linearizable(history) == by_every_order(history)


@given(st.lists(calls, min_size=1, max_size=6))
@settings(max_examples=200)
def test_the_shortest_history_that_cannot_be_is_one(history: list[Call]) -> None:
    assert is_linearizable(history) or not is_linearizable(shortest(history))


@given(st.integers(0, 2**32), st.integers(2, 6))
@settings(max_examples=20)
def test_what_a_lock_really_answered_is_explained_and_a_second_holder_is_not(seed: int, clients: int) -> None:
    random = Random(seed)
    history, state, now_ms = list[Call](), FREE, 0.0
    for _ in range(300):
        now_ms += random.uniform(0, 5)
        who = f"c{random.randrange(clients)}"
        began, ended = now_ms - random.uniform(0, 8), now_ms + random.uniform(0, 8)
        call = Call(who=who, began_ms=began, ended_ms=ended, answer="granted", ttl_ms=1e9)
        if state[0] == who:
            call, state = replace(call, answer="released"), FREE
        elif state[0]:
            call = replace(call, answer="refused", by=state[0])
        else:
            state = (who, 1e9)
        history.append(call)
    at, first = next((at, call) for at, call in enumerate(history) if call.answer == "granted")
    until_ms = next((call.began_ms for call in history[at:] if call.answer == "released"), now_ms)
    second = replace(first, who="thief", began_ms=first.ended_ms + 0.1, ended_ms=until_ms - 0.1)

    assert is_linearizable(history)
    assert second.began_ms >= second.ended_ms or not is_linearizable([*history, second])
