"""What somebody sees who has nothing yet, or has not come in: empty pages that teach, and the form of a hub."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.loom import open_loom
from tests.browser.chromium import Watched
from tests.dashboards import running_ui
from tests.factories import ANA, BEA, REPO, SHOP
from tests.hubs import made_token, running_hub
from tests.services.asking import ZOO
from tests.services.support import started

TAUGHT = {
    "": "loomstack-mcp init",
    "claims": "loomstack-mcp demo --ui",
    "conflicts": "loomstack-mcp audit",
    "decisions": "loomstack-mcp help rules",
    "inbox": "loomstack-mcp help approvals",
    "trace": "loomstack-mcp trace",
    "loops": "/loom-run",
}


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Watched]]:
    """Pages of any dashboard; none may have complained."""
    opened: list[Watched] = []

    def opens(**looks: Any) -> Watched:
        opened.append(Watched(browser, **looks))
        return opened[-1]

    yield opens
    for one in opened:
        one.context.close()
    assert [said for one in opened for said in one.complaints] == []


def test_an_empty_page_says_why_and_names_the_next_command(
    open_page: Callable[..., Watched], shop: Path, tmp_path: Path
) -> None:
    with running_ui(tmp_path, shop) as ui:
        origin = f"http://127.0.0.1:{ui.port}"
        shown, violations = {}, {}
        watched = open_page(width=390)
        watched.page.goto(origin)
        watched.page.wait_for_selector("main h1")
        violations["nobody"] = watched.violations()
        watched.page.goto("about:blank")
        watched.open(f"{origin}/#key={ui.key}")
        address = watched.page.url
        for name in TAUGHT:
            watched.open(f"{origin}/{name}")
            shown[name] = watched.page.inner_text("main")
            violations[name] = watched.violations()

    assert [name for name, command in TAUGHT.items() if command not in shown[name]] == []
    assert {name: found for name, found in violations.items() if found} == {}
    assert ui.key not in address


def test_a_hub_is_entered_by_a_token_and_shows_what_that_opens(
    open_page: Callable[..., Watched], tmp_path: Path
) -> None:
    with running_hub(tmp_path) as hub:
        with open_loom(Settings(store=str(tmp_path / "loomstack" / "loom.db"))) as loom:
            started(loom, ANA, SHOP, goal="mine to see")
            started(loom, BEA, ZOO, goal="not mine")
        watched = open_page(scheme="dark")
        page = watched.page
        page.goto(f"http://127.0.0.1:{hub.port}/")
        page.wait_for_selector("#token")
        violations = watched.violations()
        page.keyboard.press("Tab")
        page.focus("#token")
        page.keyboard.type(made_token(tmp_path, "ana", repos=(REPO,)))
        page.keyboard.press("Enter")
        page.wait_for_selector("tbody >> text=mine to see")
        seen = page.inner_text("body")
        page.click("#leave")
        page.wait_for_selector("#token")

    assert violations == []
    assert "not mine" not in seen
    assert "ana, developer" in seen
