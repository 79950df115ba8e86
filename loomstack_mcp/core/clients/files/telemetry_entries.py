"""Our entries by which both clients send their own telemetry to the receiver on this machine.

They heed them in a person's own files alone, and in no project's (run on 2.1.330 and 0.169.0, 2026-11).
"""

import re

from loomstack_mcp.core.clients.files.json_text import JsonTree, branch, pruned
from loomstack_mcp.core.errors import Invalid

RECEIVER_PORT = 8422
"""Beside those of `serve --http` and `ui`; that of OTLP, 4318, may be a collector's."""
_ENABLE = "CLAUDE_CODE_ENABLE_TELEMETRY"
_EXPORTER, _PROTOCOL, _ENDPOINT = (
    "OTEL_LOGS_EXPORTER",
    "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
_OURS = re.compile(r"http://127\.0\.0\.1:\d{1,5}/v1/logs")
OTEL_TABLE = "otel"


def logs_url(port: int = RECEIVER_PORT) -> str:
    """Where the receiver takes in logs."""
    return f"http://127.0.0.1:{port}/v1/logs"


def with_telemetry(tree: JsonTree, /) -> JsonTree:
    """Claude Code's settings, by which it sends its logs to the receiver; no prompt, and no metrics.

    Raises Invalid where a person's own logs go elsewhere.
    """
    found = branch(tree, "env", {})
    if sends_telemetry(tree):
        return tree
    wanted = {_EXPORTER: "otlp", _PROTOCOL: "http/json", _ENDPOINT: logs_url()}
    if taken := [name for name in wanted if name in found]:
        raise Invalid(f"env sends logs elsewhere already ({', '.join(taken)}); have what takes them send them on here")
    return {**tree, "env": {**found, _ENABLE: found.get(_ENABLE, "1"), **wanted}}


def sends_telemetry(tree: JsonTree, /) -> bool:
    """Whether Claude Code's settings send its logs to a receiver on this machine."""
    found = tree.get("env")
    return isinstance(found, dict) and bool(_OURS.fullmatch(str(found.get(_ENDPOINT, ""))))


def without_telemetry(tree: JsonTree, /) -> JsonTree:
    """The settings without that; what else a person exports goes on."""
    if not sends_telemetry(tree):
        return tree
    left = {name: value for name, value in tree["env"].items() if name not in (_EXPORTER, _PROTOCOL, _ENDPOINT)}
    if not any(name.startswith("OTEL_") for name in left):
        left.pop(_ENABLE, None)
    return pruned(tree, "env", left)


def otel_table() -> str:
    """Codex's table for the same, in TOML."""
    exporter = f'{{ otlp-http = {{ endpoint = "{logs_url()}", protocol = "json" }} }}'
    return f"\n[{OTEL_TABLE}]\nlog_user_prompt = false\nexporter = {exporter}\n"
