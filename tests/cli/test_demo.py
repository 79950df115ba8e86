"""The demo is the product's first minute: it must tell its story, and leave nothing behind."""

import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.deadlines import seconds
from tests.processes import MODULE, run, start


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("home")
    scratch = tmp_path_factory.mktemp("scratch")
    done = run([*MODULE, "demo"], cwd=scratch, env=environment(home, TMPDIR=str(scratch)), check=True, quiet_s=60)
    assert done.stderr == ""
    assert list(scratch.iterdir()) == []
    assert not (home / "loomstack").exists()
    story: str = done.stdout
    return story


def test_ana_is_told_refused_and_woken_in_that_order(shown: str) -> None:
    story = ["The red test is on purpose.", "refactor@", "refused: refactor@", "Work on other paths",
             "bea record_outcome(status=done", "wait_seconds=30)", "green without a change"]  # fmt: skip
    place = 0
    for words in story:
        place = shown.find(words, place)
        assert place >= 0, f"{words} is missing, or told too early"


def test_the_suite_is_red_before_and_green_after(shown: str) -> None:
    assert shown.find("FAILED (failures=1)") < shown.find("unittest   OK")


def test_whoever_watches_gets_the_link_first_and_the_whole_chain_last(tmp_path: Path) -> None:
    """`demo --ui`: which loop made this line in production, why, and who let it through?"""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with start(
        [*MODULE, "demo", "--ui", "--pause", "0"],
        cwd=scratch,
        env=environment(tmp_path, TMPDIR=str(scratch)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        story: list[str] = []
        for line in process.stdout:
            story.append(line)
            if "goes on until Ctrl-C" in line:
                break
        link = story[0].removeprefix("The dashboard: ").strip()
        with urllib.request.urlopen(link.partition("#")[0]) as page:
            shell = page.read().decode()
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=seconds(20))

    chain = "".join(story).partition("who let it through?")[2]
    told = ["by the run, 100 %", "refactor@", "all prices are net", "prices become net: 100 stays 100",
            "passed 1/1 by review", "require_approval by prices", "granted by", "production build-512"]  # fmt: skip
    assert [words for words in told if words not in chain] == []
    assert "<main" in shell
    assert (process.returncode, complaints, list(scratch.iterdir())) == (0, "", [])
