"""What leads a model that has never seen this: descriptions, prompts, and what comes next."""

from collections.abc import Callable

import pytest

from tests.server.test_tools import definitions
from tests.wire import Server


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("start_run", ("lasting name of your automation", "not of the task", "finding:")),
        ("check_conflicts", ("before you land", "stop: do not land")),
        ("record_outcome", ("passed:", "done", "commits: full shas", "tried:", "finding:", "links:")),
    ],
)
def test_a_tool_says_what_its_arguments_are_for(
    serve: Callable[..., Server], tool: str, words: tuple[str, ...]
) -> None:
    [found] = [one for one in definitions(serve()) if one["name"] == tool]

    assert [word for word in words if word.lower() not in found["description"].lower()] == []


def test_a_null_is_taken_for_what_was_left_out(serve: Callable[..., Server]) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal", paths=None)

    assert server.answer("record_outcome", status="failed", summary="x", checks=None, commits=None, links=None)["next"]


def test_who_may_land_is_sent_to_the_check_for_conflicts_first(serve: Callable[..., Server]) -> None:
    maker, checker = serve(), serve()
    made = maker.answer("start_run", loop="maker", goal="goal")
    checker.answer("start_run", loop="checker", goal="goal", checks_run=made["run"])
    verdict = checker.answer("record_outcome", status="passed", summary="fine", role="checker", checks={"passed": 1})
    landing = maker.answer("record_outcome", status="passed", summary="made", checks={"passed": 1})

    assert "check_conflicts" in made["next"]
    for step in (verdict["next"], landing["next"]):
        assert step["action"] == "land"
        assert "check_conflicts first" in step["why"]


def prompted(server: Server, name: str, arguments: dict[str, str]) -> str:
    found = server.request("prompts/get", {"name": name, "arguments": arguments})["result"]["messages"]
    text: str = found[0]["content"]["text"]
    return text


def test_a_prompt_takes_free_text_whole_in_one_argument_or_a_word_in_each(serve: Callable[..., Server]) -> None:
    server = serve()
    words = {"goal": "make", "goal_2": "it", "goal_3": "green"}

    assert "Goal: make it green\n" in prompted(server, "loop", {"name": "triage", **words})
    assert "Goal: make it green\n" in prompted(server, "loop", {"name": "triage", "goal": "make it green"})
    assert "Triage the whole repository:" in prompted(server, "triage", {})
    assert "Triage the billing part:" in prompted(server, "triage", {"scope": "the billing part"})
    assert 'to="bea"' in prompted(server, "handoff", {"to": "bea"})
    assert "As it was asked: the tax work to bea" in prompted(server, "handoff", {"to": "the tax work to bea"})


def test_a_prompt_is_whole_without_any_argument(serve: Callable[..., Server]) -> None:
    server = serve()
    nameless = prompted(server, "loop", {})
    aimless = prompted(server, "loop", {"name": "triage", "goal": " "})

    assert "start_run(loop=the lasting name of the automation or standing job, goal" in nameless
    assert 'Run one round of the loop "triage". Goal: it was not said;' in aimless
    declared = server.request("prompts/list")["result"]["prompts"]
    assert not any(argument["required"] for prompt in declared for argument in prompt["arguments"])


def test_a_prompt_that_may_have_been_cut_says_so(serve: Callable[..., Server]) -> None:
    server = serve()
    [declared] = [one for one in server.request("prompts/list")["result"]["prompts"] if one["name"] == "triage"]
    every = {argument["name"]: "word" for argument in declared["arguments"]}

    assert "may have cut this" in prompted(server, "triage", every)


def test_the_prompt_of_a_loop_leads_to_the_check_for_conflicts(serve: Callable[..., Server]) -> None:
    text = prompted(serve(), "loop", {"name": "triage", "goal": "green"})

    assert text.index("check_conflicts before you land") < text.index("status=done")


def test_a_handoff_is_told_what_blocked_does_not_do(serve: Callable[..., Server]) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    server.answer("claim_paths", paths=["src"], intent="x")
    blocked = server.answer("record_outcome", status="blocked", summary="x")
    abandoned = server.answer("record_outcome", status="abandoned", summary="x")

    assert 'status="blocked" frees nothing' in prompted(server, "handoff", {})
    assert "released" not in blocked
    assert len(abandoned["released"]) == 1
