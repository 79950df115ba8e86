"""`python -m tests.browser.screens`: the dashboard's pictures of the README and the help, from the story of `demo --ui`."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import Watched, opened_browser, why_not
from tests.browser.watching import Demo, watched_demo
from tests.processes import ROOT

PICTURES = ROOT / "loomstack_mcp/help/pictures"
PAGES = {
    "live": "",
    "claims": "claims",
    "conflicts": "conflicts",
    "decisions": "decisions",
    "inbox": "inbox",
    "trace": "trace/shop%2Ftax.py%3A7",
    "loops": "loops",
}
PICTURE_BYTES_MAX = 150_000
_WIDTH, _HEIGHT, _SHARPER = 1120, 700, 1.5
_PAUSE_S = 1.5
"""As slowly as the story has to be told for its runs to be seen on a time line."""


def main() -> int:
    """Draw all of them; 1 where there is no browser, or one is too large."""
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch, watched_demo(Path(scratch), pause_s=_PAUSE_S) as demo:
        with opened_browser() as browser:
            sizes = [_drawn(browser, demo, name, scheme) for name in PAGES for scheme in ("light", "dark")]
    print("\n".join(f"{size:>8,}  {name}" for name, size in sizes))
    return int(any(size > PICTURE_BYTES_MAX for _, size in sizes))


def _drawn(browser: Any, demo: Demo, name: str, scheme: str) -> tuple[str, int]:
    """One page in one mode, signed in where it decides."""
    watched = Watched(browser, scheme=scheme, width=_WIDTH, height=_HEIGHT, sharper=_SHARPER)
    watched.open(demo.link)
    watched.open(f"{demo.origin}/{PAGES[name]}")
    if name == "inbox":
        watched.page.click("#ask-code")
        watched.page.fill("#code", demo.code())
        watched.page.press("#code", "Enter")
        watched.page.wait_for_selector("form.answer")
    picture = PICTURES / f"dashboard-{name}{'-dark' if scheme == 'dark' else ''}.png"
    watched.page.screenshot(path=picture)
    watched.context.close()
    return picture.name, picture.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
