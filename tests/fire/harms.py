"""What befalls a hub: its replicas, its database, and the lines between all of them."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.fire.burning import Harm
from tests.fire.standby import Pair
from tests.lab.hosts import Network
from tests.lab.relay import Relay
from tests.lab.team import Team

CLOCKS = ("", "+2h", "-3h", "+400d")
"""Of replicas: their own tell nobody anything. Whoever starts again may have another."""
_CUT_S_MAX = 3.0
_SLOW_S = 0.03
_SLOW_HOST_S = 0.3
_RESTARTS = ("fast", "immediate", "kill")


@dataclass(frozen=True)
class Lines:
    """The lines of a hub that can be slow, or cut."""

    to_database: Sequence[Relay]
    """One to each of the pair."""
    to_replicas: Sequence[Relay]
    to_balancer: Relay


class Harms:
    """All that may befall a hub."""

    def __init__(self, servers: Pair, made: Team, net: Network, lines: Lines) -> None:
        self._servers, self._team, self._net, self._lines = servers, made, net, lines

    def all(self) -> list[Harm]:
        return [
            Harm("a replica is killed", self._kill_replica, "replicas"),
            Harm("a replica ends and starts", self._end_replica, "replicas"),
            Harm("a replica is stopped for a while", self._stop_replica, "replicas"),
            Harm("PostgreSQL is restarted", self._restart, "database"),
            Harm("PostgreSQL is away for a while", self._stop, "database"),
            Harm("PostgreSQL fails over", self._fail_over, "database"),
            Harm("PostgreSQL stands still", self._pause, "database"),
            Harm("the standby is away", self._lone, "database"),
            Harm("a host is cut off", self._cut_host, "lines"),
            Harm("a host is far away", self._slow_host, "lines"),
            Harm("the database is cut off", self._cut_database, "lines"),
            Harm("the database is slow", self._slow_database, "lines"),
            Harm("connections to the database are reset", self._reset_database, "lines"),
            Harm("connections to a replica are reset", self._reset_replica, "lines"),
            Harm("a replica is cut off", self._cut_replica, "lines"),
            Harm("a replica is not heard", self._deafen_replica, "lines"),
        ]

    def _kill_replica(self, random: Random) -> None:
        self._team.restart_replica(self._number(random), random.choice(CLOCKS))

    def _end_replica(self, random: Random) -> None:
        number = self._number(random)
        self._team.replicas[number].process.send_signal(signal.SIGTERM)
        time.sleep(random.uniform(0, 1))
        self._team.restart_replica(number, random.choice(CLOCKS))

    def _stop_replica(self, random: Random) -> None:
        process = self._team.replicas[self._number(random)].process
        process.send_signal(signal.SIGSTOP)
        _wait(random)
        process.send_signal(signal.SIGCONT)

    def _number(self, random: Random) -> int:
        return random.randrange(len(self._team.replicas))

    def _restart(self, random: Random) -> None:
        self._servers.restart(random.choice(_RESTARTS))

    def _stop(self, random: Random) -> None:
        self._servers.restart(random.choice(_RESTARTS), after_s=random.uniform(0.2, _CUT_S_MAX))

    def _pause(self, random: Random) -> None:
        self._servers.primary.pause()
        _wait(random)
        self._servers.primary.resume()

    def _lone(self, random: Random) -> None:
        """Nothing is acknowledged meanwhile."""
        self._servers.standby.stop("fast")
        _wait(random)
        self._servers.standby.start()

    def _fail_over(self, _: Random) -> None:
        self._servers.fail_over()

    def _cut_host(self, random: Random) -> None:
        host = random.choice(self._net.hosts)
        host.cut()
        _wait(random)
        host.mend()

    def _slow_host(self, random: Random) -> None:
        """So slow that some of its calls end in time, and some do not."""
        host = random.choice(self._net.hosts)
        self._lines.to_balancer.delays_s[host.address] = random.uniform(0, _SLOW_HOST_S)
        _wait(random)
        del self._lines.to_balancer.delays_s[host.address]

    def _cut_database(self, random: Random) -> None:
        for relay in self._lines.to_database:
            relay.cut()
        _wait(random)
        for relay in self._lines.to_database:
            relay.mend()

    def _slow_database(self, random: Random) -> None:
        for relay in self._lines.to_database:
            relay.delay_s = random.uniform(0, _SLOW_S)
        time.sleep(1)
        for relay in self._lines.to_database:
            relay.delay_s = 0

    def _reset_database(self, _: Random) -> None:
        for relay in self._lines.to_database:
            relay.reset()

    def _reset_replica(self, random: Random) -> None:
        """It goes on with what it was asked, and those who asked send it again, to another perhaps."""
        random.choice(self._lines.to_replicas).reset()

    def _cut_replica(self, random: Random) -> None:
        relay = random.choice(self._lines.to_replicas)
        relay.cut()
        _wait(random)
        relay.mend()

    def _deafen_replica(self, random: Random) -> None:
        """What it is asked it does, and nobody knows."""
        relay = random.choice(self._lines.to_replicas)
        relay.deafen()
        _wait(random)
        relay.mend()


def _wait(random: Random) -> None:
    time.sleep(random.uniform(0.2, _CUT_S_MAX))
