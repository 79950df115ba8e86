"""One demo and one browser for all of these tests; a page for each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.chromium import Watched, opened_browser, why_not
from tests.browser.watching import Demo, watched_demo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skipped, with a reason, where there is no browser."""
    if reason := why_not():
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The store that the story left, and those who are still at work."""
    with watched_demo(tmp_path_factory.mktemp("watched")) as told:
        yield told


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium."""
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def watch(browser: Any, demo: Demo) -> Iterator[Callable[..., Watched]]:
    """Opens a page that has read the printed link; in the end none may have complained."""
    opened: list[Watched] = []

    def open_page(**looks: Any) -> Watched:
        watched = Watched(browser, **looks)
        opened.append(watched)
        watched.open(demo.link)
        return watched

    yield open_page
    for one in opened:
        one.context.close()
    assert [said for one in opened for said in one.complaints] == []
