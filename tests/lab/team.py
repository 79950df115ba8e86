"""A team as it would be: PostgreSQL, two replicas behind nginx, and developers on hosts of their own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import open_loom
from tests.conftest import environment
from tests.deadlines import seconds, wait_until
from tests.hubs import Hub
from tests.lab.balancer import Balancer, balanced, made_certificate
from tests.lab.hosts import Host, clocked
from tests.ports import kept_port
from tests.processes import MODULE, ROOT
from tests.wire import Server

ADMIN = Principal(name="root", role="admin")


@dataclass
class Developer:
    """Somebody at a host, with a home and a clone, whose sessions are started there."""

    name: str
    host: Host
    home: Path
    clone: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, given: str = "", at: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """A command of ours, as this person types it."""
        return self._ran([sys.executable, "-m", "loomstack_mcp", *words], given, at)

    def hook(self, event: str, **payload: Any) -> dict[str, Any]:
        """What Claude Code's session is told at an event."""
        told = {"hook_event_name": event, "cwd": str(self.clone), **payload}
        code = "from loomstack_mcp.hooks.main import main; main()"
        done = self._ran([sys.executable, "-c", code, "claude", event], json.dumps(told), None)
        assert done.returncode == 0, done
        return dict(json.loads(done.stdout)) if done.stdout else {}

    def edits(self, file: str, *, session: str) -> str:
        """What the session hears that would edit a file: "" where nothing is said."""
        asked = {"tool_name": "Write", "tool_input": {"file_path": str(self.clone / file), "content": "x\n"}}
        told = self.hook("PreToolUse", session_id=session, tool_use_id=f"use-{file}", **asked)
        specific = told.get("hookSpecificOutput", {})
        return str(specific.get("permissionDecisionReason") or told.get("systemMessage") or "")

    def session(self, session_id: str) -> Server:
        """A server of one of Claude Code's sessions there."""
        said = {**self.environment, "CLAUDE_CODE_SESSION_ID": session_id}
        command = self.host.command([sys.executable, "-m", "loomstack_mcp", "serve"])
        return Server(command, env=said, cwd=self.clone, fresh=True)

    def git(self, *words: str) -> str:
        """git, in the clone, by the clock of the host."""
        done = self._ran(["git", *words], "", None)
        assert done.returncode == 0, done
        return done.stdout.strip()

    def _ran(self, argv: Sequence[str], given: str, at: Path | None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.host.command(argv),
            input=given, cwd=at or self.clone, env=self.environment, capture_output=True, text=True,
            timeout=seconds(30), check=False,
        )  # fmt: skip


class Team:
    """A hub of replicas over a PostgreSQL, and what is needed to join it."""

    def __init__(self, folder: Path, store: str, clocks: Sequence[str], program: Sequence[str] = MODULE) -> None:
        """`clocks` are those of the replicas, `program` is what one is, but for its arguments."""
        self.folder, self.store, self._clocks, self._program = folder, store, clocks, program
        self.replicas: list[Hub] = []
        self.balancer: Balancer

    def token(self, owner: str, role: Any = "developer") -> str:
        """A token, made on the hub's machine."""
        with open_loom(Settings(home=str(self.folder / "hub"), store=self.store)) as loom:
            return loom.tokens.create(ADMIN, owner=owner, role=role).text

    def start_replicas(self, url: str) -> None:
        """All of them, for those who know the hub by that URL."""
        for clock in self._clocks:
            self.replicas.append(self._started(url, clock, kept_port()))

    def restart_replica(self, number: int, clock: str = "") -> None:
        """One that was killed, or ended, starts again where the balancer knows it: as often as systemd would try."""
        old = self.replicas[number]
        old.process.kill()
        old.process.wait()
        found = wait_until(lambda: self._started_perhaps(clock, old.port))
        assert found
        self.replicas[number] = found

    def _started(self, url: str, clock: str, port: int) -> Hub:
        """It finds the store in its environment."""
        home = self.folder / "hub"
        home.mkdir(exist_ok=True)
        behind = ("--behind-proxy", "127.0.0.1", "--public-url", url, "--port", str(port))
        program = [*clocked(clock), *self._program]
        return Hub(home, *behind, program=program, LOOMSTACK_STORE=self.store, PYTHONPATH=str(ROOT))

    def _started_perhaps(self, clock: str, port: int) -> Hub | None:
        with contextlib.suppress(AssertionError):  # its store is away
            return self._started(self.balancer.url, clock, port)
        return None

    def joined(self, name: str, host: Host, origin: Path) -> Developer:
        """A developer who has joined with one command."""
        home, clone = self.folder / name, self.folder / f"{name}-shop"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", origin, clone], check=True)
        for setting, value in (("user.name", name), ("user.email", f"{name}@localhost"), ("commit.gpgsign", "false")):
            subprocess.run(["git", "config", setting, value], cwd=clone, check=True)
        developer = Developer(name, host, home, clone, environment(home, PATH=os.environ["PATH"]))
        balancer = self.balancer
        done = developer.run("init", "--hub", balancer.url, "--ca", str(balancer.certificate), "--yes",
                             given=self.token(name))  # fmt: skip
        assert done.returncode == 0, done
        return developer


@contextlib.contextmanager
def team(
    folder: Path,
    store: str,
    address: str,
    *,
    clocks: Sequence[str] = ("", ""),
    program: Sequence[str] = MODULE,
    through: Callable[[int], int] = int,
    before: Callable[[int], int] = int,
) -> Iterator[Team]:
    """A hub at an address, balanced by the site that `serve --print nginx` prints; a replica for each of the clocks.

    `through` is the port at which the balancer finds a replica that listens at another, `before` the one at which
    people find the balancer.
    """
    made = Team(folder, store, clocks, program)
    certificate, key = made_certificate(folder, address)
    port = kept_port(address)
    url = f"https://{address}:{before(port)}"
    try:
        made.token("root", "admin")  # without which no hub serves others
        made.start_replicas(url)
        site = printed_site(folder, f"https://{address}:{port}", [through(one.port) for one in made.replicas],
                            certificate, key)  # fmt: skip
        with balanced(folder / "nginx", site, address=address, port=port, certificate=certificate) as balancer:
            made.balancer = replace(balancer, url=url)
            yield made
    finally:
        for one in made.replicas:
            one.stop()


def printed_site(folder: Path, url: str, replicas: Sequence[int], certificate: Path, key: Path) -> str:
    """What `serve --print nginx` prints, for these replicas and this certificate: only places are changed."""
    printed = subprocess.run(
        [sys.executable, "-m", "loomstack_mcp", "serve", "--http", "--print", "nginx", "--public-url", url],
        env=environment(folder), capture_output=True, text=True, check=True, timeout=seconds(30),
    ).stdout  # fmt: skip
    address, port = url.removeprefix("https://").rsplit(":", 1)
    plain, _, secured = printed.partition("server {\n    listen 80;")
    secured = "server {\n" + secured[secured.index(f"    listen {port} ssl;") :]
    servers = "\n".join(f"    server 127.0.0.1:{one};" for one in replicas)
    return (
        (plain + secured)
        .replace("    server 127.0.0.1:8420;", servers)
        .replace(f"    listen {port} ssl;", f"    listen {address}:{port} ssl;")
        .replace(f"    listen [::]:{port} ssl;\n", "")
        .replace("/etc/nginx/tls/cert.pem", str(certificate))
        .replace("/etc/nginx/tls/key.pem", str(key))
    )
