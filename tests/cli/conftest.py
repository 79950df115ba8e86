"""Fixtures: where `init` keeps what the files said before."""

import hashlib
from pathlib import Path

import pytest


@pytest.fixture
def journal(tmp_path: Path, shop: Path) -> Path:
    return tmp_path / "loomstack" / "init" / f"{hashlib.sha256(str(shop).encode()).hexdigest()[:16]}.json"
