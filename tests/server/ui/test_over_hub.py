"""`ui` on a machine that has joined a hub: it reads, hears and answers there, by its person's token."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import open_loom
from tests.dashboards import Ui, running_ui
from tests.deadlines import seconds
from tests.hubs import Hub, made_token, running_hub
from tests.services.support import claimed, started
from tests.services.test_approvals import book, edit, rule


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path) as running:
        yield running


@pytest.fixture
def ui(hub: Hub, shop: Path, tmp_path: Path) -> Iterator[Ui]:
    told = {"LOOMSTACK_STORE": f"http://127.0.0.1:{hub.port}", "LOOMSTACK_TOKEN": made_token(tmp_path, "ana")}
    with running_ui(tmp_path / "home", shop, **told) as running:
        yield running


def test_a_page_over_a_hub_hears_and_answers_and_its_streams_end_with_it(
    ui: Ui, hub: Hub, shop: Path, tmp_path: Path
) -> None:
    worktree = worktree_at(shop)
    assert worktree
    agent = Caller(principal="kim", session="s-kim")
    page = ui.page()
    with open_loom(Settings(store=str(tmp_path / "loomstack" / "loom.db"))) as loom:
        run = started(loom, agent, worktree.checkout())
        question = edit(loom, book(rule(by="role:developer")), caller=agent).approval
        stream = page.stream()
        hello = stream.message()
        claimed(loom, agent, "src/a.py")
        news = stream.message()
    page.post("session", code="")
    signed = page.post("session", code=ui.code())
    [waiting] = page.rows("inbox")
    answered = page.post(f"inbox/{question}", {"verdict": "approve", "digest": waiting["digest"]})
    ui.process.send_signal(signal.SIGINT)
    rest = stream.message()
    while rest:
        rest = stream.message()

    assert (hello["event"], news["event"], news["runs"]) == ("hello", "change", [run.id])
    assert (signed.body["name"], signed.body["role"], signed.body["may_decide"]) == ("ana", "developer", True)
    assert (answered.status, answered.body) == (200, {"id": question, "state": "granted", "by": "ana"})
    assert ui.process.wait(seconds(5)) == 0
    assert hub.process.poll() is None
