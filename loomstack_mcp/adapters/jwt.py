"""Tokens of a company's own identity provider: JWTs (RFC 7519) by its published keys (RFC 7517), held to RFC 8725."""

import http.client
import ipaddress
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.errors import Invalid, StoreUnavailable, Unauthorized
from loomstack_mcp.core.tokens import VouchedSubject, role_of_scopes

_KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_CURVES = {"ES256": ("P-256",), "EdDSA": ("Ed25519", "Ed448")}
_RSA_BITS_MIN = 2_048
_LEEWAY_S = 30
_FETCH_S = 5
_BYTES_MAX = 256_000
_KEYS_MAX = 100
_KEPT_S, _AGAIN_S, _STALE_S = 600, 60, 3_600
"""Keys are read again after ten minutes, for an unknown one after one; where that fails, they hold an hour."""
_SUBJECT_CHARS_MAX = 150


class KeySet:
    """The published keys of an issuer, by their names. Threads may share it."""

    def __init__(self, url: str) -> None:
        """Raises Invalid for an address at which anybody on the way could put other keys."""
        parts = urlsplit(url)
        if not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))):
            raise Invalid("jwt_jwks must be https://…; http is for a loopback host alone")
        self._url = url
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._read_at_s = self._tried_at_s = float("-inf")
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None

    def key(self, name: str) -> Mapping[str, Any]:
        """The key of that name. Raises Unauthorized where there is none, StoreUnavailable where none can be read.

        Nobody waits for whoever reads them: anybody can make that happen, with a name that is no key's.
        """
        now_s = time.monotonic()
        if not self._is_read_again(name, now_s) and name not in self._keys:
            raise StoreUnavailable("the identity provider's keys are being read; ask again")
        if now_s - self._read_at_s >= _STALE_S:
            raise StoreUnavailable("the identity provider's keys cannot be read now; ask again in a minute")
        if not (found := self._keys.get(name)):
            raise Unauthorized("the token was signed with a key that its issuer does not publish; get a new one")
        return found

    def _is_read_again(self, name: str, now_s: float) -> bool:
        """Read the keys where that is due; False where somebody else is at it."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            is_old = now_s - self._read_at_s >= _KEPT_S
            if (is_old or name not in self._keys) and now_s - self._tried_at_s >= _AGAIN_S:
                self._tried_at_s = now_s
                self._read(now_s)
        finally:
            self._lock.release()
        return True

    def _read(self, now_s: float) -> None:
        try:
            found = json.loads(self._told())
            listed = found["keys"]
            keys = {one["kid"]: one for one in listed[:_KEYS_MAX] if isinstance(one.get("kid"), str)}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        self._keys, self._read_at_s = keys, now_s

    def _told(self) -> bytes:
        """What is published; b"" where nothing is, or not in time.

        By drops an answer would take any: for each of them keeps within the limit of a socket.
        """
        told: list[bytes] = []

        def fetch() -> None:
            with suppress(OSError, http.client.HTTPException, ValueError):
                told.append(_fetched(self._url))

        if self._reader is None or not self._reader.is_alive():  # or a thread a minute would wait for it
            self._reader = threading.Thread(target=fetch, daemon=True)
            self._reader.start()
            self._reader.join(_FETCH_S)
        return b"".join(told)


class JwtIssuer:
    """One identity provider, whose word counts for this hub alone."""

    def __init__(self, settings: Settings) -> None:
        """Raises Invalid where the settings do not say whose tokens count, for whom, by which keys."""
        missing = [name for name in ("jwt_issuer", "jwt_audience", "jwt_jwks") if not getattr(settings, name)]
        if missing:
            raise Invalid(f"{', '.join(missing)} must be set, too: whose tokens count, made for whom, by which keys")
        try:
            import jwt  # with its cryptography, which only such a hub needs
        except ImportError:
            raise Invalid("tokens of an identity provider need `pip install 'loomstack-mcp[hub]'`") from None
        self._jwt, self._settings = jwt, settings
        self._keys = KeySet(settings.jwt_jwks)

    def subject_of(self, bearer: str) -> VouchedSubject:
        """Whom it vouches for. Raises Unauthorized, or StoreUnavailable where its keys cannot be read."""
        try:
            header = self._jwt.get_unverified_header(bearer)
            claims = self._claims(bearer, header)
        except (self._jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise Unauthorized(f"the token is not to be believed ({type(error).__name__}); get a new one") from None
        role = role_of_scopes(_words(claims.get("scope", claims.get("scp", ""))))
        if role is None:
            raise Unauthorized("the token has none of the scopes loom:read, loom:agent, loom:decide and loom:admin")
        claim = self._settings.jwt_repos_claim
        repos = _words(claims.get(claim, "")) if claim else self._settings.jwt_repos
        return VouchedSubject(subject=_subject(claims), role=role, repos=tuple(repos))

    def _claims(self, bearer: str, header: Mapping[str, Any]) -> Mapping[str, Any]:
        """What it says, where it is signed for us and holds now. Nothing in its head chooses where a key comes from."""
        algorithm, name = header.get("alg"), header.get("kid")
        if algorithm not in self._settings.jwt_algorithms or not isinstance(name, str) or "crit" in header:
            raise Unauthorized("the token is signed in a way that this hub does not take; see jwt_algorithms")
        found: Mapping[str, Any] = self._jwt.decode(
            bearer,
            self._checked_key(algorithm, self._keys.key(name)),
            algorithms=[algorithm],
            audience=self._settings.jwt_audience,
            issuer=self._settings.jwt_issuer,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        return found

    def _checked_key(self, algorithm: str, told: Mapping[str, Any]) -> Any:
        """The key, where it is one for that algorithm."""
        is_for_it = told.get("kty") == _KINDS[algorithm] and told.get("alg", algorithm) == algorithm
        is_curve = told.get("crv") in _CURVES.get(algorithm, (None,))
        if not (is_for_it and is_curve and told.get("use", "sig") == "sig"):
            raise Unauthorized("the token's key is none for the way in which it is signed")
        key = self._jwt.PyJWK(dict(told), algorithm=algorithm).key
        if getattr(key, "key_size", _RSA_BITS_MIN) < _RSA_BITS_MIN and algorithm in ("RS256", "PS256"):
            raise Unauthorized("the token's key is too short")
        return key


def _subject(claims: Mapping[str, Any]) -> str:
    issuer, subject = claims["iss"], claims["sub"]
    text = f"{issuer}|{subject}"
    if not (isinstance(subject, str) and subject and text.isprintable() and len(text) <= _SUBJECT_CHARS_MAX):
        raise Unauthorized("the token's sub is no name that can be kept")
    return text


def _words(claim: Any) -> tuple[str, ...]:
    """A claim that is a list, or words with spaces between them (RFC 8693, §4.2)."""
    if isinstance(claim, str):
        return tuple(claim.split())
    return tuple(one for one in claim if isinstance(one, str)) if isinstance(claim, list) else ()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Keys come from where the settings say, or not at all."""


def _fetched(url: str) -> bytes:
    """Raises OSError, ValueError."""
    until_s = time.monotonic() + _FETCH_S
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 https, or on loopback
    handlers = [_NoRedirect()] if url.startswith("https:") else [_NoRedirect(), urllib.request.ProxyHandler({})]
    body = b""
    with urllib.request.build_opener(*handlers).open(request, timeout=_FETCH_S) as answer:
        while part := answer.read1(65_536):
            body += part
            if len(body) > _BYTES_MAX or time.monotonic() > until_s:
                raise ValueError("too large, or too slow")
    return body


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
