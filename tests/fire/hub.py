"""The fire of a hub: clients of one store, killed, stopped and restarted at random, and the database under them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random

from tests.deadlines import seconds, wait_until
from tests.factories import REPO
from tests.fire.findings import findings, lines_of
from tests.fire.stores import opened
from tests.fire.worker import Spec
from tests.processes import ROOT

CLIENTS = 5
TTL_MS = 800
_PAUSE_S = 0.3
_EVENTS_MAX = 10_000_000


class Fire:
    """One run of it. Everything that is random follows from the seed, but for what the machine does with it."""

    def __init__(
        self,
        store: str,
        folder: Path,
        *,
        burn_s: float,
        seed: int,
        mutant: str = "",
        restart: Callable[[], None] | None,
    ) -> None:
        """`restart` stops the database at once and starts it again."""
        self._store = store
        self._folder = folder
        self._burn_s = burn_s
        self._random = Random(seed)
        self._mutant = mutant
        self._harms = [self._kill, self._kill, self._stop]
        if restart:
            self._harms.append(restart)
        self._clients: list[subprocess.Popen[bytes]] = []
        self._starts = 0
        self._over = folder / "stop"

    def burn(self) -> list[str]:
        """All that should not be so."""
        with opened(self._store) as loom:
            loom.repos.ids()  # which makes the store
        read, over = self._folder / "read", self._folder / "over"
        reader = self._run("tests.fire.reader", self._store, str(read), str(over))
        self._clients = [self._started(number) for number in range(CLIENTS)]
        wait_until(lambda: len(lines_of(self._logs())) > 10 * CLIENTS, quiet_s=30)
        until_s = time.monotonic() + self._burn_s
        while time.monotonic() < until_s:
            time.sleep(self._random.uniform(_PAUSE_S / 3, _PAUSE_S))
            self._random.choice(self._harms)()
        self._over.touch()
        ends = [client.wait(seconds(10)) for client in self._clients]
        over.touch()
        failed = [f"a process ended with {end}" for end in (*ends, reader.wait(seconds(10))) if end]
        with opened(self._store) as loom:
            events, _ = loom.events.since(REPO, since=0, limit=_EVENTS_MAX)
        seen = [int(line) for line in read.read_text(encoding="utf-8").split()]
        return failed + findings(lines_of(self._logs()), events, seen)

    def _started(self, number: int) -> "subprocess.Popen[bytes]":
        self._starts += 1
        spec = Spec(
            store=self._store,
            name=f"c{number}",
            seed=self._random.randrange(2**32),
            ttl_ms=TTL_MS,
            log=str(self._folder / f"c{number}-{self._starts:04}.jsonl"),
            stop=str(self._over),
            wall_ahead_s=self._random.choice((-3600.0, 0.0, 5.0, 86400.0)),
            mutant=self._mutant,
        )
        return self._run("tests.fire.worker", json.dumps(asdict(spec)))

    def _run(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT)

    def _logs(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl"))

    def _kill(self) -> None:
        number = self._random.randrange(CLIENTS)
        self._clients[number].kill()
        self._clients[number].wait()
        self._clients[number] = self._started(number)

    def _stop(self) -> None:
        """Past its lease, and whatever it holds in the database."""
        client = self._random.choice(self._clients)
        client.send_signal(signal.SIGSTOP)
        time.sleep(TTL_MS / 1000 * 1.3)
        client.send_signal(signal.SIGCONT)
