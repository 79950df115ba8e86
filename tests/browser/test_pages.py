"""Every page, filled by real runs: what it shows, in both modes, at three widths, to a keyboard and to axe."""

import json
import re
from collections.abc import Callable

import pytest

from tests.browser.chromium import Watched
from tests.browser.watching import Demo

PAGES = {
    "": ["amounts are rounded once", "waiting", "refactor@"],
    "claims": ["shop/**", "rounding moves to one place", "test_tax.py"],
    "conflicts": ["takes back what landed", "Expect net prices", "prices become net", "tests/test_tax.py:"],
    "decisions": ["no-new-dependencies", "prices-need-a-person", "require_approval"],
    "inbox": ["M shop/tax.py +1 -1", "what customers pay changes", "a landing is stopped"],
    "trace/shop%2Ftax.py%3A7": ["refactor", "prices become net", "granted by", "production"],
    "loops": ["refactor", "cleanup", "100 %"],
}
Opened = Callable[..., Watched]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_shows_the_story_and_axe_has_nothing_against_it(watch: Opened, demo: Demo, scheme: str) -> None:
    watched = watch(scheme=scheme)
    shown, violations = {}, {}
    run = watched.page.locator("tbody a").first.get_attribute("href")
    for name in (*PAGES, run[1:]):
        watched.open(f"{demo.origin}/{name}")
        shown[name] = watched.page.inner_text("main")
        violations[name or "live"] = watched.violations()

    missing = {name: [one for one in words if one not in shown[name]] for name, words in PAGES.items()}
    assert {name: words for name, words in missing.items() if words} == {}
    assert {name: found for name, found in violations.items() if found} == {}


@pytest.mark.parametrize("width", [390, 768, 1000, 1240, 2560])
def test_no_page_is_wider_than_its_window(watch: Opened, demo: Demo, width: int) -> None:
    watched = watch(width=width)
    wider = {}
    for name in PAGES:
        watched.open(f"{demo.origin}/{name}")
        wider[name or "live"] = watched.overflow()

    assert {name: by for name, by in wider.items() if by} == {}


def test_a_run_is_read_by_keyboard_alone_from_its_lane_and_its_folder_from_the_map(watch: Opened, demo: Demo) -> None:
    watched = watch()
    page = watched.page
    page.keyboard.press("Tab")
    skips = page.evaluate("() => document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.locator(".lanes a").first.focus()
    told = page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/runs/run_"))
    watched.drawn()
    run = page.inner_text("main")
    page.go_back()
    page.wait_for_selector(".lanes a")
    page.click("nav a[href='/claims']")
    page.locator("g.box", has_text="shop/").focus()
    page.keyboard.press("Enter")
    chosen = page.inner_text(".panel")

    assert skips == "Skip to the page"
    assert told.partition(", ")[2]
    assert all(words in run for words in ("Events", "run.started", "trace what it made"))
    assert "shop/" in chosen
    assert "rounding moves to one place" in chosen
    assert "docs@" in chosen.partition("Queue")[2]


def test_the_colours_are_the_reader_s_choice_and_stay_so(watch: Opened) -> None:
    watched = watch(scheme="light")
    page = watched.page
    light = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.select_option("#theme", "dark")
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.reload()
    watched.drawn()
    again = page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    assert light != dark == again


def test_facets_narrow_what_is_shown(watch: Opened, demo: Demo) -> None:
    watched = watch()
    page = watched.page
    watched.open(f"{demo.origin}/decisions")
    before = page.locator("tbody tr").count()
    page.get_by_role("button", name=re.compile("^Answer deny")).click()
    denied = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("button", name=re.compile("^Answer deny")).click()

    assert [("deny" in one, "no-new-dependencies" in one) for one in denied] == [(True, True)]
    assert page.locator("tbody tr").count() == before > 1


def test_whoever_has_no_key_sees_how_to_get_one_and_nothing_else(browser: object, demo: Demo) -> None:
    watched = Watched(browser)
    watched.page.goto(demo.origin)
    watched.page.wait_for_selector("main h1")
    text = watched.page.inner_text("main")
    told = json.dumps(watched.page.evaluate("() => fetch('/api/v1/live').then(answer => answer.json())"))
    watched.context.close()

    assert "loomstack-mcp ui" in text
    assert "refactor" not in text + told
