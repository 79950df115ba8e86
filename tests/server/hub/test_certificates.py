"""TLS as clients really speak it, with a certificate that openssl makes here."""

import contextlib
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.server.hub.certificates import Certificate
from tests.deadlines import seconds, wait_until
from tests.hubs import Hub, made_token, running_hub

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


def made_certificate(folder: Path, name: str) -> None:
    """A certificate of its own for loopback, and its key."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    about = ["-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", f"{folder}/new-key.pem", "-out", f"{folder}/new-cert.pem"]
    subprocess.run([*new, *about, *files], check=True, capture_output=True)
    for kind in ("key", "cert"):
        (folder / f"new-{kind}.pem").replace(folder / f"{kind}.pem")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hub")
    made_certificate(home, "first")
    return home


@pytest.fixture(scope="module")
def token(home: Path) -> str:
    return made_token(home, "ana")


@pytest.fixture
def hub(home: Path, token: str) -> Iterator[Hub]:
    with running_hub(home, *_options(home), secured=trusting(home)) as started:
        yield started


def _options(home: Path) -> tuple[str, ...]:
    return "--tls-cert", str(home / "cert.pem"), "--tls-key", str(home / "key.pem")


def trusting(home: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(home / "cert.pem"))


def _name(hub: Hub) -> str:
    """Whose certificate is shown, whoever trusts it."""
    shown = ssl.get_server_certificate(("127.0.0.1", hub.port), timeout=seconds(5))
    about = ["openssl", "x509", "-noout", "-subject"]
    return subprocess.run(about, input=shown, check=True, capture_output=True, text=True).stdout.strip()


def test_edges_and_clients_come_by_tls(hub: Hub, token: str) -> None:
    with contextlib.closing(hub.connection()) as connection:
        answers = [hub.sent_over(connection, "/api/hello", token=token) for _ in range(3)]

    assert [answer.body["answer"]["principal"] for answer in answers] == ["ana"] * 3
    assert hub.said.startswith("LoomStack serves https://127.0.0.1:")


def test_whoever_speaks_no_tls_or_an_old_one_harms_nobody(hub: Hub, token: str) -> None:
    old = trusting(hub.home)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", hub.port), seconds(5)) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="127.0.0.1")
    with contextlib.suppress(ConnectionResetError):
        assert b"200" not in hub.raw(f"GET /health HTTP/1.1\r\nHost: localhost:1\r\n\r\n{token}".encode())

    assert hub.send("/api/hello", token=token).status == 200


def test_handshakes_that_never_come_starve_nobody(hub: Hub, token: str) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(400):
            opened.enter_context(socket.create_connection(("127.0.0.1", hub.port), seconds(5)))

        assert hub.send("/api/hello", token=token).status == 200


def test_a_renewed_certificate_is_shown_from_then_on(tmp_path: Path) -> None:
    made_certificate(tmp_path, "first")
    made_token(tmp_path, "ana")
    with running_hub(tmp_path, *_options(tmp_path)) as hub:
        before = _name(hub)
        made_certificate(tmp_path, "second")
        hub.process.send_signal(signal.SIGHUP)
        wait_until(lambda: _name(hub).endswith("second"))
        (tmp_path / "key.pem").write_text("no key")
        hub.process.send_signal(signal.SIGHUP)
        kept = _name(hub)
        said = hub.stop()

    assert before.endswith("first")
    assert kept.endswith("second")
    assert "could not be read again" in said


def test_a_certificate_with_another_key_is_none(home: Path, tmp_path: Path) -> None:
    made_certificate(tmp_path, "other")

    with pytest.raises(Invalid, match="make no certificate"):
        Certificate(home / "cert.pem", tmp_path / "key.pem")
