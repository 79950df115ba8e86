"""Words and commands of shell lines, held to what bash itself makes of them."""

import shutil
import subprocess
import sys

import pytest

from loomstack_mcp.adapters.parse.shell.braces import BRACED_MAX
from loomstack_mcp.adapters.parse.shell.script import parsed_line
from loomstack_mcp.core.shell.words import Word


def words(line: str) -> tuple[Word, ...]:
    """Of the last command of a line."""
    return parsed_line(line, home="/home/dana").commands[-1].words


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to ask")
@pytest.mark.parametrize(
    "line",
    [
        r"echo $'\u0062ash' $'\U00000062ash' $'\x62ash' $'\142ash' $'\u2192'",
        r"echo $'a\0b'c $'\cA' $'\q' $'\'' $'\x4'",
        r"echo $'\\'",
        "echo {a,b}{c,d} '{a,b}' {a} a,b",
        "echo {a,b}'{x,y}' \\{a,b}",
        'echo $"text"',
        'echo a\\ b a\\\\b "a\\$b" \'a\\b\' "a\\b"',
        "echo >/dev/stderr a b",
        "echo a\\\n  b",
        'a=1; echo $a ${a}x "$a"',
        "a=x; a=x; echo $a",
        "echo ~root'' '~' \"~\"",
    ],
)
def test_words_are_those_of_bash(line: str) -> None:
    script = line.replace("echo", r"printf '%s\0'", 1)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    expected = (done.stdout + done.stderr).decode().split("\0")[:-1]

    assert [word.text for word in words(line)[1:]] == expected
    assert not any(word.is_opaque for word in words(line))


@pytest.mark.parametrize(
    "line",
    [
        "a+=x; a+=y; rm $a",
        "a=x; a+=y; rm $a",
        "a[1]+=x; a[1]+=y; rm ${a[1]}",
        "for i in 1 2; do a+=$i; a+=' '; done; rm $a",
        "a=x; a=y; rm $a",
        "for a in x; do rm $a; done",
        "a=*; rm $a",
    ],
)
def test_what_a_line_sets_to_more_than_one_text_is_not_known(line: str) -> None:
    assert words(line)[1:] == (Word(text="", is_opaque=True, may_split=True),)


@pytest.mark.parametrize(
    ("line", "before"),
    [
        ("rm src/{a,$b}", "src/"),
        ("rm 'src{x'/{a,$b}", "src{x/"),
        ("rm src/{1..3}", "src/"),
        ("rm src/" + "{a,b}" * BRACED_MAX, "src/"),
    ],
)
def test_of_braces_that_cannot_be_opened_the_text_before_them_is_known(line: str, before: str) -> None:
    assert words(line)[1:] == (Word(text=before, is_opaque=True, may_split=True),)


def test_a_string_that_the_grammar_takes_for_longer_than_it_is_hides_nothing() -> None:
    assert parsed_line(r"echo $'\\'; git push -f # '").opaque == ("it holds a $'…' that ends elsewhere",)
    assert [str(word) for word in words(r"echo $'\''; git push -f # '")] == ["git", "push", "-f"]


def test_no_character_ends_the_process() -> None:
    """In a process of its own, which reads them wherever the scanner of the grammar looks one up."""
    reading = (
        "from loomstack_mcp.adapters.parse.shell.script import parsed_line\n"
        "for code in (*range(0x80, 0xD800, 0x355), *range(0xE000, 0x110000, 0x800)):\n"
        "    c = chr(code)\n"
        "    for line in (f'J{{{c}p', f'x {c}', f'${{x{c}}}', f'<<{c}', f'{c}=1', f'[[ {c} =~ {c} ]]', f'${c}'):\n"
        "        parsed_line(line)\n"
    )

    assert subprocess.run([sys.executable, "-c", reading], check=False).returncode == 0


@pytest.mark.parametrize(
    "name", ["caf\u00e9.py", "cafe\u0301.py", "\U0001f389.md", "\u65e5\u672c/\u672c.txt", "a\u00a0b"]
)
def test_a_name_that_is_not_ascii_is_read_as_it_stands(name: str) -> None:
    [command] = parsed_line(f'rm {name} "{name}" > {name}').commands

    assert [word.text for word in command.words] == ["rm", name, name]
    assert [target.text for _, target in command.redirects] == [name]
