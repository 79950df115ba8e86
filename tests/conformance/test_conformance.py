"""The protocol's own conformance suite against our server, for both revisions; needs Node 22 or newer.

Beside it: the SDK's own fixture server passes 26 of 30 and 37 of 37 in this mode (mcp 2.3.0, suite
0.2.0-alpha.12). The four ask a client back in the middle of a call, which no stateless server can.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.suite import NODE, ROOT, SUITE, run_suite

PUSHES = {"tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums"}

pytestmark = pytest.mark.skipif(not (SUITE.exists() and NODE.exists()), reason="the suite is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.conformance.server"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        yield server.stderr.readline().strip()
        server.kill()


@pytest.mark.parametrize(("revision", "scenarios", "failing"), [("2025-11-25", 30, PUSHES), ("2026-07-28", 37, set())])
def test_every_scenario_that_a_stateless_server_can_pass(
    tmp_path: Path, url: str, revision: str, scenarios: int, failing: set[str]
) -> None:
    printed = run_suite(url, revision, tmp_path)
    results, _, unscored = printed.partition("Not scored for")
    unscored_names = set(re.findall(r"^ +[✓✗] ([\w-]+) \(", unscored, re.MULTILINE))
    marks = {name: mark for mark, name in re.findall(r"^([✓✗]) ([\w-]+):", results, re.MULTILINE)}
    scored = {name: mark for name, mark in marks.items() if name not in unscored_names}

    assert len(scored) == scenarios, printed[-3000:]
    assert {name for name, mark in scored.items() if mark == "✗"} == failing, printed[-3000:]
