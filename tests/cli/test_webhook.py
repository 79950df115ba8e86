"""The webhook: a real server on loopback hears of what waits for people, signed, once, whatever it answers at first."""

import base64
import hashlib
import hmac
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import on_terminal
from tests.conftest import Run, commit_all, environment
from tests.deadlines import wait_until
from tests.processes import SCRIPT
from tests.wire import Server

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass
class Receiver:
    """Takes messages; `answers` are the first statuses that it answers, then 204. 0 hangs until it is closed."""

    answers: list[int] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.requests]

    def verified(self) -> bool:
        """As a receiver checks it, by the words of the standard alone."""
        for _, headers, body in self.requests:
            signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
            wanted = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
            if headers["webhook-signature"].split(",") != ["v1", wanted]:
                return False
            if abs(int(headers["webhook-timestamp"]) - time.time()) > 300:
                return False
        return bool(self.requests)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status = found.answers.pop(0) if found.answers else 204
            if not status:
                found.closed.wait(60)
                return
            self.send_response(status)
            if status in (302, 307):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield found
    found.closed.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def stopped(serve: Callable[..., Server], tmp_path: Path, shop: Path, loomstack: Run) -> Callable[..., str]:
    """A run that a person stopped, on a machine with this environment: its id."""

    def stop(**env: str) -> str:
        server = serve()
        run: str = server.answer("start_run", loop="triage", goal="green")["run"]
        typed = [SCRIPT, "runs", "stop", run, "--why", "wrong <!channel> branch"]
        status, shown = on_terminal(typed, cwd=shop, env=environment(tmp_path, **env))
        assert status == 0, shown
        return run

    return stop


def unsent(tmp_path: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(tmp_path / "loomstack" / "loom.db") as opened:
        return opened.execute("SELECT about, tries, answered FROM notice").fetchall()


def test_a_stopped_run_is_told_once_and_signed_as_the_standard_has_it(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path, loomstack: Run
) -> None:
    told = {"LOOMSTACK_WEBHOOK": receiver.url, "LOOMSTACK_WEBHOOK_SECRET": SECRET}
    run = stopped(**told)
    wait_until(lambda: receiver.requests and not unsent(tmp_path), 30)
    for _ in range(3):
        loomstack("runs", **told)
    [body] = receiver.bodies

    assert receiver.verified()
    assert (body["type"], body["data"]["id"], body["data"]["run"]) == ("run.stopped", run, run)
    assert f"stopped {run} (triage@" in body["data"]["text"]
    assert receiver.requests[0][1]["webhook-id"].startswith("notice_")


def test_what_fails_at_first_comes_again_as_the_same_message_until_it_is_taken(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path
) -> None:
    receiver.answers = [500, 500]
    stopped(LOOMSTACK_WEBHOOK=receiver.url)
    wait_until(lambda: len(receiver.requests) == 3 and not unsent(tmp_path), 60)

    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert "webhook-signature" not in receiver.requests[0][1]


def test_a_webhook_that_can_be_none_is_not_tried_all_the_time(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path, loomstack: Run
) -> None:
    run = stopped(LOOMSTACK_WEBHOOK="http://example.org/x")
    wait_until(lambda: any(answered for _, _, answered in unsent(tmp_path)), 30)
    [(about, tries, answered)] = unsent(tmp_path)
    loomstack("runs", LOOMSTACK_WEBHOOK=receiver.url)

    assert (about, tries) == (run, 1)
    assert answered.startswith("webhook must be a whole https:// address")
    assert receiver.requests == []


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed_and_the_message_is_kept(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path, status: int
) -> None:
    receiver.answers = [status] * 9
    run = stopped(LOOMSTACK_WEBHOOK=receiver.url)
    wait_until(lambda: any(answered for _, _, answered in unsent(tmp_path)), 30)

    assert {path for path, _, _ in receiver.requests} == {"/hook"}
    assert [(about, answered) for about, _, answered in unsent(tmp_path)] == [(run, f"answered {status}")]
    receiver.answers.clear()
    wait_until(lambda: not unsent(tmp_path), 60)


def test_a_receiver_that_hangs_holds_up_nobody(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path, loomstack: Run
) -> None:
    receiver.answers = [0]
    run = stopped(LOOMSTACK_WEBHOOK=receiver.url)
    wait_until(lambda: len(receiver.requests) == 1, 30)
    [(about, tries, answered)] = unsent(tmp_path)
    loomstack("runs", LOOMSTACK_WEBHOOK=receiver.url)

    assert (about, tries, answered, len(receiver.requests)) == (run, 1, "", 1)
    receiver.closed.set()
    wait_until(lambda: not unsent(tmp_path), 60)


def test_a_server_has_what_its_calls_caused_sent_by_a_process_of_its_own(
    receiver: Receiver, stopped: Callable[..., str], serve: Callable[..., Server], tmp_path: Path
) -> None:
    run = stopped()
    waiting = unsent(tmp_path)
    serve(LOOMSTACK_WEBHOOK=receiver.url).answer("start_run", loop="x", goal="y")
    wait_until(lambda: receiver.requests and not unsent(tmp_path), 30)

    assert [about for about, *_ in waiting] == [run]
    assert [body["data"]["id"] for body in receiver.bodies] == [run]


def test_slack_and_teams_are_told_in_their_own_way_and_nobody_is_called(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path
) -> None:
    for at, kind in enumerate(("slack", "teams"), start=1):
        stopped(LOOMSTACK_WEBHOOK=receiver.url, LOOMSTACK_WEBHOOK_FORMAT=kind)
        wait_until(lambda at=at: len(receiver.requests) == at and not unsent(tmp_path), 30)  # type: ignore[misc]
    slack, teams = receiver.bodies

    assert "&lt;!channel&gt;" in slack["text"]
    assert "<" not in slack["text"]
    assert slack["blocks"][0]["text"]["type"] == "plain_text"
    assert (teams["type"], teams["attachments"][0]["content"]["type"]) == ("message", "AdaptiveCard")
    [run] = teams["attachments"][0]["content"]["body"][0]["inlines"]
    assert run["type"] == "TextRun"


def test_a_test_says_whether_it_arrives_and_shows_no_secret(receiver: Receiver, loomstack: Run, tmp_path: Path) -> None:
    held = tmp_path / "secret"
    held.write_text(f"{SECRET}\n")
    told = {"LOOMSTACK_WEBHOOK": f"{receiver.url}?k=hidden", "LOOMSTACK_WEBHOOK_SECRET": f"file:{held}"}
    receiver.answers = [204, 403]
    done, refused = loomstack("webhook", "test", **told), loomstack("webhook", "test", **told)
    inside = loomstack("webhook", "test", CLAUDECODE="1", **told)
    shown = loomstack("config", "--json", **{**told, "LOOMSTACK_WEBHOOK_SECRET": SECRET})
    settings = {one["setting"]: one["value"] for one in json.loads(shown.stdout)}

    assert done.stdout == "127.0.0.1 took it, as generic, signed.\n"
    assert receiver.verified()
    assert (refused.returncode, "did not take the message: answered 403" in refused.stderr) == (1, True)
    assert (inside.returncode, "CLAUDECODE is set" in inside.stderr) == (1, True)
    assert (settings["webhook"], settings["webhook_secret"], settings["webhook_format"]) == ("set", "set", "")
    for words in (done, refused, inside, shown):
        assert "hidden" not in words.stdout + words.stderr
        assert SECRET not in words.stdout + words.stderr


def test_an_address_where_nobody_listens_is_said_in_words(loomstack: Run) -> None:
    done = loomstack("webhook", "test", LOOMSTACK_WEBHOOK="http://127.0.0.1:1/x")

    assert "127.0.0.1 did not take the message: not reached: Connection refused" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WEBHOOK", "http://example.org/x", "must be a whole https:// address"),
        ("WEBHOOK", "https://", "must be a whole https:// address"),
        ("WEBHOOK", "ftp://127.0.0.1/x", "must be a whole https:// address"),
        ("WEBHOOK", "", "no webhook is set"),
        ("WEBHOOK_SECRET", "whsec_***", "webhook_secret must be whsec_ and base64"),
        ("WEBHOOK_SECRET", "hunter2", "webhook_secret must be whsec_ and base64"),
        ("WEBHOOK_SECRET", "file:/nowhere", "cannot read the file of webhook_secret: FileNotFoundError"),
        ("WEBHOOK_FORMAT", "irc", "webhook_format must be one of generic, slack, teams"),
    ],
)
def test_what_cannot_be_a_webhook_is_said_without_showing_it(loomstack: Run, name: str, value: str, said: str) -> None:
    told = {"LOOMSTACK_WEBHOOK": "https://127.0.0.1:1/x", f"LOOMSTACK_{name}": value}
    done = loomstack("webhook", "test", **told)

    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert name != "WEBHOOK_SECRET" or value not in done.stderr


