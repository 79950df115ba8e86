"""A page that is open follows what happens, and says so where it cannot."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.chromium import Watched
from tests.browser.watching import Demo
from tests.conftest import COMMAND
from tests.dashboards import running_ui
from tests.processes import MODULE, start
from tests.wire import Server

Opened = Callable[..., Watched]
_VISIBLE_S = 1.0
_DAY_MS = 86_400_000


def test_a_run_that_starts_is_seen_within_a_second_and_nothing_moves_the_focus(watch: Opened, demo: Demo) -> None:
    watched = watch()
    page = watched.page
    page.wait_for_selector("text=live")
    page.locator("tbody a").first.focus()
    held = page.evaluate("() => document.activeElement.getAttribute('href')")
    with Server(COMMAND, env=demo.environment(), cwd=demo.folder / "ana") as agent:
        agent.initialize()
        took_s = []
        for number in range(3):
            agent.call("start_run", {"loop": "watched", "goal": f"goal {number}"})
            begun_s = time.monotonic()
            page.wait_for_selector(f"tbody >> text=goal {number}", timeout=10_000)
            took_s.append(time.monotonic() - begun_s)
        after = page.evaluate("() => document.activeElement.getAttribute('href')")
        spoken = page.inner_text("#said")
        agent.call("record_outcome", {"status": "done", "summary": "seen"})

    assert sorted(took_s)[1] < _VISIBLE_S
    assert after == held
    assert "at work" in spoken


def test_a_page_without_its_server_says_so_and_finds_back(watch: Opened, browser: Any, demo: Demo) -> None:
    watched = watch()
    page = watched.page
    page.wait_for_selector("text=live")
    watched.context.set_offline(True)
    page.wait_for_selector("text=not connected, trying again")
    rows = page.locator("tbody tr").count()
    watched.context.set_offline(False)
    page.wait_for_selector(".link.on", timeout=20_000)

    watched.complaints.clear()  # of a network that was away
    assert rows > 0


def test_a_tab_that_slept_for_a_day_reads_everything_anew(browser: Any, demo: Demo) -> None:
    watched = Watched(browser)
    page = watched.page
    page.clock.install()
    watched.open(demo.link)
    page.wait_for_selector(".link.on")
    with page.expect_request("**/events/stream*"), page.expect_response("**/api/v1/live*") as lists:
        page.clock.fast_forward(_DAY_MS)
    page.wait_for_selector(".link.on")
    status, complaints = lists.value.status, watched.complaints
    watched.context.close()

    assert status in (200, 304)
    assert complaints == []


def test_a_server_that_started_anew_knows_no_page_of_before(browser: Any, demo: Demo, tmp_path: Path) -> None:
    with running_ui(tmp_path, demo.folder / "yours") as first:
        watched = Watched(browser)
        watched.open(f"http://127.0.0.1:{first.port}/#key={first.key}")
        watched.page.wait_for_selector(".link.on")
        first.stop()
        watched.page.wait_for_selector("text=not connected, trying again")
        command = [*MODULE, "ui", "--port", str(first.port)]
        with start(command, cwd=demo.folder / "yours", env=demo.environment(), stdout=subprocess.PIPE) as second:
            watched.page.wait_for_selector("text=Open the link that the terminal printed", timeout=30_000)
            second.terminate()
        watched.context.close()
