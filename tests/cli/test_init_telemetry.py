"""`init --user --telemetry`: both clients tell what they cost, and what a person sends elsewhere stays theirs."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.test_init_user import NONE, home, own
from tests.cli.test_uninstall import done, refused
from tests.conftest import Run
from tests.server.telemetry.test_receiver import Receiver

__all__ = ["home"]
URL = "http://127.0.0.1:8422/v1/logs"
TELEMETRY = ("init", "--user", "--telemetry", *NONE)


def settings(home: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((home / ".claude/settings.json").read_text())["env"]
    return found


def test_both_clients_send_their_logs_here_until_we_are_taken_out_again(home: Path, loomstack: Run) -> None:
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text('{ "env": {"MINE": "1"},\n "model": "opus" }\n')
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('model = "gpt"\n')
    before = own(home)
    said = done(loomstack, *TELEMETRY)
    codex = tomllib.loads((home / ".codex/config.toml").read_text())
    claude = settings(home)
    again = [done(loomstack, *TELEMETRY), done(loomstack, "init", "--user", *NONE)]
    settled = own(home)
    done(loomstack, "uninstall", "--user")

    assert "keep `loomstack-mcp telemetry receive` running" in said
    assert claude == {
        "MINE": "1",
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": URL,
    }
    assert codex["otel"] == {
        "log_user_prompt": False,
        "exporter": {"otlp-http": {"endpoint": URL, "protocol": "json"}},
    }
    assert codex["mcp_servers"]["loomstack"]["required"] is True
    assert all("nothing to change" in one for one in again)
    assert URL.encode() in (settled[".codex/config.toml"] or b"")
    assert own(home) == before


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [(".claude/settings.json", '{"env": {"OTEL_LOGS_EXPORTER": "console"}}', "sends logs elsewhere already"),
     (".codex/config.toml", '[otel]\nexporter = "none"\n', "has an [otel] of yours")],
)  # fmt: skip
def test_a_person_s_own_telemetry_is_left_as_it_is(home: Path, loomstack: Run, file: str, text: str, why: str) -> None:
    (home / file).parent.mkdir()
    (home / file).write_text(text)

    assert why in refused(loomstack, *TELEMETRY)
    assert (home / file).read_text() == text


def test_what_a_person_exports_besides_goes_on(home: Path, loomstack: Run) -> None:
    mine = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_METRICS_EXPORTER": "otlp"}
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text(json.dumps({"env": mine}))
    done(loomstack, *TELEMETRY)
    tree = json.loads((home / ".claude/settings.json").read_text())
    (home / ".claude/settings.json").write_text(json.dumps({**tree, "later": True}))
    done(loomstack, "uninstall", "--user")

    assert json.loads((home / ".claude/settings.json").read_text()) == {"env": mine, "later": True}


def test_a_project_s_files_would_not_be_heeded(shop: Path, loomstack: Run) -> None:
    assert "--user" in refused(loomstack, "init", "--telemetry")


def test_doctor_says_whether_telemetry_arrives(home: Path, loomstack: Run) -> None:
    done(loomstack, *TELEMETRY)
    path = home / ".claude/settings.json"
    (home / ".codex/config.toml").unlink()
    (home / "loomstack").mkdir(exist_ok=True)
    receiver = Receiver(home)
    path.write_text(path.read_text().replace(":8422/", f":{receiver.port}/"))
    there = loomstack("doctor", LOOMSTACK_OTLP_ENDPOINT="http://127.0.0.1:9").stdout
    receiver.end()
    away = loomstack("doctor", LOOMSTACK_OTLP_ENDPOINT=f"http://127.0.0.1:{receiver.port}").stdout
    none = loomstack("config", LOOMSTACK_OTLP_ENDPOINT="http://u:p@collector/", LOOMSTACK_OTLP_HEADERS="k=s3cret")

    assert f"takes in what clients tell at 127.0.0.1:{receiver.port}; nothing yet" in there
    assert "nothing listens at otlp_endpoint http://127.0.0.1:9" in there
    assert f"loomstack-mcp telemetry receive --port {receiver.port}" in away
    assert "without a key in it" in none.stderr
    assert "s3cret" not in none.stdout + none.stderr
