"""Tokens of an identity provider, from a made one on loopback: whose count, and every way in which one does not."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loomstack_mcp.adapters.jwt import JwtIssuer
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.adapters.settings_values import JWT_ALGORITHMS
from loomstack_mcp.core.errors import StoreUnavailable, Unauthorized
from loomstack_mcp.core.tokens import Principal, VouchedSubject

AUDIENCE = "https://loom.example"
ADMIN = Principal(name="dee", role="admin")
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65_537, 2_048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
KEYS["PS256"] = KEYS["RS256"]
OTHER = ec.generate_private_key(ec.SECP256R1())
SHORT = rsa.generate_private_key(65_537, 1_024)
WIDE = ec.generate_private_key(ec.SECP384R1())


def published(key: Any, algorithm: str, **more: Any) -> dict[str, Any]:
    told = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**told, "kid": algorithm, **more}


class Provider:
    """An identity provider, and what it publishes."""

    def __init__(self) -> None:
        self.keys = [published(KEYS[name], name) for name in KEYS]
        self.asked, self.answer = 0, self._keys
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                provider.answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing is told."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _keys(self, handler: BaseHTTPRequestHandler) -> None:
        self.send(handler, 200, json.dumps({"keys": self.keys}).encode())

    def send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, algorithm: str = "RS256", *, key: Any = None, head: Any = None, **claims: Any) -> str:
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "ana", "iat": now, "exp": now + 60, "scope": "x loom:agent"}
        told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        headers = {name: one for name, one in {"kid": algorithm, **(head or {})}.items() if one is not None}
        return jwt.encode(told, key or KEYS[algorithm], algorithm=algorithm, headers=headers)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def settings(provider: Provider, **more: Any) -> Settings:
    return Settings(
        **{"jwt_issuer": provider.url, "jwt_audience": AUDIENCE, "jwt_jwks": f"{provider.url}/keys",
           "jwt_repos": ("github.com/acme/*",), **more}
    )  # fmt: skip


@pytest.fixture
def issuer(provider: Provider) -> JwtIssuer:
    return JwtIssuer(settings(provider))


@pytest.mark.parametrize("algorithm", JWT_ALGORITHMS)
def test_a_token_stands_for_its_issuers_subject(provider: Provider, issuer: JwtIssuer, algorithm: str) -> None:
    assert issuer.subject_of(provider.token(algorithm)) == VouchedSubject(
        subject=f"{provider.url}|ana", role="agent", repos=("github.com/acme/*",)
    )


def hmac_signed(token: str, secret: bytes) -> str:
    """The same claims, signed with what everybody knows."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "RS256", "typ": "JWT"}).encode()).rstrip(b"=")
    signed = head + b"." + token.split(".")[1].encode()
    mark = base64.urlsafe_b64encode(hmac.digest(secret, signed, hashlib.sha256)).rstrip(b"=")
    return (signed + b"." + mark).decode()


def unsigned(token: str, alg: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": "RS256"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def forgeries(provider: Provider) -> Iterator[tuple[str, str]]:
    now = int(time.time())
    claimed: dict[str, dict[str, Any]] = {
        "another audience": {"aud": "https://other.example"}, "no audience": {"aud": None},
        "an audience like ours": {"aud": AUDIENCE + "/"}, "another issuer": {"iss": provider.url + "/"},
        "no issuer": {"iss": None}, "expired": {"exp": now - 60}, "no end": {"exp": None},
        "not yet": {"nbf": now + 60}, "from the future": {"iat": now + 60}, "no begin": {"iat": None},
        "no subject": {"sub": None}, "an empty subject": {"sub": ""}, "a subject of two lines": {"sub": "a\nb"},
        "no scope": {"scope": "openid"}, "half a scope": {"scope": "loom:adminx"}, "no scope at all": {"scope": None},
    }  # fmt: skip
    yield from ((name, provider.token(**claims)) for name, claims in claimed.items())
    usual = provider.token()
    public = KEYS["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield "another key", provider.token("ES256", key=OTHER)
    yield "an unknown key", provider.token(head={"kid": "gone"})
    yield "a key without a name", provider.token(head={"kid": None})
    yield "a key of another kind", provider.token(head={"kid": "ES256"})
    yield "a head that must be understood", provider.token(head={"crit": ["x"], "x": 1})
    yield "a key of its own", provider.token("ES256", key=OTHER, head={"jwk": published(OTHER, "ES256")})
    yield "keys of its own", provider.token("ES256", key=OTHER, head={"jku": "http://127.0.0.1:1/", "x5u": "http://x/"})
    yield "a secret that everybody knows", hmac_signed(usual, public)
    yield "the published key as a secret", hmac_signed(usual, json.dumps(provider.keys[0]).encode())
    yield from ((f"signed by {alg!r}", unsigned(usual, alg)) for alg in ("none", "None", "", "RS256"))
    yield (
        "other claims",
        ".".join([usual.split(".")[0], provider.token(scope="loom:admin").split(".")[1], usual.split(".")[2]]),
    )
    yield from (("nonsense", text) for text in ("a.b.c", "..", "é.é.é", "e30.e30.e30", f"{usual}.", f" {usual}"))


def test_no_other_token_stands_for_anybody(provider: Provider, issuer: JwtIssuer) -> None:
    let_in = []
    for name, text in forgeries(provider):
        with contextlib.suppress(Unauthorized):
            let_in.append((name, issuer.subject_of(text)))

    assert let_in == []
    assert issuer.subject_of(provider.token()).role == "agent"


@pytest.mark.parametrize(
    ("told", "algorithm", "key"),
    [
        ({"use": "enc"}, "RS256", None),
        ({"alg": "PS256"}, "RS256", None),
        (published(SHORT, "RS256"), "RS256", SHORT),
        (published(WIDE, "ES384", kid="ES256"), "ES256", None),
        ({"kty": "oct", "k": "AAAA"}, "RS256", None),
    ],
)
def test_a_key_that_is_none_for_it_counts_for_nothing(
    provider: Provider, issuer: JwtIssuer, told: dict[str, Any], algorithm: str, key: Any
) -> None:
    own = next(one for one in provider.keys if one["kid"] == algorithm)
    own.update(told)
    with pytest.raises(Unauthorized):
        issuer.subject_of(provider.token(algorithm, key=key))


def test_only_the_algorithms_of_the_settings_count(provider: Provider) -> None:
    issuer = JwtIssuer(settings(provider, jwt_algorithms=("ES256",)))

    assert issuer.subject_of(provider.token("ES256"))
    with pytest.raises(Unauthorized, match="jwt_algorithms"):
        issuer.subject_of(provider.token("RS256"))


def test_why_a_token_is_none_is_told_without_it(provider: Provider, issuer: JwtIssuer) -> None:
    text = provider.token(aud="x")
    with pytest.raises(Unauthorized, match=r"not to be believed \(InvalidAudienceError\)") as error:
        issuer.subject_of(text)

    assert text not in str(error.value)


def test_a_clock_that_is_a_little_off_is_no_matter(provider: Provider, issuer: JwtIssuer) -> None:
    now = int(time.time())
    assert issuer.subject_of(provider.token(exp=now - 10, nbf=now + 10, iat=now + 10))


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"scope": "loom:read"}, "viewer"),
        ({"scope": "loom:read loom:decide"}, "developer"),
        ({"scope": None, "scp": ["loom:admin", 7]}, "admin"),
    ],
)
def test_scopes_are_roles(provider: Provider, issuer: JwtIssuer, claims: dict[str, Any], role: str) -> None:
    assert issuer.subject_of(provider.token(**claims)).role == role


