"""The runs that messages name, and which agent of a session makes a commit."""

from pathlib import Path

import pytest

from loomstack_mcp.core.changes.trailers import committing_agent, named_runs, said_message, with_plain_trailer
from tests.conftest import git


@pytest.mark.parametrize(
    "message",
    [
        "One\n\nLoom-Run: run_AB12CD34",
        "One\n\nLoom-Run: run_AB12CD34\n\nCo-authored-by: B <b@x>",
        "One (#7)\n\n* one\n\nLoom-Run: run_AB12CD34\n\n---------\n\nCo-authored-by: B <b@x>",
        "Squashed commit of the following:\n\ncommit abc\n\n    one\n    \n    Loom-Run: run_AB12CD34\n",
        "Fwd\n\n> loom-run:run_AB12CD34",
        "One\n\n* Loom-Run: run_AB12CD34\n* Loom-Run: run_AB12CD34",
    ],
)
def test_a_run_is_named_wherever_its_line_stands(message: str) -> None:
    assert named_runs(message) == ("run_AB12CD34",)


def test_a_sentence_about_such_a_line_names_nobody() -> None:
    assert named_runs("The hook writes Loom-Run: run_AB12CD34 into messages") == ()


@pytest.mark.parametrize(
    "text",
    [
        "Work\n",
        "Work",
        "fix: prices\n",
        "Work\n\nIt is\nlonger.\n",
        "Work\n\nSigned-off-by: A <a@x>\n",
        "Work\n\nA: b\nC: d\n",
        "Work\n\nbody\n\nCo-authored-by: B <b@x>\n",
        "Work\n\n- one\n- two\n",
        "Work\n\n---\n\nmore\n",
        "Grün\n\nWörter – ja\n",
        "Work\nsecond: line\n",
    ],
)
def test_a_trailer_is_added_in_haste_as_git_adds_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(text.encode() if text.endswith("\n") else f"{text}\n".encode())
    options = ("--in-place", "--no-divider", "--where=end", "--if-exists=addIfDifferent")
    git(tmp_path, "interpret-trailers", *options, "--trailer=Loom-Run: run_AB12CD34", str(path))

    assert with_plain_trailer(text.encode(), b"Loom-Run: run_AB12CD34") == path.read_bytes()


@pytest.mark.parametrize(
    "text", ["", "\n", "# comment\n", "Work\n\n\n", "Work\n\n# comment\n", "Work\n\nMixed: a\nand words\n"]
)
def test_what_only_git_can_tell_is_left_to_it(text: str) -> None:
    assert with_plain_trailer(text.encode(), b"Loom-Run: run_AB12CD34") is None


@pytest.mark.parametrize(
    ("holders", "worktrees", "agent"),
    [
        ({"a": {""}}, {"": {"/shop"}}, ""),
        ({"a": {"x"}}, {"": {"/shop"}, "x": {"/shop"}}, "x"),
        ({"a": {"x"}, "b": {""}}, {"": {"/shop"}, "x": {"/shop"}}, ""),
        ({"a": {"x"}, "b": {"y"}}, {"": {"/shop"}, "x": {"/shop"}, "y": {"/shop"}}, ""),
        ({}, {"": {"/shop"}, "x": {"/shop"}}, ""),
        ({}, {"": {"/main"}, "x": {"/shop"}}, "x"),
        ({}, {"": {"/main"}, "x": {"/shop"}, "y": {"/shop"}}, ""),
    ],
)
def test_a_sub_agent_commits_what_it_alone_holds_and_where_it_alone_works(
    holders: dict[str, set[str]], worktrees: dict[str, set[str]], agent: str
) -> None:
    assert committing_agent(holders, worktrees, paths=list(holders), here="/shop") == agent


def test_what_is_below_the_scissors_is_no_message() -> None:
    text = "Work\n# note\n# ------------------------ >8 ------------------------\n+Loom-Run: run_AB12CD34\n"

    assert said_message(text) == "Work\n"
