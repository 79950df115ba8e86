"""`doctor` on what the clients start or call: whose program, which store, and who may see the token."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from loomstack_mcp.adapters.install import doctor_urls
from loomstack_mcp.adapters.install.doctor_files import Client
from tests.cli.doctors import APPROVED, SCRIPTS, Doctor
from tests.server.test_http import HttpServer, running

TOKEN = "a-secret-token"


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    return Doctor(tmp_path, shop)


@contextmanager
def listener(body: object) -> Iterator[tuple[str, list[str]]]:
    """A server that is not ours: its URL, and what it was told of tokens."""
    heard: list[str] = []

    class Hears(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers.get('Authorization')}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 http.server calls it so
            pass

    server = HTTPServer(("127.0.0.1", 0), Hears)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/mcp", heard
    server.shutdown()
    server.server_close()


def at(url: str, *, is_approved: bool = True) -> Client:
    return Client(name="Codex", checks=(), entry={"url": url}, is_approved=is_approved)


@pytest.fixture
def server(doctor: Doctor) -> Iterator[HttpServer]:
    with running(doctor.home, doctor.shop) as started:
        doctor.init("--url", f"http://127.0.0.1:{started.port}/mcp")
        yield started


def test_an_approved_server_is_asked_whether_it_lets_the_token_in(doctor: Doctor, server: HttpServer) -> None:
    doctor.claude_keeps(**APPROVED)
    unset, wrong = doctor.found()["server"], doctor.found(LOOMSTACK_TOKEN="wrong")["server"]
    right = doctor.found(LOOMSTACK_TOKEN=server.token)["server"]

    assert "is not set" in unset["found"]
    assert "does not accept" in wrong["found"]
    assert str(doctor.home / "loomstack" / "token") in wrong["mend"]
    assert right["status"] == "ok"


def test_a_server_that_does_not_answer_fails_with_what_starts_it(doctor: Doctor) -> None:
    doctor.init("--url", "http://127.0.0.1:9/mcp")

    assert doctor.found()["server"]["mend"] == "loomstack-mcp serve --http --port 9"


def test_no_token_goes_to_a_server_that_nobody_approved(doctor: Doctor) -> None:
    with listener({"name": "loomstack"}) as (url, heard):
        doctor.init("--url", url)
        found = doctor.found(LOOMSTACK_TOKEN=TOKEN)["server"]

    assert heard == ["/health None"]
    assert found["status"] == "warn"
    assert "was not tried" in found["found"]


def test_the_approval_that_a_repository_brings_along_gives_no_token_away(doctor: Doctor) -> None:
    with listener({"name": "loomstack"}) as (url, heard):
        doctor.init("--url", url)
        doctor.write("shop/.claude/settings.json", {"enableAllProjectMcpServers": True})
        doctor.claude_keeps(hasTrustDialogAccepted=True)
        found = doctor.found(LOOMSTACK_TOKEN=TOKEN)

    assert heard == ["/health None"]
    assert found["Claude Code"]["status"] == "ok"
    assert found["server"]["status"] == "warn"


def test_no_token_goes_to_what_does_not_say_it_is_ours(doctor: Doctor) -> None:
    with listener({"hello": "there"}) as (url, heard):
        doctor.init("--url", url)
        doctor.claude_keeps(**APPROVED)
        found = doctor.found(LOOMSTACK_TOKEN=TOKEN)["server"]

    assert heard == ["/health None"]
    assert found["status"] == "fail"
    assert "was not given the token" in found["found"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/mcp",
        "http://localhost.example.com/mcp",
        "http://127.0.0.1.example.com/mcp",
        "http://127.0.0.1@example.com/mcp",
        "http://0.0.0.0:8765/mcp",
        "https://127.0.0.1:9/x",
        "ftp://127.0.0.1/mcp",
        "file:///mcp",
        "http://[::1/mcp",
        "http://127.0.0.1:99999/mcp",
        "/mcp",
    ],
)
def test_what_is_no_server_of_a_team_is_never_contacted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("was contacted"))
    [found] = doctor_urls.http_server_checks([at(url)], TOKEN, Path("/nowhere"))

    assert found.status == "fail"
    assert "asked" in found.found
    assert found.mend


def test_a_url_with_a_variable_in_it_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("was contacted"))
    [found] = doctor_urls.http_server_checks([at("https://${HOST}/mcp")], TOKEN, Path("/nowhere"))

    assert (found.status, found.mend) == ("warn", "claude mcp list")


def test_another_path_than_the_servers_own_does_not_answer(doctor: Doctor, server: HttpServer) -> None:
    doctor.claude_keeps(**APPROVED)
    doctor.init("--url", f"http://127.0.0.1:{server.port}/x")
    other = doctor.found(LOOMSTACK_TOKEN=server.token)["server"]
    [below] = doctor_urls.http_server_checks(
        [at(f"http://127.0.0.1:{server.port}/x/mcp")], server.token, Path("/nowhere")
    )

    assert (other["status"], other["mend"]) == (
        "fail",
        f"loomstack-mcp init --url http://127.0.0.1:{server.port}/x/mcp",
    )
    assert below.status == "fail"


def test_a_password_in_a_url_is_not_shown() -> None:
    [found] = doctor_urls.http_server_checks([at("https://me:hunter2@127.0.0.1:9/mcp")], TOKEN, Path("/nowhere"))

    assert "hunter2" not in str(found)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_what_mends_a_teams_token_names_no_file_that_is_not_here(
    token: str, server: HttpServer, doctor: Doctor
) -> None:
    url = f"http://127.0.0.1:{server.port}/mcp"
    [found] = doctor_urls.http_server_checks([at(url)], token, doctor.home / "no-token-here")

    assert (
        found.mend
        == "export LOOMSTACK_TOKEN=TOKEN, as whoever runs the server gives it to you, then restart the client"
    )


def test_a_codex_that_would_open_another_store_fails(doctor: Doctor) -> None:
    doctor.write(".codex/config.toml", '[mcp_servers.loomstack]\ncommand = "loomstack-mcp"\n')
    by_hand = doctor.found()["same store"]
    doctor.init()

    assert by_hand["status"] == "fail"
    assert f"Codex opens {doctor.home}/.local/share/loomstack/loom.db" in by_hand["found"]
    assert f"this shell opens {doctor.home}/loomstack/loom.db" in by_hand["found"]
    assert by_hand["mend"] == "loomstack-mcp init"
    assert "same store" not in doctor.found()


@pytest.mark.parametrize(
    "more",
    [
        {"env": {"LOOMSTACK_HOME": "/elsewhere"}},
        {"env": {"LOOMSTACK_STORE": "sqlite:////elsewhere/loom.db"}},
        {"env": {"LOOMSTACK_HOME": "${NOT_SET:-/elsewhere}"}},
        {"args": ["--home", "/elsewhere"]},
        {"args": ["--home=/elsewhere", "serve"]},
        {"args": ["--store", "/elsewhere/loom.db"]},
    ],
)
def test_a_client_that_is_given_another_store_fails_with_both_paths(doctor: Doctor, more: dict[str, object]) -> None:
    doctor.all_set()
    doctor.write("shop/.mcp.json", {"mcpServers": {"loomstack": {"command": "loomstack-mcp", **more}}})
    found = doctor.found()["same store"]

    assert "Claude Code opens /elsewhere/loom.db" in found["found"]
    assert f"Codex opens {doctor.home}/loomstack/loom.db" in found["found"]
    assert found["mend"] != "loomstack-mcp init"


def test_other_words_for_the_same_store_are_no_fault(doctor: Doctor) -> None:
    doctor.all_set()
    env = {"LOOMSTACK_STORE": "${LOOMSTACK_HOME}/loom.db"}
    doctor.write("shop/.mcp.json", {"mcpServers": {"loomstack": {"command": "loomstack-mcp", "env": env}}})

    assert "same store" not in doctor.found()


STALE = """\
# >>> loomstack: managed by loomstack-mcp init >>>
[mcp_servers.loomstack]
command = "loomstack-mcp"
env_vars = ["LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME"]
# <<< loomstack <<<
"""


def test_a_codex_that_was_set_up_before_a_setting_came_is_named_and_mended(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)  # where a machine sets it, that too is not the same for both
    doctor.all_set()
    file = doctor.shop / ".codex/config.toml"
    [begin] = [line for line in file.read_text().splitlines() if line.startswith("# >>>")]
    file.write_text(STALE.replace(STALE.splitlines()[0], begin))
    stale = doctor.found(LOOMSTACK_REPO="https://user:SECRET@host/told")
    doctor.init()
    mended = doctor.found(LOOMSTACK_REPO="https://user:SECRET@host/told")

    assert "LOOMSTACK_REPO, LOOMSTACK_REWORK_MAX" in stale["Codex settings"]["found"]
    assert stale["Codex settings"]["mend"] == "loomstack-mcp init"
    assert stale["same settings"]["found"].startswith("LOOMSTACK_REPO: not the same for the servers of Claude Code and")
    assert ":SECRET@" not in str(stale)
    assert {"Codex settings", "same settings"}.isdisjoint(mended)


def test_a_setting_in_the_entry_of_one_client_is_a_difference(doctor: Doctor) -> None:
    doctor.all_set()
    entry = {"command": "loomstack-mcp", "env": {"LOOMSTACK_GENERATED": "**"}}
    doctor.write("shop/.mcp.json", {"mcpServers": {"loomstack": entry}})

    assert doctor.found()["same settings"]["found"].startswith("LOOMSTACK_GENERATED: not the same")


def test_variables_that_codex_passes_on_may_be_written_as_tables(doctor: Doctor) -> None:
    doctor.all_set()
    passed = 'env_vars = ["A", {name="LOOMSTACK_HOME", source="local"}]'
    doctor.write("shop/.codex/config.toml", f'[mcp_servers.loomstack]\ncommand = "loomstack-mcp"\n{passed}\n')

    assert "same store" not in doctor.found()


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("no-such-program", "fail"),
        ("/nowhere/loomstack-mcp", "fail"),
        ("./bin/loomstack-mcp", "fail"),
        ("codex", "warn"),
    ],
)
def test_a_command_that_is_not_ours_or_not_there_is_found(doctor: Doctor, command: str, status: str) -> None:
    doctor.all_set()
    doctor.write("shop/.mcp.json", {"mcpServers": {"loomstack": {"command": command}}})
    found = doctor.found()["Claude Code command"]

    assert found["status"] == status
    assert f"starts {command or 'nothing'}" in found["found"]


def test_our_command_by_its_path_is_no_fault(doctor: Doctor) -> None:
    doctor.all_set()
    doctor.write("shop/.mcp.json", {"mcpServers": {"loomstack": {"command": f"{SCRIPTS}/loomstack-mcp"}}})

    assert "Claude Code command" not in doctor.found()