@pytest.mark.parametrize(
    ("claims", "repos"),
    [({"loom": ["a/*"]}, ("a/*",)), ({"loom": "a/* b"}, ("a/*", "b")), ({}, ()), ({"loom": {"a": 1}}, ())],
)
def test_a_claim_says_which_repos(provider: Provider, claims: dict[str, Any], repos: tuple[str, ...]) -> None:
    issuer = JwtIssuer(settings(provider, jwt_repos_claim="loom"))

    assert issuer.subject_of(provider.token(**claims)).repos == repos


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at_s = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.at_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_keys_rotate_and_strange_names_ask_once_a_minute(provider: Provider, issuer: JwtIssuer, clock: Clock) -> None:
    issuer.subject_of(provider.token("RS256"))
    provider.keys = [published(OTHER, "ES256", kid="new")]
    renewed = provider.token("ES256", key=OTHER, head={"kid": "new"})
    for _ in range(5):
        with pytest.raises(Unauthorized, match="does not publish"):
            issuer.subject_of(renewed)
    assert provider.asked == 1

    clock.at_s += 60
    assert issuer.subject_of(renewed)
    assert provider.asked == 2
    with pytest.raises(Unauthorized):
        issuer.subject_of(provider.token("RS256"))


def test_a_key_that_is_gone_counts_for_ten_minutes_at_most(provider: Provider, issuer: JwtIssuer, clock: Clock) -> None:
    issuer.subject_of(provider.token())
    provider.keys = []
    clock.at_s += 599
    assert issuer.subject_of(provider.token())
    clock.at_s += 1

    with pytest.raises(Unauthorized, match="does not publish"):
        issuer.subject_of(provider.token())


def test_a_provider_that_is_away_is_believed_an_hour(provider: Provider, issuer: JwtIssuer, clock: Clock) -> None:
    issuer.subject_of(provider.token())
    provider.answer = lambda handler: provider.send(handler, 500, b"")
    clock.at_s += 3_599
    assert issuer.subject_of(provider.token())
    clock.at_s += 61

    with pytest.raises(StoreUnavailable, match="cannot be read now"):
        issuer.subject_of(provider.token())


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"keys": 1}', b'{"keys": [1]}', b"x" * 300_000, b"[" * 90_000])
def test_what_are_no_keys_is_none(provider: Provider, issuer: JwtIssuer, body: bytes) -> None:
    provider.answer = lambda handler: provider.send(handler, 200, body)
    with pytest.raises(StoreUnavailable):
        issuer.subject_of(provider.token())


def test_no_redirect_is_followed(provider: Provider, issuer: JwtIssuer) -> None:
    elsewhere = Provider()
    provider.answer = lambda handler: provider.send(handler, 302, b"", Location=f"{elsewhere.url}/keys")
    with pytest.raises(StoreUnavailable):
        issuer.subject_of(provider.token())

    assert elsewhere.asked == 0
    elsewhere.close()
