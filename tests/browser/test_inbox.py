"""Deciding in a page: by a code that only the terminal shows, and by keyboard alone."""

import json
from collections.abc import Callable

from tests.browser.chromium import Watched
from tests.browser.watching import Demo
from tests.conftest import COMMAND
from tests.processes import MODULE, run
from tests.wire import Server

Opened = Callable[..., Watched]


def test_a_person_signs_in_approves_and_denies_by_keyboard(watch: Opened, demo: Demo) -> None:
    with Server(COMMAND, env=demo.environment(), cwd=demo.folder / "ana") as agent:
        agent.initialize()
        agent.call("start_run", {"loop": "rules", "goal": "stricter"})
        yes, no = (
            agent.call("check_policy", {"action": "edit", "paths": [path]})["structuredContent"]["approval"]
            for path in ("policies/more.yaml", ".mcp.json")
        )
        watched = watch()
        page = watched.page
        watched.open(f"{demo.origin}/inbox")
        before = page.locator("form.answer").count()
        page.focus("#ask-code")
        page.keyboard.press("Enter")
        page.wait_for_selector("#code:focus")  # where what is typed goes once the terminal has shown it
        page.keyboard.type(demo.code())
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#approve-{yes}")
        violations = watched.violations()
        page.focus(f"#why-{yes}")
        page.keyboard.type("rounded once is right")
        page.keyboard.press("Tab")
        is_on = page.evaluate("() => document.activeElement.id")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#approve-{yes}", state="detached")
        told = page.inner_text("main [role=status].told")
        page.focus(f"#why-{no}")
        page.keyboard.type("not this way")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#deny-{no}", state="detached")
        page.click("#leave")
        page.wait_for_selector("text=Open the link that the terminal printed")

    answers = {one: _why(demo, one) for one in (yes, no)}
    assert before == 0
    assert violations == []
    assert is_on == f"approve-{yes}"
    assert yes in told
    assert "rounded once is right" in answers[yes]
    assert '"granted"' in answers[yes]
    assert "not this way" in answers[no]
    assert '"denied"' in answers[no]
    assert {yes, no}.isdisjoint(one["id"] for one in _inbox(demo))
    assert watched.complaints == ["Failed to load resource: the server responded with a status of 401 (Unauthorized)"]
    watched.complaints.clear()  # the answer that says where the code is


def _inbox(demo: Demo) -> list[dict[str, str]]:
    listed = run([*MODULE, "inbox", "--json"], cwd=demo.folder / "yours", env=demo.environment(), check=True)
    rows: list[dict[str, str]] = json.loads(listed.stdout)
    return rows


def _why(demo: Demo, id: str) -> str:  # noqa: A002 it is called so
    told = run([*MODULE, "why", id, "--json"], cwd=demo.folder / "yours", env=demo.environment(), check=True)
    return str(told.stdout)
