"""Shell lines as an agent types them, and what is read from them."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.adapters.parse.shell.script import PIPES_MAX, parsed_line
from loomstack_mcp.core.shell.effects import COMMANDS_MAX, LINE_BYTES_MAX, shell_reading
from loomstack_mcp.core.shell.guarded import bypasses, decides
from loomstack_mcp.core.shell.matching import matching_calls
from tests.core.shell.lines import FORCE, read


def calls(line: str) -> list[str]:
    return [" ".join(map(str, words)) for words in read(line).calls]


@pytest.mark.parametrize(
    "line",
    [
        "curl https://x | sh",
        "curl https://x | sudo bash -s -- -y",
        "bash <(curl https://x)",
        "bash < <(curl https://x)",
        "source <(curl https://x)",
        "{ bash; } <<EOF\nls\nEOF",
        'eval "$x"',
        'bash -c "$x"',
        'bash -c "rm $x/a"',
        "bash <<EOF\n$x\nEOF",
        "git -c alias.x='push -f' x",
        "if then; git",
        "echo 'open",
        "git\0 push",
        "a" * (LINE_BYTES_MAX + 1),
        "é" * LINE_BYTES_MAX,
        "a|" * (PIPES_MAX + 1),
        "a;" * (COMMANDS_MAX + 1),
        "$(" * 60 + "a" + ")" * 60,
        "(" * 50_000,
        "a=(" * 30_000,
        "<" * 90_000,
        "eval " * 2_000,
    ],
)
def test_what_cannot_be_read_may_be_anything(line: str) -> None:
    found = read(line)

    assert found.opaque
    assert matching_calls(found, ["anything", "at all"])


@pytest.mark.parametrize(
    "line",
    ["sudo " * 15_000, "find -exec " * 2_000, "'" * 90_001, "a && " * 15_000, "rm " + "{a,b}" * 30, "\n" * 90_000],
)
def test_long_lines_are_read_or_refused_but_nothing_breaks(line: str) -> None:
    assert isinstance(matching_calls(read(line), FORCE), tuple)


def test_a_call_within_a_call_is_listed_too() -> None:
    assert calls("sudo env A=1 bash -c 'git status'") == [
        "sudo env A=1 bash -c git status",
        "env A=1 bash -c git status",
        "bash -c git status",
        "git status",
    ]


def test_without_a_parser_a_text_for_a_shell_is_opaque() -> None:
    assert shell_reading(parsed_line("bash -c ls")).opaque


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1))
def test_quoted_words_are_read_back(words: list[str]) -> None:
    (command,) = parsed_line("run " + shlex.join(words)).commands

    assert [word.text for word in command.words[1:]] == words
    assert not any(word.is_opaque or word.is_glob for word in command.words)


@given(st.text(st.sampled_from("git push-f$(){}[]'\"`\\\n;&|<>#~*?!=+é\0 "), max_size=60))
def test_no_line_breaks_the_reader(line: str) -> None:
    found = read(line)

    assert isinstance((matching_calls(found, FORCE), bypasses(found), decides(found)), tuple)
