"""The audit's page as a browser reads it: well-formed, whatever the commits hold, and with the lines that git means."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git.audit import Audit, audited
from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli import audit_page
from loomstack_mcp.cli.audit_cases import told_cases
from loomstack_mcp.cli.audit_page import page
from loomstack_mcp.cli.audit_text import day, plain, undone_phrase
from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.undone import Undone, UndonePlace
from loomstack_mcp.core.changes.verdicts import Reversal
from tests.conftest import git

SCRIPT = Path(audit_page.__file__).with_suffix(".js")
VOID = {"meta", "input", "br"}
IMPLIED = {"tr", "td"}
"""Elements whose end tags HTML leaves out (HTML Standard, 13.1.2.4)."""
HUNK = Hunk(before=1, before_lines=1, after=1, after_lines=1)
hostile = st.sampled_from(
    ["</title><script>alert(1)</script>", "\"'><img src=x onerror=y>", "&lt;", "</svg>", "a\x01b\x1b[2J", "\u202e"]
) | st.binary(min_size=1, max_size=30).map(lambda name: name.replace(b"\0", b"").decode("utf-8", "surrogateescape"))


class Reader(HTMLParser):
    """The elements of a page, and those that were closed in a wrong order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.open += [tag] if tag not in VOID | IMPLIED else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        self.wrong += [] if self.open and self.open.pop() == tag else [tag]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def reversal(author: str, title: str, path: str, **undone: Any) -> Reversal:
    old = Change(sha="a" * 40, author=author, at_ms=1_000, message=title)
    new = Change(sha="b" * 40, parents=("a" * 40,), author=author, at_ms=90_000, message=title)
    place = UndonePlace(path=path, old_path=path, by_path=path, hunk=HUNK, by=(HUNK,))
    given = {
        "change": old, "hunks": 2, "hunks_before": 0, "restored": 2, "share": 0.5, "places": (place,),
        "same_author": False, "named": False, "again": False,
    }  # fmt: skip
    return Reversal(change=new, kind="undo", verdict="stop", undoes=(Undone(**{**given, **undone}),), agreed=(False,))


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("a&<b>")
    git(folder, "init", "--quiet")
    return Repository(place_at(folder))


@given(author=hostile, title=hostile, path=hostile, gap=hostile)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_commits_hold_is_text(repo: Repository, author: str, title: str, path: str, gap: str) -> None:
    found = Audit(
        commits=2,
        first_ms=0,
        last_ms=90_000,
        seconds=0.0,
        reversals=(reversal(author, title, path),),
        intents={},
        unchecked=(gap,),
    )
    text = page(found, told_cases(found, repo, is_top=True), repo)
    read = Reader(text)

    assert (read.wrong, read.open) == ([], [])
    assert text.count("<script") == 1
    assert text.endswith(f"<script>{SCRIPT.read_text()}</script></body></html>\n")
    assert read.tags.isdisjoint({"img", "a", "link", "iframe"})
    assert not [name for name in read.attributes if name.startswith("on") or name in ("src", "href")]


def test_a_history_without_a_case_is_a_page_too(repo: Repository) -> None:
    found = Audit(commits=0, first_ms=0, last_ms=0, seconds=0.0, reversals=(), intents={}, unchecked=())
    read = Reader(page(found, (), repo))

    assert (read.wrong, read.open) == ([], [])
    assert read.tags.isdisjoint({"svg", "form"})


def test_lines_are_those_of_git_also_after_a_form_feed(shop: Path) -> None:
    """Python knows eight more line ends than git does."""
    before = "".join(f"# part {n}\x0c of\u2028 many\x85\n" for n in range(9)) + "price = gross_price - discount\n"
    for author, text in (("root", before), ("bea", before.replace("gross", "net")), ("ana", before)):
        (shop / "prices.py").write_text(text, encoding="utf-8", newline="")
        git(shop, "add", "--all")
        git(shop, "commit", "--quiet", "--author", f"{author} <{author}@x>", "-m", f"by {author}")
    with Repository(place_at(shop)) as repo:
        found = audited(repo, progress=lambda _, __: None)
        shown = page(found, told_cases(found, repo, is_top=True), repo)

    assert '<span class="out">   10  price = gross_price - discount</span>' in shown
    assert '<span class="in">   10  price = net_price - discount</span>' in shown


@pytest.mark.parametrize(
    ("at_ms", "shown"), [(0, "1970-01-01"), (86_399_999, "1970-01-01"), (253_402_300_799_000, "9999-12-31")]
)
def test_a_day_is_that_of_utc(at_ms: int, shown: str) -> None:
    assert day(at_ms) == shown


@given(st.binary(max_size=30))
def test_bytes_that_are_no_utf_8_become_a_mark(name: bytes) -> None:
    assert plain(name.decode("utf-8", "surrogateescape")) == name.decode("utf-8", "replace")


@pytest.mark.parametrize(("share", "words"), [(0.001, "under 1 %"), (0.01, "1%"), (1.0, "100%")])
def test_a_phrase_says_how_much_was_taken_back(share: float, words: str) -> None:
    one = reversal("bea", "net", "a.py", share=share)

    assert undone_phrase(one, one.undoes[0]) == f"aaaaaaaaaa of bea, after 1 min, 2 hunks ({words} of it): “net”"
