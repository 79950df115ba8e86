"""Small lists of this user's in files beside the store: private, written whole, and read as empty where broken."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_entries(home: str, name: str) -> list[dict[str, Any]]:
    """The entries of a file; none where it cannot be read."""
    try:
        found = json.loads((Path(home) / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def write_entries(home: str, name: str, entries: Sequence[dict[str, Any]]) -> None:
    """Keep these alone. Raises OSError where the file cannot be written; the old one is there still, then."""
    path = Path(home) / name
    temporary = path.with_name(f".{name}.{os.getpid()}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary.write_text(json.dumps(entries), encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(path)
