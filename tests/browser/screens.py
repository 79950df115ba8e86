"""`python -m tests.browser.screens`: the dashboard's pictures in the README and the help, of the story of `demo --ui`."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
    with (
        tempfile.TemporaryDirectory() as scratch,
        watched_demo(Path(scratch), pause_s=_PAUSE_S) as demo,
        opened_browser() as browser,
    ):
        watched = Watched(browser, width=_WIDTH, height=_HEIGHT, sharper=_SHARPER)
        watched.open(demo.link)
        sizes = [one for name in PAGES for one in _drawn(watched, demo, name)]
    print("\n".join(f"{size:>8,}  {name}" for name, size in sizes))
    return int(any(size > PICTURE_BYTES_MAX for _, size in sizes))


def _drawn(watched: Watched, demo: Demo, name: str) -> Iterator[tuple[str, int]]:
    """One page in both modes, signed in where it decides."""
    page = watched.page
    watched.open(f"{demo.origin}/{PAGES[name]}")
    if name == "inbox":
        page.click("#ask-code")
        page.fill("#code", demo.code())
        page.press("#code", "Enter")
        page.wait_for_selector("form.answer")
    for scheme, ending in (("light", ""), ("dark", "-dark")):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        picture = PICTURES / f"dashboard-{name}{ending}.png"
        page.screenshot(path=picture)
        yield picture.name, picture.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
