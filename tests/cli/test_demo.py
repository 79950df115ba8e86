"""The demo is the product's first minute: it must tell its story, and leave nothing behind."""

import pytest

from tests.conftest import environment
from tests.processes import MODULE, run


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
