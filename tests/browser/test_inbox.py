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
        agent.call("start_run", {"loop": "prices", "goal": "cheaper"})
        (demo.folder / "ana/shop/tax.py").write_text("TAX_PERCENT = 19\n")
        asked = agent.call("check_policy", {"action": "edit", "paths": [".mcp.json"]})["structuredContent"]["approval"]
        watched = watch()
        page = watched.page
        watched.open(f"{demo.origin}/inbox")
        [waiting] = [one["id"] for one in _inbox(demo) if one["id"].startswith("apr_") and one["id"] != asked]
        before = page.locator("form.answer").count()
        page.focus("#ask-code")
        page.keyboard.press("Enter")
        page.keyboard.type(demo.code())
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#approve-{waiting}")
        violations = watched.violations()
        page.focus(f"#why-{waiting}")
        page.keyboard.type("rounded once is right")
        page.keyboard.press("Tab")
        is_on = page.evaluate("() => document.activeElement.id")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#approve-{waiting}", state="detached")
        told = page.inner_text("main [role=status].told")
        page.focus(f"#why-{asked}")
        page.keyboard.type("not this way")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#deny-{asked}", state="detached")
        page.click("#leave")
        page.wait_for_selector("text=Sign in to decide")

    answers = {one: _why(demo, one) for one in (waiting, asked)}
    assert before == 0
    assert violations == []
    assert is_on == f"approve-{waiting}"
    assert waiting in told
    assert "rounded once is right" in answers[waiting]
    assert '"granted"' in answers[waiting]
    assert "not this way" in answers[asked]
    assert '"denied"' in answers[asked]
    assert [one["id"] for one in _inbox(demo) if one["id"].startswith("apr_")] == []


def _inbox(demo: Demo) -> list[dict[str, str]]:
    listed = run([*MODULE, "inbox", "--json"], cwd=demo.folder / "yours", env=demo.environment(), check=True)
    rows: list[dict[str, str]] = json.loads(listed.stdout)
    return rows


def _why(demo: Demo, id: str) -> str:  # noqa: A002 it is called so
    told = run([*MODULE, "why", id, "--json"], cwd=demo.folder / "yours", env=demo.environment(), check=True)
    return str(told.stdout)
