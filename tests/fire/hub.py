"""The fire of a hub: two replicas over a PostgreSQL with a synchronous standby, behind nginx, and clients on hosts."""

import json
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import IO
from urllib.parse import urlsplit

from tests.databases import PostgresServer, own_server
from tests.fire.burning import Fire, Harm, Seat
from tests.fire.standby import Pair, pair
from tests.lab.hosts import Network, network
from tests.lab.relay import Relay, relayed
from tests.lab.team import Team, team

_HOSTS = ("", "", "")
"""Their clients' clocks differ by what each is told."""
_SEATS_EACH = 2
_WITHIN_MS = 6_000
"""Two seconds is what an edge waits; the rest is a client that was stopped meanwhile, and a machine under load."""
_CUT_S_MAX = 3.0
_SLOW_S = 0.03


@contextmanager
def hub_fire(
    folder: Path, *, burn_s: float, seed: int, mutant: str = "", within_ms: int = _WITHIN_MS
) -> Iterator[Fire]:
    """The whole of it, ready to burn. Every call is to end within that time."""
    if mutant:
        with _mutant_fire(folder, mutant, burn_s=burn_s, seed=seed) as fire:
            yield fire
        return
    with pair() as servers, network(*_HOSTS) as net, ExitStack() as lines:
        to_database = [lines.enter_context(_relay_to(server)) for server in (servers.primary, servers.standby)]
        to_replicas: list[Relay] = []

        def through(port: int) -> int:
            to_replicas.append(lines.enter_context(relayed("127.0.0.1", port)))
            return to_replicas[-1].port

        places = ",".join(f"127.0.0.1:{relay.port}" for relay in to_database)
        with team(folder, f"postgresql://postgres@{places}/postgres", net.address, through=through) as made:
            harms = _Harms(servers, made, net, to_database, to_replicas).all()
            yield _fire(made, net, burn_s=burn_s, seed=seed, harms=harms, within_ms=within_ms)


@contextmanager
def _mutant_fire(folder: Path, mutant: str, *, burn_s: float, seed: int) -> Iterator[Fire]:
    """Replicas in which something goes wrong on purpose, which nothing else befalls."""
    program = (sys.executable, "-m", "tests.fire.replica", mutant)
    with (
        own_server() as server,
        network(*_HOSTS) as net,
        team(folder, server.url(), net.address, program=program) as made,
    ):
        yield _fire(made, net, burn_s=burn_s, seed=seed, harms=(), within_ms=_WITHIN_MS)


def _fire(
    made: Team, net: Network, *, burn_s: float, seed: int, harms: Sequence[tuple[str, Harm]], within_ms: int
) -> Fire:
    for replica in made.replicas:
        _drained(replica.process.stderr)
    seats = [_seat(made, net, number) for number in range(len(net.hosts) * _SEATS_EACH)]
    logs = made.folder / "logs"
    logs.mkdir()
    return Fire(made.store, logs, burn_s=burn_s, seed=seed, harms=harms, seats=seats, within_ms=within_ms)


class _Harms:
    """What befalls a hub. Each is over when it returns, but for what it takes to recover."""

    def __init__(
        self, servers: Pair, made: Team, net: Network, to_database: Sequence[Relay], to_replicas: Sequence[Relay]
    ) -> None:
        self._servers, self._team, self._net = servers, made, net
        self._relays, self._to_replicas = to_database, to_replicas

    def all(self) -> list[tuple[str, Harm]]:
        return [
            ("a replica is killed", self._kill_replica),
            ("a replica ends and starts", self._end_replica),
            ("a replica is stopped for a while", self._stop_replica),
            ("PostgreSQL is restarted", self._restart),
            ("PostgreSQL fails over", self._fail_over),
            ("PostgreSQL stands still", self._pause),
            ("the standby is away", self._lone),
            ("a host is cut off", self._cut_host),
            ("the database is cut off", self._cut_database),
            ("the database is slow", self._slow_database),
            ("connections to the database are reset", self._reset_database),
            ("connections to a replica are reset", self._reset_replica),
            ("a replica is cut off", self._cut_replica),
        ]

    def _kill_replica(self, random: Random) -> None:
        self._restart_replica(random.randrange(len(self._team.replicas)))

    def _end_replica(self, random: Random) -> None:
        number = random.randrange(len(self._team.replicas))
        process = self._team.replicas[number].process
        process.send_signal(signal.SIGTERM)
        time.sleep(random.uniform(0, 1))
        self._restart_replica(number)

    def _restart_replica(self, number: int) -> None:
        self._team.restart_replica(number)
        _drained(self._team.replicas[number].process.stderr)

    def _stop_replica(self, random: Random) -> None:
        process = random.choice(self._team.replicas).process
        process.send_signal(signal.SIGSTOP)
        time.sleep(random.uniform(0.2, _CUT_S_MAX))
        process.send_signal(signal.SIGCONT)

    def _restart(self, random: Random) -> None:
        self._servers.restart(random.choice(("fast", "immediate", "kill")))

    def _pause(self, random: Random) -> None:
        self._servers.primary.pause()
        time.sleep(random.uniform(0.2, _CUT_S_MAX))
        self._servers.primary.resume()

    def _lone(self, random: Random) -> None:
        """Nothing is acknowledged meanwhile."""
        self._servers.standby.stop("fast")
        time.sleep(random.uniform(0, _CUT_S_MAX))
        self._servers.standby.start()

    def _fail_over(self, _: Random) -> None:
        self._servers.fail_over()

    def _cut_host(self, random: Random) -> None:
        host = random.choice(self._net.hosts)
        host.cut()
        time.sleep(random.uniform(0.2, _CUT_S_MAX))
        host.mend()

    def _cut_database(self, random: Random) -> None:
        for relay in self._relays:
            relay.cut()
        time.sleep(random.uniform(0.2, _CUT_S_MAX))
        for relay in self._relays:
            relay.mend()

    def _slow_database(self, random: Random) -> None:
        for relay in self._relays:
            relay.delay_s = random.uniform(0, _SLOW_S)
        time.sleep(1)
        for relay in self._relays:
            relay.delay_s = 0

    def _reset_replica(self, random: Random) -> None:
        """It goes on with what it was asked, and those who asked send it again, to another perhaps."""
        random.choice(self._to_replicas).reset()

    def _cut_replica(self, random: Random) -> None:
        relay = random.choice(self._to_replicas)
        relay.cut()
        time.sleep(random.uniform(0.2, _CUT_S_MAX))
        relay.mend()

    def _reset_database(self, _: Random) -> None:
        for relay in self._relays:
            relay.reset()


def _relay_to(server: PostgresServer) -> AbstractContextManager[Relay]:
    port = urlsplit(server.url()).port
    assert port
    return relayed("127.0.0.1", port)


def _seat(made: Team, net: Network, number: int) -> Seat:
    """A person's home on a host, with a token, as `init --hub` leaves it."""
    host = net.hosts[number % len(net.hosts)]
    home = made.folder / f"c{number}" / "loomstack"
    home.mkdir(parents=True)
    kept = {
        "origin": made.balancer.url, "token": made.token(f"c{number}"), "ca": str(made.balancer.certificate),
    }  # fmt: skip
    file = home / "hub-tokens.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps([kept]))
    environment = {"HOME": str(home.parent), "LOOMSTACK_HOME": str(home)}
    return Seat(made.balancer.url, environment, tuple(host.command(())))


def _drained(stream: IO[str] | None) -> None:
    """What a replica says is read, so that it never waits for a reader."""
    assert stream
    threading.Thread(target=deque, args=(stream, 0), daemon=True).start()
