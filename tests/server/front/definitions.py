"""What the SDK's server says of itself, for the front: `python -m tests.server.front.definitions` writes it down."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from loomstack_mcp.server.front.definitions import PREFIX
from tests.wire import MODERN, Server

FILE = Path(__file__).parents[3] / "loomstack_mcp/server/front/definitions.json"
REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
LISTS = ("tools/list", "resources/list", "resources/templates/list", "prompts/list")
_STAMP = f"{PREFIX}serverInfo"

Json = dict[str, Any]


def recorded(revision: str = REVISIONS[-1]) -> Json:
    """What the SDK's server answers in a session of that revision, and in one of the modern era."""
    with tempfile.TemporaryDirectory() as folder:
        with _server(folder) as server:
            results = {"initialize": server.initialize(revision)["result"]}
            results |= {method: server.request(method)["result"] for method in LISTS}
        with _server(folder) as server:
            server.modern_era = True
            modern = {method: server.request(method)["result"] for method in ("server/discover", *LISTS)}
    del results["initialize"]["serverInfo"], results["initialize"]["protocolVersion"]
    results["server/discover"] = {
        name: value for name, value in modern["server/discover"].items() if name not in _envelope(modern)
    }
    envelope = _envelope(modern)
    cached = {name: envelope.pop(name) for name in ("ttlMs", "cacheScope")}
    return {
        "revisions": list(REVISIONS), "modern": MODERN, "cached": cached,
        "complete": {"resultType": envelope.pop("resultType")}, "results": results,
    }  # fmt: skip


def _envelope(modern: Json) -> Json:
    """What every list of the modern era has besides what the other era's has."""
    return {name: modern["tools/list"][name] for name in ("ttlMs", "cacheScope", "resultType", "_meta")}


def _server(folder: str) -> Server:
    command = [sys.executable, "-m", "loomstack_mcp", "--home", folder, "serve", "--sdk"]
    return Server(command, cwd=folder)


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(recorded(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
