"""The webhook: one message posted, signed as Standard Webhooks has it (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.notices import Notice, WebhookFormat, format_of, notice_body
from loomstack_mcp.core.records import record

_SECRET = "whsec_"  # noqa: S105 how a secret begins
_FILE = "file:"
_SECONDS_MAX = 5
_OK = range(200, 300)
_FORMATS: dict[str, WebhookFormat] = {"generic": "generic", "slack": "slack", "teams": "teams"}


@record
class Webhook:
    """Where a person wants to be told, and how."""

    url: str
    key: bytes
    """Empty: messages are not signed."""
    kind: WebhookFormat

    @property
    def host(self) -> str:
        """The host alone: of Slack's and Teams' addresses the rest is as good as a password."""
        return urllib.parse.urlsplit(self.url).hostname or ""


def webhook_of(settings: Settings, /) -> Webhook | None:
    """The webhook that the settings name; None where they name none. Raises Invalid for what cannot be one."""
    if not settings.webhook:
        return None
    host = _host(settings.webhook)
    if not host:
        raise Invalid("webhook must be a whole https:// address, or http:// of this machine; set it anew")
    chosen = settings.webhook_format or format_of(host)
    if chosen not in _FORMATS:
        raise Invalid(
            f"webhook_format must be one of {', '.join(_FORMATS)}; leave it out to have it told from the address"
        )
    return Webhook(url=settings.webhook, key=_key(settings.webhook_secret), kind=_FORMATS[chosen])


def post_notice(webhook: Webhook, notice: Notice, /) -> str:
    """Post it once; returns what was wrong, "" where it arrived."""
    now = time.time()
    body = notice_body(notice, webhook.kind, at=datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")).encode()
    request = urllib.request.Request(webhook.url, data=body, headers=_headers(webhook, notice.id, round(now), body))  # noqa: S310 checked above
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS_MAX) as answer:
            return "" if answer.status in _OK else f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        return f"answered {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None)
        cause = reason if isinstance(reason, Exception) else error
        return f"not reached: {getattr(cause, 'strerror', None) or type(cause).__name__}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What another address answers was asked of nobody: a redirect is an answer that did not take the message."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _headers(webhook: Webhook, message: str, at_s: int, body: bytes) -> dict[str, str]:
    named = {"Content-Type": "application/json", "User-Agent": "loomstack-mcp"}
    named |= {"webhook-id": message, "webhook-timestamp": str(at_s)}
    if webhook.key:
        signed = hmac.new(webhook.key, f"{message}.{at_s}.".encode() + body, hashlib.sha256).digest()
        named["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
    return named


def _key(secret: str) -> bytes:
    """The key of a secret. Raises Invalid, and never shows it."""
    if secret.startswith(_FILE):
        try:
            secret = Path(secret.removeprefix(_FILE)).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, RuntimeError, UnicodeDecodeError) as error:
            raise Invalid(
                f"cannot read the file of webhook_secret: {type(error).__name__}; name one that is there"
            ) from None
        if not secret:
            raise Invalid("the file of webhook_secret is empty; put the secret there, whsec_…")
    if not secret:
        return b""
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET), validate=True) if secret.startswith(_SECRET) else b""
    except binascii.Error:
        key = b""
    if not key:
        raise Invalid("webhook_secret must be whsec_ and base64 behind it, or file:PATH of a file with that")
    return key


def _host(url: str) -> str:
    """The host of an address that may be posted to; "" for any other."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return host if parts.scheme == "https" or (parts.scheme == "http" and _is_here(host)) else ""


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
