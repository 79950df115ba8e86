"""`claims release` and `runs stop`: shown, done by a person at a terminal, and told to those concerned."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_cli import on_terminal
from tests.conftest import Run, environment
from tests.processes import SCRIPT
from tests.wire import Server

ME = getpass.getuser()


@pytest.fixture
def typed(tmp_path: Path, shop: Path) -> Callable[..., str]:
    """What the terminal showed once a person typed the command there, with its status before it where it is not 0."""

    def on(*words: str) -> str:
        status, shown = on_terminal([SCRIPT, *words], cwd=shop, env=environment(tmp_path))
        return f"{status or ''}{shown}"

    return on


@pytest.fixture
def holder(serve: Callable[..., Server]) -> Server:
    server = serve(CLAUDE_CODE_SESSION_ID="s-holder")
    server.answer("start_run", loop="refactor", goal="net prices")
    return server


@pytest.fixture
def waiting(serve: Callable[..., Server], holder: Server) -> Server:
    """Another session, refused what the holder has."""
    holder.answer("claim_paths", paths=["src"], intent="net")
    server = serve(CLAUDE_CODE_SESSION_ID="s-waits")
    server.answer("start_run", loop="triage", goal="green")
    assert not server.answer("claim_paths", paths=["src/a.py"], intent="x")["granted"]
    return server


def test_a_person_frees_a_claim_and_sees_first_what_that_frees_and_who_waits(
    typed: Callable[..., str], loomstack: Run, holder: Server, waiting: Server
) -> None:
    [claim] = json.loads(loomstack("claims", "--json").stdout)
    [second, first] = json.loads(loomstack("runs", "--json").stdout)
    planned = typed("claims", "release", claim["claim"], "--why", "release day", "--dry-run")
    still = json.loads(loomstack("claims", "--json").stdout)
    done = typed("claims", "release", claim["claim"], "--why", "release day")

    assert f"frees  src/ ({claim['claim']}: “net”, held by {first['run']} (refactor@{ME}: “net prices”))" in planned
    assert f"waits  {second['run']} (triage@{ME}) for src/a.py" in planned
    assert [one["claim"] for one in still] == [claim["claim"]]
    assert done.startswith(planned.rstrip())
    assert f"free now for {second['run']}, told too" in done
    told = holder.answer("read_shared_context")["alerts"]
    assert told == [
        {
            "kind": "revoked",
            "about": claim["claim"],
            "who": ME,
            "text": f"{ME} ended your claim on src/: release day. Stop editing there",
        }
    ]
    assert waiting.answer("claim_paths", paths=["src/a.py"], intent="x")["granted"]
    assert f"{ME}: release day" in loomstack("why", claim["claim"]).stdout


def test_a_person_stops_a_run_and_its_next_call_says_so(
    typed: Callable[..., str], loomstack: Run, holder: Server, waiting: Server
) -> None:
    run = json.loads(loomstack("runs", "--json").stdout)[1]["run"]
    done = typed("runs", "stop", run, "--why", "wrong branch")

    assert f"ends   {run} (refactor@{ME}: “net prices”)" in done
    assert f"{run} stopped" in done
    assert f"run {run} was stopped by {ME}: wrong branch" in holder.error("claim_paths", paths=["docs"], intent="x")
    assert holder.answer("start_run", loop="refactor", goal="something else")["run"] != run
    states = {one["run"]: one["state"] for one in json.loads(loomstack("runs", "--json").stdout)}
    assert states[run] == f"stopped by {ME}: wrong branch"
    assert f"stopped by {ME}: wrong branch" in loomstack("why", run).stdout


def test_the_lists_are_still_listed_and_take_their_options(loomstack: Run, holder: Server) -> None:
    assert len(json.loads(loomstack("runs", "--live", "--limit", "1", "--json").stdout)) == 1
    assert loomstack("claims").stderr.strip() == "nothing is held"


def test_without_a_terminal_or_a_why_nothing_is_done(
    typed: Callable[..., str], loomstack: Run, holder: Server, waiting: Server
) -> None:
    [claim] = json.loads(loomstack("claims", "--json").stdout)
    refused = loomstack("claims", "release", claim["claim"], "--why", "x")
    inside = loomstack("runs", "stop", claim["run"], "--why", "x", CLAUDECODE="1")

    assert (refused.returncode, "there is no terminal" in refused.stderr) == (1, True)
    assert (inside.returncode, "CLAUDECODE is set" in inside.stderr) == (1, True)
    assert typed("claims", "release", claim["claim"]).startswith("64")
    assert typed("runs", "stop", "run_00000000", "--why", "x").startswith("1")
    assert json.loads(loomstack("claims", "--json").stdout) == [
        {**claim, "expires_in_s": json.loads(loomstack("claims", "--json").stdout)[0]["expires_in_s"]}
    ]
