"""`python -m tests.browser.screens`: the pictures of the dashboard, of the story of `demo --ui`.

With a FOLDER it draws every page into that instead.
"""

import base64
import sys
import tempfile
from collections.abc import Iterator
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
SHOWN = ("live", "live-dark", "trace", "trace-dark", "inbox")
"""Those that the README and the help show."""
PICTURE_BYTES_MAX = 150_000
_WIDTH, _HEIGHT, _SHARPER = 1280, 800, 1.4
_AS_WEBP = """async png => {
    const image = new Image();
    image.src = png;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.85);
}"""
"""A third of a PNG's size. The page that does it is none of the dashboard's, whose policy would not let it."""
_PAUSE_S = 1.5
"""As slowly as the story has to be told for its runs to be seen on a time line."""


def main(folder: str = "") -> int:
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
        blank = browser.new_page()
        into = Path(folder) if folder else PICTURES
        names = [name for name in PAGES if folder or name in SHOWN]
        sizes = [one for name in names for one in _drawn(watched, demo, name, blank, into)]
    print("\n".join(f"{size:>8,}  {name}" for name, size in sizes))
    return int(any(size > PICTURE_BYTES_MAX for _, size in sizes))


def _drawn(watched: Watched, demo: Demo, name: str, blank: Any, into: Path) -> Iterator[tuple[str, int]]:
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
        if into == PICTURES and f"{name}{ending}" not in SHOWN:
            continue
        picture = into / f"dashboard-{name}{ending}.webp"
        drawn = f"data:image/png;base64,{base64.b64encode(page.screenshot()).decode()}"
        small = blank.evaluate(_AS_WEBP, drawn)
        picture.write_bytes(base64.b64decode(small.partition(",")[2]))
        yield picture.name, picture.stat().st_size


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
