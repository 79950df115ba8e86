"""What a program writes to a terminal, as its screen shows it, and as the pictures of the help do."""

from xml.etree import ElementTree

import pytest

from tests.clients.screens.screen import Screen
from tests.clients.screens.styles import Style
from tests.clients.screens.svg import PICTURES, svg

KILOBYTES_MAX = 40


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("one\r\ntwo", "one\ntwo"),
        ("123456789", "12345678\n9"),  # eight columns
        ("日本語日本", "日本語日\n本"),
        ("a\tb", "a      b"),
        ("1\n2\n3\n4\r\n5", " 2\n  3\n   4\n5"),  # four rows: the first is gone
        ("abc\rX", "Xbc"),
        ("abc\x1b[2D\x1b[K", "a"),
        ("abc\x1b[1K", ""),
        ("a\r\nb\x1b[1;1H\x1b[J", ""),
        ("a\r\nb\x1b[2J", ""),
        ("\x1b[2;3Hx\x1b[1Ay", "   y\n  x"),
        ("abcd\x1b[1G\x1b[2P", "cd"),
        ("abcd\x1b[1G\x1b[2@", "  abcd"),
        ("abcd\x1b[1G\x1b[2X", "  cd"),
        ("a\r\nb\r\nc\x1b[1;1H\x1b[M", "b\nc"),
        ("a\r\nb\x1b[1;1H\x1b[L", "\na\nb"),
        ("a\r\nb\x1b[1;1H\x1bM", "\na\nb"),
        ("a\r\nb\r\nc\x1b[2;3r\x1b[3;1H\n", "a\nc"),  # only the second and the third row move
        ("\x1b7ab\x1b8c", "cb"),
        ("\x1b]0;title\x07\x1b[?25la\x1b[>1u", "a"),
    ],
)
def test_a_screen_shows_what_was_written(written: str, shown: str) -> None:
    whole, parted = Screen(rows=4, columns=8), Screen(rows=4, columns=8)
    whole.feed(written)
    for sign in written:
        parted.feed(sign)

    assert whole.text == parted.text == shown


@pytest.mark.parametrize(
    ("code", "style"),
    [
        ("1;31", Style(fore="#cc6666", bold=True)),
        ("1;2;7;22;27", Style()),
        ("38;2;1;2;3;48;5;16", Style(fore="#010203", back="#000000")),
        ("38;5;244", Style(fore="#808080")),
        ("94;102;39;49", Style()),
        ("1;0", Style()),
    ],
)
def test_a_character_is_shown_as_the_codes_before_it_say(code: str, style: Style) -> None:
    screen = Screen(rows=1, columns=8)
    screen.feed(f"\x1b[{code}mx")

    assert screen.cells[0][0] == ("x", style)


def test_a_picture_holds_the_screen_s_words_where_they_stood() -> None:
    screen = Screen(rows=6, columns=20)
    screen.feed("\x1b[1ma <b>\x1b[0m  c\r\n\r\n\r\nd")
    picture = ElementTree.fromstring(svg(screen, title="t"))
    words = [(part.text, part.get("x")) for part in picture.iter("{http://www.w3.org/2000/svg}tspan")]

    assert words == [("a <b>", "14.0"), ("c", "72.8"), ("d", "14.0")]


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_the_pictures_show_a_change_that_was_sent_back_and_landed(name: str) -> None:
    """Red? `python -m tests.clients.screens` draws them anew."""
    drawn = (PICTURES / f"{name}.svg").read_text("utf-8")
    words = " ".join(ElementTree.fromstring(drawn).itertext())

    assert len(drawn.encode()) <= KILOBYTES_MAX * 1024
    assert [said in words for said in ("loom-run amounts", "2/8 pass", "8/8", "Landed commit")] == [True] * 4
