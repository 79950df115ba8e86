"""Fixtures: a real store with clocks that tests may turn, a real repository, real server processes."""

import contextlib
import os
import shutil
import signal
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.sqlite.clock import Clock
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests import databases, processes
from tests.databases import PostgresServer, postgres_server, run_folder  # noqa: F401 a fixture
from tests.processes import MODULE, SCRIPT
from tests.wire import Server

# A suite that was started in the background (`pytest &`) ignores SIGINT, and so would every process that it starts
# (POSIX, Shell Command Language, 2.11). What a shell had set up for git, a commit hook say, would lead ours astray.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in [name for name in os.environ if name.startswith(("GIT_", "LOOMSTACK_"))]:
    del os.environ[_name]

# `dev` is quick and looks elsewhere each time; `ci` looks long, and tells the same each time of the same code.
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=50)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

MINUTE_MS = 60_000
IDENTITY = (
    *("-c", "user.name=test", "-c", "user.email=test@localhost"),
    *("-c", "commit.gpgsign=false", "-c", "maintenance.auto=false"),
)
"""For a git that commits or merges: a machine may know nobody's name. It tidies up nothing behind our back."""
WORKERS_MAX = 8
_ON_BOTH = frozenset({"store", "services", "acceptance"})
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """A process for each core and two for when they wait, where folders are tested; `-n0` is all in one."""
    options = config.option
    is_worker = hasattr(config, "workerinput")  # which reads the same settings, and must start none of its own
    if is_worker or not config.pluginmanager.hasplugin("xdist") or options.tx or options.usepdb or options.collectonly:
        return
    if options.numprocesses is None:
        is_wide = any(Path(argument.partition("::")[0]).is_dir() for argument in config.args)
        options.numprocesses = min((os.cpu_count() or 1) + 2, WORKERS_MAX) if is_wide else 0
        options.dist = options.dist if options.dist != "no" else "worksteal"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The PostgreSQL of a run ends with it, whichever of its processes started it."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory and not hasattr(config, "workerinput"):
        databases.stop_shared(run_folder(factory))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The suites of the store, of the services and of acceptance run on both databases, but for what is SQLite's."""
    path = metafunc.definition.path.relative_to(Path(__file__).parent)
    if "database" in metafunc.fixturenames:
        is_both = path.parts[0] in _ON_BOTH and not metafunc.definition.get_closest_marker("sqlite")
        if is_both and path.parts[0] != "store" and os.environ.get("DATABASES") != "all":
            # For the time it takes: one of three, always the same; `DATABASES=all` runs each on both.
            is_both = zlib.crc32(metafunc.definition.nodeid.encode()) % 3 == 0
        metafunc.parametrize("database", ["sqlite", "postgres"] if is_both else ["sqlite"], indirect=True)


@dataclass
class Clocks:
    """A machine whose clocks stand still until a test turns them."""

    boot_id: str = "boot-1"
    boot_ms: int = 1_000
    wall_ms: int = 1_800_000_000_000

    def clock(self) -> Clock:
        return Clock(boot_id=self.boot_id, boot_ms=lambda: self.boot_ms, wall_ms=lambda: self.wall_ms)

    def pass_minutes(self, minutes: float) -> None:
        self.boot_ms += int(minutes * MINUTE_MS)
        self.wall_ms += int(minutes * MINUTE_MS)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "loom.db"
    with Loom(migrating_store(path, clock=Clocks().clock()), rework_max=3) as made, made.store.read():
        return path


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgres`: what the store of this test is."""
    return str(request.param)


@pytest.fixture(scope="session")
def _postgres_url(postgres_server: PostgresServer) -> str:  # noqa: F811
    return databases.fresh_database(postgres_server)


@pytest.fixture
def open_store(
    request: pytest.FixtureRequest, tmp_path: Path, clocks: Clocks, _empty_store: Path, database: str
) -> Callable[[], Store]:
    """Opens the store of this test, empty at first, once more each time."""
    if database == "sqlite":
        path = Path(shutil.copy(_empty_store, tmp_path / "loom.db"))  # to copy one costs a hundredth of making one
        return lambda: migrating_store(path, clock=clocks.clock())
    url = request.getfixturevalue("_postgres_url")
    databases.emptied(url)
    return lambda: postgres_store(url, clock_ms=lambda: clocks.wall_ms)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> str:
    """The address of this test's store, for other processes: on the database's clock, which no test turns."""
    return f"sqlite:///{tmp_path}/loom.db" if database == "sqlite" else str(request.getfixturevalue("_postgres_url"))


@pytest.fixture
def loom(open_store: Callable[[], Store]) -> Iterator[Loom]:
    """Over an empty store."""
    with Loom(open_store(), rework_max=3) as opened:
        yield opened


@pytest.fixture(scope="session")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "shop"
    for name in ("src/a.py", "src/b.py", "tests/test_a.py", "app/[id]/page.tsx", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root)
    return root


@pytest.fixture
def shop(tmp_path: Path, _shop: Path) -> Path:
    """A repository with a commit, and files that claims can name."""
    return Path(shutil.copytree(_shop, tmp_path / "shop"))


@pytest.fixture
def serve(tmp_path: Path, shop: Path, _empty_store: Path) -> Iterator[Callable[..., Server]]:
    """Start real stdio servers over one store, each ready for calls. One that is to be fresh makes the store."""
    with contextlib.ExitStack() as servers:

        def start(*, cwd: Path = shop, initialize: bool = True, fresh: bool = False, **env: str) -> Server:
            home = tmp_path / "loomstack"
            if not (fresh or home.exists()):
                home.mkdir(mode=0o700)
                shutil.copy(_empty_store, home / "loom.db")
            server = servers.enter_context(Server(COMMAND, env=environment(tmp_path, **env), cwd=cwd, fresh=fresh))
            if initialize:
                server.initialize()
            return server

        yield start


@pytest.fixture
def loomstack(tmp_path: Path, shop: Path) -> Run:
    """Run a command in the repository."""

    def run(*arguments: str, cwd: Path = shop, **env: str) -> subprocess.CompletedProcess[str]:
        return processes.run([SCRIPT, *arguments], cwd=cwd, env=environment(tmp_path, **env))

    return run


COMMAND = [*MODULE, "serve"]
"""The server of a client's session."""
SDK_COMMAND = [*MODULE, "serve", "--sdk"]
"""The same on the SDK: what every answer of the other is held against."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a client hands its server, without what this very session may have set."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), "LOOMSTACK_HOME": str(home / "loomstack"), **more}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit_all(folder: Path, message: str = "change") -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--allow-empty", "-m", message)
