"""A trunk that another account keeps behind a gate, and the agents' clone of it after `init`."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.stories.shop import PATH, ROOT
from tests.conftest import COMMAND, commit_all, git
from tests.deadlines import wait_until
from tests.wire import Server

PROTECTED, APPROVED = "billing/rates.py", "infra/deploy.sh"
"""What the rules deny to everybody, and what somebody has to approve."""
RATE, DEPLOY = "RATE = 19\n", "echo deploy\n"
_NOBODY = 65534
_PLAIN_PATH = "/usr/local/bin:/usr/bin:/bin"
_AS_NOBODY = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
_RULES = """\
version: 1
policy: core
rules:
  - id: rates-are-the-law
    why: tax rates are set by law, and changed by the tax office's import alone
    effect: deny
    on: [edit, commit, push, land]
    where: {paths: [/billing/**]}
    fix: leave the rates, and say in the outcome what is wrong with them
  - id: deploys-need-a-person
    why: what deploys is read by a person first
    effect: require_approval
    on: [commit, push, land]
    where: {paths: [/infra/**]}
    approve: {by: [dana]}
    fix: ask dana to approve it
"""
_FILES = {
    PROTECTED: RATE,
    APPROVED: DEPLOY,
    "src/shop.py": "x = 1\n",
    "policies/core.yaml": _RULES,
    ".loomstack/config.yaml": "repo: shop\n",
    ".gitignore": "__pycache__/\n",
}


@dataclass(frozen=True, kw_only=True)
class World:
    """Where the attempts are made."""

    bare: Path
    clone: Path
    home: Path
    env: dict[str, str]
    """What each process of an agent is told."""
    under: Sequence[str]
    """What starts a process of the agents' account; nothing where there is only one."""
    base: str
    """Where the trunk is, and has to stay."""
    other_run: str
    """A live run of another session."""

    @property
    def tip(self) -> str:
        """Where the trunk is now."""
        return git(self.bare, "rev-parse", "main")

    def does(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Something that the test does as the agents' account, without a client."""
        return subprocess.run(
            [*self.under, *command], cwd=cwd or self.clone, env=self.env, capture_output=True, text=True, check=False
        )

    def cleared(self) -> None:
        """The clone and the trunk as they were."""
        if self.tip != self.base:
            git(self.bare, "update-ref", "refs/heads/main", self.base)
        self.does("git", "-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "--force", "-B", "main", self.base)
        self.does("git", "clean", "--quiet", "-fd", "--exclude=.claude/settings.local.json")


def other_account(programs: Path) -> Sequence[str]:
    """What starts a process under an account that is not the suite's; nothing where that cannot be done here.

    Our programs, as that account can run them, are written into the folder: the suite's own Python may be closed to it.
    """
    minor = f"python3.{sys.version_info.minor}"
    found = [sys.executable, *(f"{folder}/{minor}" for folder in ("/usr/local/bin", "/usr/bin"))]
    for python in found if os.geteuid() == 0 and shutil.which("setpriv") else ():
        _write_programs(programs, python)
        tried = [*_AS_NOBODY, "sh", "-c", "loomstack-mcp --version && loomstack-hook claude PreToolUse < /dev/null"]
        env = {"PATH": f"{programs}:{_PLAIN_PATH}", "HOME": "/"}
        if not subprocess.run(tried, env=env, capture_output=True, check=False).returncode:
            return _AS_NOBODY
    _write_programs(programs, sys.executable)
    return ()


def _write_programs(folder: Path, python: str) -> None:
    packages = os.pathsep.join([str(ROOT), sysconfig.get_paths()["purelib"]])
    called = {"loomstack-mcp": "loomstack_mcp.start", "loomstack-hook": "loomstack_mcp.hooks.main"}
    for name, module in called.items():
        code = f"import sys; sys.argv[0] = '{name}'; from {module} import main; main()"
        program = folder / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec {python} -P -c "{code}" "$@"\n')
        program.chmod(0o755)


@contextlib.contextmanager
def made_world() -> Iterator[World]:
    """A world of its own, for as long as it is needed. Pytest's folders are closed to other accounts."""
    with (
        tempfile.TemporaryDirectory(prefix="bypass-", ignore_cleanup_errors=True) as kept,
        contextlib.ExitStack() as on,
    ):
        folder = Path(kept)
        folder.chmod(0o755)
        programs = folder / "bin"
        programs.mkdir()
        under = other_account(programs)
        seed, bare, agents = folder / "seed", folder / "srv" / "shop.git", folder / "agents"
        home, clone = agents / "home", agents / "shop"
        env = {"HOME": str(home), "LOOMSTACK_HOME": str(agents / "loom"), "PATH": f"{programs}:{_PLAIN_PATH}"}
        _seed(seed, bare, folder / "srv")
        url = on.enter_context(_served(bare.parent))
        (home / ".codex").mkdir(parents=True)
        # Codex runs lines in a login shell, for which /etc/profile begins with a PATH of its own.
        (home / ".profile").write_text(f'export PATH="{programs}:$PATH"\n')
        _given_to(agents, under)
        world = World(
            bare=bare, clone=clone, home=home, env=env, under=under, base=git(bare, "rev-parse", "main"), other_run=""
        )  # fmt: skip
        _must(world.does("git", "clone", "--quiet", f"{url}/shop.git", str(clone), cwd=agents))
        for name, value in (("user.name", "agent"), ("user.email", "agent@shop")):
            _must(world.does("git", "config", name, value))
        _must(world.does("loomstack-mcp", "init", "--yes"))
        holder = on.enter_context(Server([*under, "loomstack-mcp", "serve"], env=env, cwd=clone))
        holder.initialize()
        run = holder.answer("start_run", loop="release", goal="ship")["run"]
        yield World(**{**vars(world), "other_run": run})


def _seed(seed: Path, bare: Path, server: Path) -> None:
    """The trunk, with what a team keeps there, behind a gate with a store of its own."""
    for name, text in _FILES.items():
        (seed / name).parent.mkdir(parents=True, exist_ok=True)
        (seed / name).write_text(text)
    server.mkdir(exist_ok=True)
    env = {"HOME": str(server), "LOOMSTACK_HOME": str(server / "loom"), "PATH": PATH, "LANG": "C.UTF-8"}
    git(seed, "init", "--quiet", "--initial-branch=main")
    _must(subprocess.run(["loomstack-mcp", "init", "--yes"], cwd=seed, env=env, capture_output=True, text=True))
    commit_all(seed)
    git(seed, "clone", "--quiet", "--bare", str(seed), str(bare))
    with Server(COMMAND, env=env, cwd=seed) as keeper:
        keeper.initialize()
        keeper.answer("start_run", loop="keeper", goal="keep")
    # Nobody is named by git's own daemon, so the rules for loops hold.
    install = ["loomstack-mcp", "--home", str(server / "loom"), "gate", "--install", str(bare), "--actor", "$PUSHER"]
    _must(subprocess.run(install, cwd=server, env=env, capture_output=True, text=True))


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The repositories of a folder by git's own protocol, under the account of the suite."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = subprocess.Popen(
        ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}", f"--base-path={folder}",
         "--export-all", "--enable=receive-pack", str(folder)],
        env={"PATH": PATH, "HOME": str(folder)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip

    def answers() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers)
        yield f"git://127.0.0.1:{port}"
    finally:
        os.killpg(daemon.pid, 15)
        daemon.wait()


def _given_to(folder: Path, under: Sequence[str]) -> None:
    """The folder, as the agents' account's own."""
    for path in (folder, *folder.rglob("*")) if under else ():
        os.chown(path, _NOBODY, _NOBODY)


def _must(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"


WRITER = ["python3", str(Path(__file__).with_name("writer.py"))]
"""What starts the other server."""
