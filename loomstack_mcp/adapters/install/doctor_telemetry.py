"""Whether telemetry arrives: ours at its collector, and the clients' at the receiver of this machine."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.adapters.telemetry import can_export
from loomstack_mcp.core.clients.files.own_names import COMMAND
from loomstack_mcp.core.clients.files.telemetry_entries import RECEIVER_PORT
from loomstack_mcp.core.phrases import age

_ANSWER_S = 2.0
_LOGS = re.compile(r"http://127\.0\.0\.1:(\d{1,5})/v1/logs")
_RECEIVE = f"{COMMAND} telemetry receive"


def export_checks(settings: Settings) -> Iterator[Check]:
    """What servers tell a collector; nothing where none is named."""
    if not (endpoint := settings.otlp_endpoint):
        return
    where = urlsplit(endpoint)
    shown = f"{where.scheme}://{where.netloc}"
    if not can_export():
        found = f"otlp_endpoint is {shown}, and what it needs is not installed: nothing is exported"
        yield Check(check="telemetry", status="warn", found=found, mend=f"pip install '{COMMAND}[otel]'")
        return
    try:
        port = where.port or (443 if where.scheme == "https" else 80)
        with socket.create_connection((where.hostname or "", port), timeout=_ANSWER_S):
            yield Check(check="telemetry", status="ok", found=f"exported to {shown}")
    except (OSError, ValueError) as error:
        found = f"nothing listens at otlp_endpoint {shown} ({error}); what is told is dropped"
        yield Check(check="telemetry", status="warn", found=found, mend="start the collector, or unset otlp_endpoint")


def receiver_ports(*files: Path) -> tuple[int, ...]:
    """Where clients send their logs on this machine, by a person's own files."""
    found: dict[int, None] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found |= dict.fromkeys(int(one[1]) for one in _LOGS.finditer(text))
    return tuple(found)


def receiver_checks(ports: tuple[int, ...], *, last_age_ms: int | None) -> Iterator[Check]:
    """Whether what clients tell is taken in, and when the last was of the repository's runs; None for never."""
    for port in ports:
        if not _takes(port):
            found = f"clients tell 127.0.0.1:{port} what they cost, and nothing of ours takes it in"
            mend = _RECEIVE if port == RECEIVER_PORT else f"{_RECEIVE} --port {port}"
            yield Check(check="receiver", status="warn", found=found, mend=mend)
            continue
        last = "nothing yet of the last runs here" if last_age_ms is None else f"the last {age(last_age_ms)} ago"
        yield Check(check="receiver", status="ok", found=f"takes in what clients tell at 127.0.0.1:{port}; {last}")


def _takes(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        line.request("POST", "/v1/logs", b"{}", {"content-type": "application/json"})
        answer = line.getresponse()
        return answer.status == 200 and json.loads(answer.read(1_000) or b"{}") == {}
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        line.close()
