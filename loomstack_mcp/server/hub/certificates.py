"""The hub's certificate: read again when it was renewed, for the connections that come from then on."""

import logging
import ssl
from pathlib import Path

import anyio

from loomstack_mcp.core.errors import Invalid

_log = logging.getLogger(__name__)
_LOOK_AGAIN_S = 60.0


class Certificate:
    """A certificate with its key, as two files have them. `context` is what they said when they last made sense."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises Invalid where they make none."""
        self._certificate, self._key = certificate, key
        self._seen = self._stamp()
        try:
            self.context = self._read()
        except (OSError, ssl.SSLError) as error:
            raise Invalid(
                f"--tls-cert {certificate} with --tls-key {key} make no certificate ({_why(error)}): name a PEM file "
                "with the chain, and one with its key"
            ) from None

    def read_again(self) -> None:
        """Take what the files say now; where that makes no sense, what they said before stays."""
        self._seen = self._stamp()
        try:
            self.context = self._read()
        except (OSError, ssl.SSLError) as error:
            _log.warning("the certificate could not be read again (%s): the one before stays in use", _why(error))

    async def follow(self) -> None:
        """Read it again whenever its files changed, until cancelled."""
        while True:
            await anyio.sleep(_LOOK_AGAIN_S)
            if self._stamp() != self._seen:
                self.read_again()

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._certificate, self._key, password=_no_password)
        return context

    def _stamp(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in (self._certificate, self._key)]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _no_password() -> str:
    """In place of OpenSSL's question at the terminal, which a server would wait for."""
    return ""


def _why(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
