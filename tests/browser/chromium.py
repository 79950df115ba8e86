"""Chromium by Playwright, axe in its pages, and all that a page complains of."""

import contextlib
import importlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
_QUIET_MS = 15_000
_PACKAGES = ("playwright", "axe_playwright_python")
_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


def why_not() -> str:
    """Why nothing is tried in a browser here; "" where it is."""
    if "PIP_NO_INDEX" in os.environ:
        return "`.ci/run` starts no browser"
    if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        return f"a browser is driven by {', '.join(missing)}: pip install -e '.[browser]'"
    return "" if CHROMIUM else "there is no Chromium here"


@contextlib.contextmanager
def opened_browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright: Any = importlib.import_module("playwright.sync_api")  # no dependency of the tests
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, and what its console, its scripts and its policy had to say."""

    def __init__(
        self, browser: Any, *, scheme: str = "light", width: int = 1280, height: int = 800, sharper: float = 1
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=sharper,
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(_QUIET_MS)
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._close)

    def open(self, url: str) -> None:
        """Go there, and wait until it is drawn."""
        self.page.goto(url)
        self.drawn()

    def drawn(self) -> None:
        """Wait until the page shows what it asked for."""
        self.page.wait_for_selector("main[class]:not([aria-busy])")

    def violations(self) -> list[str]:
        """What axe has against the page as it is now: rule, and the first place."""
        if not self.page.evaluate("() => Boolean(window.axe)"):
            self.page.evaluate(_axe_source())
        found = self.page.evaluate("rules => axe.run(document, rules)", _RULES)["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        return max(0, wider)

    def _hear(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def _close(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()


def _axe_source() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec
    assert spec.origin
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")
