"""Braces of shell words, opened as bash itself opens them."""

import shutil
import subprocess
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loomstack_mcp.adapters.parse.shell.braces import BRACED_MAX, braced
from loomstack_mcp.adapters.parse.shell.pieces import UNKNOWN, WordPiece
from loomstack_mcp.adapters.parse.shell.script import parsed_line
from loomstack_mcp.core.shell.matching import matching_calls
from tests.core.shell.lines import FORCE, read
from tests.deadlines import seconds

PARTS = ["{", "{", "}", "}", ",", ",", "a", "b", "/", "''", "'{'", '"},"', r"\,", r"\{", "{}"]


def words(line: str) -> list[str]:
    return [str(word) for word in parsed_line(line, home="/home/dana").commands[-1].words]


def words_of_bash(line: str) -> list[str]:
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to ask")
@given(st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=14).map("".join), min_size=1, max_size=20))
@example(["{src/a.py,{x},y}", "{a,{},b}", "{a,b}{c,{d},e}", "{,a}", "{,''}", "{a,{b}", "{x{a,b},y}"])
@example(["{a},b}", "x{},a}", "{},a}", "{x{a},y},b}", "{{a,b}", "{a,b}}", "{a{b,c}d}", "a{b", "{,}"])
def test_the_words_of_braces_are_those_of_bash(some: list[str]) -> None:
    line = " x ".join(some)

    assert words(f"echo {line} x")[1:] == words_of_bash(f"{line} x")


@pytest.mark.parametrize(
    "line", ["rm {src/a.py,{x},y}", "rm {s},src/a.py}", "rm {,src/a.py}", "rm {x},src/a.py}", "cp x {a,{b},src}/a.py"]
)
def test_no_brace_hides_what_is_written(line: str) -> None:
    assert "src/a.py" in {write.path for write in read(line).writes}


@pytest.mark.parametrize("line", ["git {,push} -f", "git {push,{-f},--force}", "{,git} push -f"])
def test_no_brace_hides_a_call(line: str) -> None:
    assert matching_calls(read(line), FORCE)


@pytest.mark.parametrize(
    "word",
    [
        "x{" + "a," * 25_000 + "}" + "x" * 40_000,
        "{a,b}" * 15_000,
        "{" * 90_000 + ",",
        "{" * 45_000 + "," + "}" * 45_000,
        "{a," * 20_000 + "}" * 20_000,
        "{a,b}{" + "," * 90_000,
        "{" + ",".join("ab" for _ in range(BRACED_MAX + 1)) + "}",
    ],
    ids=["choices", "pairs", "open", "nested", "nested choices", "commas", "one too many"],
)
def test_braces_without_end_are_one_unknown_word_at_once(word: str) -> None:
    started = time.thread_time()
    found = braced([WordPiece(word, False)])

    assert found == [[WordPiece(word.partition("{")[0], True), UNKNOWN]]
    assert time.thread_time() - started < seconds(0.5)


def test_as_many_words_as_may_be_are_known_one_by_one() -> None:
    assert words("rm {" + ",".join(f"f{number}" for number in range(BRACED_MAX)) + "}")[1:] == [
        f"f{number}" for number in range(BRACED_MAX)
    ]
