"""The conformance suite, and what it asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.processes import run

ROOT = Path(__file__).parent.parent.parent
INSTALLED = ROOT / ".clients" / "node_modules"
SUITE = INSTALLED / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
NODE = INSTALLED / ".bin" / "node"
REVISIONS = ("2025-11-25", "2026-07-28")


def run_suite(url: str, revision: str, folder: Path) -> str:
    """What the suite printed about the server at an address."""
    command = [str(NODE), str(SUITE), "server", "--url", url, "--requirements", revision, "-o", str(folder)]
    printed: str = run(command, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, cwd=folder, quiet_s=200).stdout
    return printed


def asked_by_suite(revision: str, folder: Path) -> list[str]:
    """The bodies that the suite posted, each kind of message once, as lines."""
    record = folder / f"{revision}.asked"
    command = [sys.executable, "-m", "tests.conformance.server", str(record)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        run_suite(server.stderr.readline().strip(), revision, folder)
        server.kill()
    kinds: dict[str, str] = {}
    for body in json.loads(f"[{','.join(record.read_text().splitlines())}]"):
        kinds.setdefault(json.dumps({name: value for name, value in body.items() if name != "id"}), json.dumps(body))
    return list(kinds.values())
