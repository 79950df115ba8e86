"""A client that is started anew, and what its hub knows of that."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.remote.hubs import a_hub, joined
from tests.remote.test_remote import ME, SHOP, opened


def test_a_client_that_ended_and_is_started_anew_goes_on_with_its_run(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub, opened(joined(tmp_path / "home", hub)) as edge:
        asked: dict[str, Any] = {"loop": "a", "goal": "g", "budget_tokens": 800}
        first = edge.runs.start(ME, SHOP, **asked).run
        anew = replace(ME, process="boot pid:[1] 4712 100")
        beside_it = edge.runs.start(anew, SHOP, **asked)
        edge.runs.shorten(ME)
        untouched = edge.runs.details(beside_it.run.id).run
        again = edge.runs.start(anew, SHOP, **asked)
        once_more = edge.runs.start(anew, SHOP, **asked)

    assert (beside_it.resumed, untouched) == (False, beside_it.run)
    assert (again.resumed, again.run.id) == (True, first.id)
    assert once_more.resumed is False
    assert b"471" not in b"".join(body for _, body in hub.sent)
