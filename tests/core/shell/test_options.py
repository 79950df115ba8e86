"""Options and operands, as the standard library's getopt tells them apart."""

import getopt

from hypothesis import example, given
from hypothesis import strategies as st

from loomstack_mcp.core.shell.options import scanned
from loomstack_mcp.core.shell.words import Word

VALUED = "-b -c --value --file"
PARTS = [
    "-a",
    "-b",
    "-c",
    "-ab",
    "-bx",
    "-acb",
    "-d",
    "-",
    "--",
    "--all",
    "--value",
    "--value=",
    "--file=x",
    "x",
    "b",
    "a=b",
]


def told(words: list[str], *, stops: bool) -> tuple[list[tuple[str, str]], list[str]]:
    """By getopt(3), in whose words no long option is cut short. Raises GetoptError where a value is missing."""
    read = getopt.getopt if stops else getopt.gnu_getopt
    options, operands = read(words, "ab:c:d", ["all", "value=", "file="])
    return options, operands


@given(st.lists(st.sampled_from(PARTS), max_size=7), st.booleans())
@example(["-acb", "-b", "x"], False)
@example(["-b", "--", "x"], False)
def test_options_take_their_values_where_getopt_says(words: list[str], stops: bool) -> None:
    try:
        options, operands = told(words, stops=stops)
    except getopt.GetoptError:
        return
    found = scanned([Word(text=word) for word in words], VALUED, stops=stops)

    # A cluster counts as one long option, too, for some programs spell theirs so.
    assert [(name, value.text) for name, value in found.options if len(name) == 2 or name[:2] == "--"] == options
    assert [word.text for word in found.operands] == operands