def test_a_repository_cannot_choose_where_people_are_told(loomstack: Run, shop: Path) -> None:
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/config.yaml").write_text("webhook: https://example.org/x\npush: off\n")
    commit_all(shop)
    done = loomstack("config", "--json")
    settings = {one["setting"]: one["value"] for one in json.loads(done.stdout)}

    assert "ignored: webhook in .loomstack/config.yaml: set it by flag, environment or" in done.stderr
    assert (settings["webhook"], settings["push"]) == ("", "on")
    assert "example.org" not in done.stdout + done.stderr


def test_doctor_says_what_the_webhook_is_and_what_it_did_not_take(
    receiver: Receiver, stopped: Callable[..., str], tmp_path: Path, loomstack: Run
) -> None:
    def said(**env: str) -> dict[str, str]:
        checks = json.loads(loomstack("doctor", "--json", **env).stdout)
        return next((check for check in checks if check["check"] == "webhook"), {})

    receiver.answers = [403] * 9
    stopped(LOOMSTACK_WEBHOOK=receiver.url)
    wait_until(lambda: any(answered for _, _, answered in unsent(tmp_path)), 30)
    failed = said(LOOMSTACK_WEBHOOK=receiver.url)
    receiver.answers.clear()
    wait_until(lambda: not unsent(tmp_path), 60)

    assert (failed["status"], failed["mend"]) == ("warn", "loomstack-mcp webhook test")
    assert failed["found"] == "1 notice could not be sent: answered 403"
    assert said() == {}
    assert said(LOOMSTACK_WEBHOOK="http://example.org")["status"] == "fail"
    well = said(LOOMSTACK_WEBHOOK=receiver.url)
    assert (well["status"], well["found"]) == ("ok", "127.0.0.1, as generic, not signed")
