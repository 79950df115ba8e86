"""What anybody can send a hub that takes an identity provider's tokens, and who waits for that: nobody."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from loomstack_mcp.adapters import jwt
from loomstack_mcp.adapters.jwt import JwtIssuer
from loomstack_mcp.core.errors import StoreUnavailable, Unauthorized
from tests.adapters.test_jwt import Clock, Provider, settings
from tests.deadlines import seconds


@pytest.fixture
def provider() -> Iterator[Provider]:
    with closing(Provider()) as made:
        yield made


def test_nobody_waits_for_whoever_reads_the_keys(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, clock = JwtIssuer(settings(provider)), Clock(monkeypatch)
    issuer.subject_of(provider.token())
    clock.at_s += 60
    asked, goes_on = threading.Event(), threading.Event()

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        goes_on.wait(seconds(10))
        provider.send(handler, 200, b"")

    provider.answer = slowly
    strange = provider.token(head={"kid": "strange"})
    with ThreadPoolExecutor(1) as others:
        first = others.submit(issuer.subject_of, strange)
        assert asked.wait(seconds(10))
        known = issuer.subject_of(provider.token())
        with pytest.raises(StoreUnavailable, match="being read"):
            issuer.subject_of(strange)
        goes_on.set()
        with pytest.raises(Unauthorized):
            first.result(seconds(10))

    assert known.role == "agent"


def test_keys_that_come_by_drops_are_waited_for_no_longer_than_others(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwt, "_FETCH_S", 0.3)
    ended = threading.Event()

    def by_drops(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        while not ended.wait(0.05):
            handler.wfile.write(b"x")

    provider.answer = by_drops
    issuer = JwtIssuer(settings(provider))
    with ThreadPoolExecutor(1) as others:
        first = others.submit(issuer.subject_of, provider.token())
        try:
            with pytest.raises(StoreUnavailable, match="cannot be read now"):
                first.result(seconds(2))
        finally:
            ended.set()


def test_a_head_that_is_too_deep_to_read_is_no_tokens(provider: Provider) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5_900).decode().rstrip("=")
    with pytest.raises(Unauthorized, match="not to be believed"):
        JwtIssuer(settings(provider)).subject_of(f"{deep}.e30.x")
