"""A real PgBouncer before a PostgreSQL, which gives each transaction another session."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.databases import PostgresServer
from tests.deadlines import wait_until
from tests.ports import kept_port

_CONFIG = """
[databases]
* = host=127.0.0.1 port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_login_retry = 1
server_check_delay = 0
logfile = {folder}/log
"""


def why_no_pooler() -> str:
    """Why this machine can have none; "" where it can."""
    return "" if _program() else "no pgbouncer is installed"


@contextlib.contextmanager
def pooled(server: PostgresServer) -> Iterator[str]:
    """The URL of a store behind it. Three sessions serve all."""
    folder = Path(tempfile.mkdtemp(prefix="loom-pooler-"))
    folder.chmod(0o777)
    own = kept_port()
    config = folder / "pgbouncer.ini"
    config.write_text(_CONFIG.format(port=urlsplit(server.url()).port, own=own, folder=folder))
    as_user = ("-u", "nobody") if os.geteuid() == 0 else ()
    with subprocess.Popen([_program(), "-q", *as_user, config], cwd="/", stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: _answers(own) or process.poll() is not None)
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            yield f"postgresql://postgres@127.0.0.1:{own}/postgres?pooler=transaction"
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder)


def _program() -> str:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin") or ""


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
