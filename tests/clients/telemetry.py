"""What each client tells of its models' cost, as it sends it; `python -m tests.clients.telemetry` keeps it."""

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.clients.bypass.hands import ClaudeHand, CodexHand
from tests.clients.drive_claude import run_claude
from tests.clients.drive_codex import run_codex
from tests.clients.script import Json, Script
from tests.conftest import git

RECORDED = Path(__file__).with_name("telemetry.json")
_KEPT = ("api_request", "tool_decision", "user_prompt", "codex.tool_decision", "codex.user_prompt", "codex.sse_event")
_PERSON = ("user.id", "user.email", "user.account_uuid", "organization.id")


def recorded() -> dict[str, list[Json]]:
    """By client, the exports of its logs."""
    kept: dict[str, list[Json]] = json.loads(RECORDED.read_text("utf-8"))
    return kept


@contextmanager
def sink() -> Iterator[tuple[str, list[tuple[str, Json]]]]:
    """An address that takes everything, and what came."""
    came: list[tuple[str, Json]] = []

    class Taking(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came.append((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", came
        server.shutdown()


def claude_telemetry(folder: Path) -> list[Json]:
    """A session of Claude Code with a sub-agent."""
    hand = ClaudeHand()
    (folder / "a.txt").write_text("x\n")
    script = Script(
        [hand.shell("cat a.txt"), hand.write(str(folder / "a.txt"), "y\n", was="x\n"), *hand.agent(), "done"],
        [hand.lane([hand.shell("true"), "made"])],
    )
    with sink() as (url, came):
        env = {
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{url}/v1/logs",
            "DISABLE_TELEMETRY": "",
        }
        run = run_claude(script, cwd=folder, env=env, args=["--permission-mode", "acceptEdits"], allow=["Bash"])
    assert (run.rc, script.errors) == (0, []), run.stderr
    return [body for _, body in came]


def codex_telemetry(folder: Path) -> list[Json]:
    """A session of Codex with a sub-agent."""
    hand = CodexHand()
    git(folder, "init", "--quiet")
    (folder / "a.txt").write_text("x\n")
    script = Script(
        [hand.shell("cat a.txt"), hand.write(str(folder / "a.txt"), "y\n", was="x\n"), *hand.agent(), "done"],
        [hand.lane([hand.shell("true"), "made"])],
    )
    with sink() as (url, came):
        exporter = f'exporter = {{ otlp-http = {{ endpoint = "{url}/v1/logs", protocol = "json" }} }}'
        home = folder.with_name("home")
        run = run_codex(script, cwd=folder, home=home, trust=True, config=f"[otel]\n{exporter}\n")
    assert (run.rc, script.errors) == (0, []), run.stderr
    return [body for _, body in came]


def shortened(exports: list[Json]) -> list[Json]:
    """What is read of it, with some of what is not, and nobody's number."""
    for export in exports:
        for scope in (scope for resource in export["resourceLogs"] for scope in resource["scopeLogs"]):
            scope["logRecords"] = [one for one in scope["logRecords"] if _is_kept(one)]
            for one in scope["logRecords"]:
                one["attributes"] = [each for each in one["attributes"] if each["key"] not in _PERSON]
    return exports


def _is_kept(told: Json) -> bool:
    found = {one["key"]: one["value"].get("stringValue") for one in told["attributes"]}
    return found["event.name"] in _KEPT and found.get("event.kind", "response.completed") == "response.completed"


def main() -> None:
    """Keep what the pinned clients tell."""
    found = {}
    for client, told in (("Claude Code", claude_telemetry), ("Codex", codex_telemetry)):
        with tempfile.TemporaryDirectory(prefix="telemetry-") as kept:
            os.environ["HARNESS_TMP"] = kept
            (Path(kept) / "shop").mkdir()
            found[client] = shortened(told(Path(kept) / "shop"))
    RECORDED.write_text(json.dumps(found, indent=None, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
