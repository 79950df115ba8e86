"""What agents write is text on every page: nothing of it runs, links, hides or pushes the page apart."""

from collections.abc import Callable

import pytest

from tests.browser.chromium import Watched
from tests.browser.test_pages import PAGES
from tests.browser.watching import Demo
from tests.conftest import COMMAND, commit_all
from tests.wire import Server

HOSTILE = (
    "<script>alert('ran')</script> \u202egnp.exe\u202c \u200b\"><img src=x onerror=alert(2)> javascript:alert(3) "
    + "x" * 500
)
LONG = f"{HOSTILE} {'y' * 1200}"
Opened = Callable[..., Watched]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_hostile_text_is_nothing_but_text_on_each_page(watch: Opened, demo: Demo, width: int) -> None:
    name = f"evil-{width}"
    tree = demo.folder / "night"
    with Server(COMMAND, env=demo.environment(), cwd=tree) as agent:
        agent.initialize()
        run = agent.call("start_run", {"loop": name, "goal": HOSTILE[:400], "paths": ["x"]})["structuredContent"]["run"]
        agent.call("claim_paths", {"paths": [f"<img src=x onerror=alert({width})>/**"], "intent": HOSTILE[:400]})
        agent.call("share_context", {"kind": "intent", "text": LONG[:2000], "paths": ["shop/tax.py"]})
        agent.call("check_policy", {"action": "edit", "paths": [f"policies/<script>alert({width})</script>.yaml"]})
        (tree / f"evil-{width}.txt").write_text("x\n")
        commit_all(tree)
        agent.call("record_outcome", {"status": "passed", "summary": HOSTILE[:400]})
        watched = watch(width=width)
        page = watched.page
        wider, made, controls = {}, {}, {}
        for path in (*PAGES, f"runs/{run}", f"trace/{run}"):
            watched.open(f"{demo.origin}/{path}")
            wider[path] = watched.overflow()
            made[path] = page.evaluate(
                "() => document.querySelectorAll('main script, main img, main a[href^=javascript]').length"
            )
            controls[path] = page.locator(".control").all_inner_texts()
        agent.call("record_outcome", {"status": "abandoned", "summary": "over"})

    assert {path: by for path, by in wider.items() if by} == {}
    assert {path: number for path, number in made.items() if number} == {}
    assert "U+202E" in controls[""]
    assert {"U+202E", "U+200B"} <= set(controls[f"runs/{run}"])
