"""What an edge reads where a proxy, or something else, answers in a hub's place."""

import contextlib
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.remote import line
from loomstack_mcp.remote.sockets import Origin, opened_socket
from tests.deadlines import seconds
from tests.remote.hubs import Hub, answering, joined, opened


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{", "more than 64000000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n", "more than 64000000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "a chunk without a size"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{", "half an answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "an endless head"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
        ("HTTP/1.1 ²²² OK\r\n\r\n".encode("latin-1"), "no HTTP"),
        ("HTTP/1.1 200 OK\r\nContent-Length: ²\r\n\r\n{".encode("latin-1"), "not JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n{", "more than 64000000 bytes"),
    ],
)
def test_what_is_no_http_is_no_answer(tmp_path: Path, hub: Hub, raw: bytes, said: str) -> None:
    with (
        answering(raw) as url,
        opened(joined(tmp_path / "home", replace(hub, url=url))) as edge,
        pytest.raises(StoreUnavailable, match="is no hub") as found,
    ):
        edge.repos.ids()

    assert said in str(found.value)


@pytest.mark.parametrize("raw", [b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n", b""])
def test_a_proxy_that_waits_for_no_long_answer_makes_no_hub_away_for_hooks(
    tmp_path: Path, hub: Hub, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "_REACH_S", 0.5)
    home = joined(tmp_path / "home", hub)
    with answering(raw, after_s=0.6) as url, opened(joined(tmp_path / "home", replace(hub, url=url))) as edge:
        with pytest.raises(StoreUnavailable, match="away"):
            edge.events.moved("host/shop", seen=0, wait_ms=20_000)
        marked = [file.name for file in home.glob("hub-away")]
        with pytest.raises(StoreUnavailable, match="away"):
            edge.events.cursor("host/shop")

    assert (marked, [file.name for file in home.glob("hub-away")]) == ([], ["hub-away"])


def test_a_proxy_whose_name_is_none_is_told() -> None:
    proxy = {"HTTPS_PROXY": f"{'ø' * 70}:1"}
    with pytest.raises(OSError, match="is no name of a host"):
        opened_socket(Origin("https://hub.example"), proxy, until_s=time.monotonic() + seconds(2))


def test_a_proxy_that_answers_by_drops_is_away_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            opened, _ = listener.accept()
            with opened, contextlib.suppress(OSError):
                while True:
                    opened.sendall(b"H")
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        with pytest.raises(TimeoutError):
            opened_socket(Origin("https://hub.example"), proxy, until_s=time.monotonic() + 0.5)


@pytest.mark.parametrize(
    "raw",
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"ans\r\n8\r\nwer":[]}\r\n0\r\nX: y\r\n\r\n',
        b'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"answer":[]}',
        b'HTTP/1.0 200 OK\r\n\r\n{"answer":[]}',
    ],
)
def test_an_answer_may_come_as_proxies_send_it(tmp_path: Path, hub: Hub, raw: bytes) -> None:
    with answering(raw) as url, opened(joined(tmp_path / "home", replace(hub, url=url))) as edge:
        assert edge.repos.ids() == ()
