"""Who comes in: whoever has a token of the hub, or of the file beside the store where one person serves themselves."""

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.tokens import Principal

_TOKEN_BYTES = 32
_TOKEN = re.compile(rb"[\x21-\x7e]+")
_BEARER_CHARS_MAX = 8_000
"""The token of an identity provider is a thousand or two."""


class Tokens(Protocol):
    """The tokens that were made, and those of an identity provider."""

    def checked(self, bearer: str, /) -> Principal:
        """Whom it stands for. Raises Unauthorized."""


class Keys:
    """What opens this hub."""

    def __init__(self, *, own: str = "", tokens: Tokens | None = None) -> None:
        """`own` is the token of the person whose process this is, who may do everything; "" where there is none."""
        self._own = own.encode("ascii")
        self._tokens = tokens
        self._own_mark = f"own-{self._own_digest(b'cookie')}" if own else ""

    def own_mark(self) -> str:
        """What stands for the own token in a cookie: it opens pages, and nothing else."""
        return self._own_mark

    def own_page_key(self) -> str:
        """What a page shows beside that cookie to decide; whoever has the cookie alone cannot know it."""
        return self._own_digest(b"page")

    def own_principal_by_mark(self, mark: str) -> Principal | None:
        """The same person as by the own token."""
        own = self.own_mark()
        is_own = bool(own) and secrets.compare_digest(mark.encode("utf-8", "replace"), own.encode())
        return self.own_principal(self._own.decode("ascii")) if is_own else None

    def own_principal(self, bearer: str) -> Principal | None:
        """The person whose process this is; None for any other token. Asks no store."""
        if self._own and secrets.compare_digest(bearer.encode("latin-1"), self._own):
            return Principal(name=principal(), role="admin", token="own")  # noqa: S106 no token, but what it is called
        return None

    def checked(self, bearer: str) -> Principal:
        """Whom a token stands for. Raises Unauthorized."""
        if self._tokens is None:
            raise Unauthorized("send the bearer token of the server's token file")
        return self._tokens.checked(bearer)

    def _own_digest(self, purpose: bytes) -> str:
        return hmac.new(self._own, purpose, hashlib.sha256).hexdigest()


def bearer_of(headers: Iterable[tuple[bytes, bytes]], /) -> str:
    """The token of a request (RFC 6750, §2.1); "" where there is none, or more than one."""
    sent = [value.partition(b" ") for name, value in headers if name == b"authorization"]
    # The name of the scheme has no case (RFC 9110, §11.1).
    if len(sent) != 1 or sent[0][0].lower() != b"bearer":
        return ""
    token = sent[0][2].strip()
    return token.decode("latin-1") if _TOKEN.fullmatch(token) and len(token) <= _BEARER_CHARS_MAX else ""


def own_token(path: Path, /) -> str:
    """The token of this file, which only its owner may read; made when there is none. Raises Invalid."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.lexists(path):
            return _kept_token(path)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token := secrets.token_urlsafe(_TOKEN_BYTES))
        return token
    except OSError as error:
        raise Invalid(f"{path} can neither be read nor made ({error.strerror}); see to its folder") from None


def _kept_token(path: Path) -> str:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise Invalid(f"{path} is no file; move it away, and a new one is made")
    if about.st_mode & 0o077 or about.st_uid != os.getuid():
        raise Invalid(f"{path} can be read by others; remove it, and a new one is made")
    token = path.read_bytes().strip()
    if not _TOKEN.fullmatch(token):
        raise Invalid(f"{path} holds no token; remove it, and a new one is made")
    return token.decode("ascii")
