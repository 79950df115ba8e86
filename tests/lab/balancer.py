"""A real nginx in front of replicas: with TLS, as a team would run it."""

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.deadlines import wait_until

_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {site};
}}
"""


@dataclass(frozen=True)
class Balancer:
    """Where hosts reach the hub, and how they know its certificate."""

    url: str
    certificate: Path


def why_no_nginx() -> str:
    """Why this machine can have none; "" where it can."""
    return "" if nginx_program() and shutil.which("openssl") else "no nginx, or no openssl, is installed"


def nginx_program() -> str:
    """Where it is: a user's PATH often lacks `/usr/sbin`."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or ""


def made_certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate of its own for an address, and its key; valid since yesterday, for hosts whose clock is behind."""
    certificate, key = folder / "hub.crt", folder / "hub.key"
    yesterday = ["faketime", "-f", "-1d"] if shutil.which("faketime") else []
    subprocess.run(
        [*yesterday, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=loom", "-addext",
         f"subjectAltName=IP:{address},DNS:localhost"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return certificate, key


@contextlib.contextmanager
def balanced(folder: Path, site: str, *, address: str, port: int, certificate: Path) -> Iterator[Balancer]:
    """nginx, by the text of a site, until it answers at an address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.conf").write_text(site)
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, site=folder / "site.conf"))
    with subprocess.Popen([nginx_program(), "-c", config, "-p", folder], stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: _answers(address, port, certificate) or process.poll() is not None)
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            yield Balancer(url=f"https://{address}:{port}", certificate=certificate)
        finally:
            process.terminate()


def plain_site(address: str, port: int, replicas: Sequence[int], certificate: Path, key: Path) -> str:
    """The least that balances: tests of the network alone."""
    servers = " ".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s;" for one in replicas)
    return f"""
upstream loom {{ {servers} keepalive 16; }}
server {{
  listen {address}:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
  client_max_body_size 32m;
  location / {{
    proxy_pass http://loom; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto https; proxy_read_timeout 120s; proxy_buffering off;
    proxy_next_upstream error timeout http_503;
  }}
}}
"""


def _answers(address: str, port: int, certificate: Path) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1) as plain:
            context = ssl.create_default_context(cafile=certificate)
            with context.wrap_socket(plain, server_hostname=address):
                return True
    except OSError:
        return False
