"""A fire: clients of one store, killed, stopped and restarted at random, and whatever befalls what is under them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from tests.deadlines import seconds, wait_until
from tests.factories import REPO
from tests.fire.findings import Calls, calls_of, findings, is_enough, lines_of
from tests.fire.stores import opened
from tests.fire.worker import PAST_LEASE_S, TTL_MS, Spec
from tests.processes import ROOT

CLIENTS = 5
LONG_TTL_MS = 60_000
"""A lease that no busy machine outlasts."""
WITHIN_MS = 20_000
"""A call over a store takes no longer, whatever befalls that; through a hub far less."""
_PAUSE_S = 0.3
_LONGER_S = 10
_TWO_AT_ONCE = 0.25
_EVENTS_MAX = 10_000_000
_CLOCKS_S = (-3600.0, 0.0, 5.0, 86400.0)


@dataclass(frozen=True)
class Harm:
    """One thing that befalls them. It is over when it returns, but for what it takes to recover."""

    name: str
    befall: Callable[[Random], None]
    of: Literal["clients", "replicas", "database", "lines"]
    """What befalls others may happen at once."""


@dataclass(frozen=True)
class Seat:
    """Where a client sits: how it reaches the store from there, and what starts a process there."""

    store: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()


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
        harms: Sequence[Harm] = (),
        seats: Sequence[Seat] = (),
        within_ms: int = WITHIN_MS,
        ttl_ms: int = TTL_MS,
    ) -> None:
        """`harms` befall what is under the clients, beside what befalls these; `seats` are theirs, and the reader's."""
        self._store = store
        self._folder = folder
        self._burn_s = burn_s
        self._seed = seed
        self._random = Random(seed)
        self._mutant = mutant
        own = [Harm("a client is killed", self._kill, "clients"), Harm("a client is stopped", self._stop, "clients")]
        self._harms = [own[0], *own, *harms]
        self._seats = seats or [Seat(store)] * CLIENTS
        self._within_ms = within_ms
        self._ttl_ms = ttl_ms
        self._clients: list[subprocess.Popen[bytes]] = []
        self._starts = 0
        self._over = folder / "stop"
        self.thrown = Counter[str]()

    def burn(self, *, until: Callable[[Calls], bool] = is_enough) -> list[str]:
        """All that should not be so. It burns for its time, and on from there until that is so of what was called."""
        with opened(self._store) as loom:
            loom.repos.ids()  # which makes the store
        read, over = self._folder / "read", self._folder / "over"
        reader = self._run(self._seats[0], "tests.fire.reader", self._seats[0].store, str(read), str(over))
        self._clients = [self._started(number) for number in range(len(self._seats))]
        try:
            wait_until(lambda: len(lines_of(self._logs())) > 10 * len(self._seats), quiet_s=30)
            self._throw(until)
            self._over.touch()
            ends = [client.wait(seconds(10)) for client in self._clients]
            over.touch()
            ends.append(reader.wait(seconds(10)))
        finally:
            for one in (*self._clients, reader):
                one.kill()
        failed = [f"a process ended with {end}" for end in ends if end]
        failed += [] if until(self._calls()) else ["it went out before it was to"]
        with opened(self._store) as loom:
            events, _ = loom.events.since(REPO, since=0, limit=_EVENTS_MAX)
        seen = [int(line) for line in read.read_text(encoding="utf-8").split()]
        found = failed + findings(lines_of(self._logs()), events, seen, within_ms=self._within_ms)
        return [f"seed {self._seed}: {one}" for one in found]

    def burn_out(self) -> None:
        """Burn, and fail with all that should not be so: of a list that is compared, pytest tells the first line."""
        found = self.burn()
        assert not found, "\n".join([self.told(), *found])

    def told(self) -> str:
        """What was done, and what was thrown in."""
        calls = self._calls()
        answers = Counter(end["answer"] if end else "unknown" for _, end in calls)
        return f"{len(calls)} calls {dict(sorted(answers.items()))}; {dict(sorted(self.thrown.items()))}"

    def _throw(self, until: Callable[[Calls], bool]) -> None:
        over_s = time.monotonic() + self._burn_s
        latest_s = over_s + seconds(_LONGER_S)
        while (now_s := time.monotonic()) < over_s or (now_s < latest_s and not until(self._calls())):
            time.sleep(self._random.uniform(_PAUSE_S / 3, _PAUSE_S))
            self._throw_some()

    def _throw_some(self) -> None:
        """One harm, or two at once that befall different things."""
        first = self._random.choice(self._harms)
        others = [harm for harm in self._harms if harm.of != first.of]
        two = others and self._random.random() < _TWO_AT_ONCE
        thrown = [first, self._random.choice(others)] if two else [first]
        self.thrown[" + ".join(sorted(harm.name for harm in thrown))] += 1
        with ThreadPoolExecutor(len(thrown)) as pool:
            seeds = [Random(self._random.randrange(2**32)) for _ in thrown]
            for done in [pool.submit(harm.befall, seed) for harm, seed in zip(thrown, seeds, strict=True)]:
                done.result()

    def _started(self, number: int) -> "subprocess.Popen[bytes]":
        self._starts += 1
        seat = self._seats[number]
        spec = Spec(
            store=seat.store,
            name=f"c{number}",
            seed=self._random.randrange(2**32),
            ttl_ms=self._ttl_ms,
            log=str(self._folder / f"c{number}-{self._starts:04}.jsonl"),
            stop=str(self._over),
            wall_ahead_s=self._random.choice(_CLOCKS_S),
            mutant=self._mutant,
        )
        return self._run(seat, "tests.fire.worker", json.dumps(asdict(spec)))

    def _run(self, seat: Seat, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [*seat.prefix, sys.executable, "-m", module, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **seat.environment})

    def _calls(self) -> Calls:
        return calls_of(lines_of(self._logs()))

    def _logs(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl"))

    def _kill(self, random: Random) -> None:
        number = random.randrange(len(self._clients))
        self._clients[number].kill()
        self._clients[number].wait()
        with (self._folder / "kills.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"killed": self._clients[number].pid, "at_ms": time.monotonic() * 1000}) + "\n")
        self._clients[number] = self._started(number)

    def _stop(self, random: Random) -> None:
        """Past its lease, and whatever it holds in the database."""
        client = random.choice(self._clients)
        client.send_signal(signal.SIGSTOP)
        time.sleep(PAST_LEASE_S)
        client.send_signal(signal.SIGCONT)
