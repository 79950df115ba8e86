"""What the real clients show a second time in another way, at 40 s of CPU, is played where `CLIENTS=all` says so."""

import os

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    mark = item.get_closest_marker("also")
    if mark and os.environ.get("CLIENTS") != "all":
        pytest.skip(f"CLIENTS=all plays it; {mark.args[0]}")
