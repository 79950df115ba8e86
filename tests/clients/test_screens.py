"""What a program writes to a terminal, as its screen shows it, and as the pictures of the help do."""

from xml.etree import ElementTree

import pytest

from tests.clients.screens.screen import Screen
from tests.clients.screens.svg import PICTURES, svg

KILOBYTES_MAX = 40
_SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_is_made_of_what_a_program_wrote_in_whatever_parts() -> None:
    """With what pyte does not know: dim text, and what only xterm and kitty have."""
    answers: list[str] = []
    screen = Screen(rows=6, columns=20, answer=answers.append)
    unknown, dim, plain = "\x1b[>4m\x1b[<1u\x1b[=5u", "\x1b[2m", "\x1b[22m"
    reverse, red, where = "\x1b[7;38;2;1;2;3m", "\x1b[m\x1b[31m", "\x1b[6n"
    for sign in f"{unknown}\x1b[1ma <b>{plain}  {dim}c{plain}\r\n\r\n\r\n{reverse}d{red}e{where}":
        screen.feed(sign)
    picture = ElementTree.fromstring(svg(screen, title="t"))
    words = [
        (part.text, *map(part.get, ("x", "fill", "font-weight", "opacity"))) for part in picture.iter(f"{_SVG}tspan")
    ]
    backs = [part.get("fill") for part in picture.iter(f"{_SVG}rect")]

    assert words == [
        ("a <b>", "14.0", None, "bold", None),
        ("c", "72.8", None, None, ".65"),
        ("d", "14.0", "#1b1d23", None, None),
        ("e", "22.4", "#cc6666", None, None),
    ]
    assert [part.get("y") for part in picture.iter(f"{_SVG}text")] == ["28", "64"]
    assert backs[1:] == ["#010203"]
    assert answers == ["\x1b[4;3R"]


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_the_pictures_show_a_change_that_was_sent_back_and_landed(name: str) -> None:
    """Red? `python -m tests.clients.screens` draws them anew."""
    drawn = (PICTURES / f"{name}.svg").read_text("utf-8")
    words = " ".join(ElementTree.fromstring(drawn).itertext())

    assert len(drawn.encode()) <= KILOBYTES_MAX * 1024
    assert [said in words for said in ("loom-run amounts", "2/8 pass", "8/8", "Landed commit")] == [True] * 4
