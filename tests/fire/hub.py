"""The fire of a hub: two replicas over a PostgreSQL with a synchronous standby, behind nginx, and clients on hosts."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.databases import PostgresServer
from tests.fire.burning import LONG_TTL_MS, Fire, Harm, Seat
from tests.fire.harms import CLOCKS, Harms, Lines
from tests.fire.standby import pair
from tests.hubs import made_token, running_hub
from tests.lab.hosts import Network, network
from tests.lab.relay import Relay, relayed
from tests.lab.team import Team, team
from tests.processes import ROOT

_HOSTS = ("", "", "")
"""Their clients' clocks differ by what each is told."""
_SEATS_EACH = 2
_WITHIN_MS = 6_000
"""Two seconds is what an edge waits; the rest is a client that was stopped meanwhile, and a machine under load."""


@contextmanager
def hub_fire(folder: Path, *, burn_s: float, seed: int, within_ms: int = _WITHIN_MS) -> Iterator[Fire]:
    """The whole of it, ready to burn. Every call is to end within that time."""
    with pair() as servers, network(*_HOSTS) as net, ExitStack() as relays:
        to_database = [relays.enter_context(_relay_to(server)) for server in (servers.primary, servers.standby)]
        to_replicas, to_balancer = list[Relay](), list[Relay]()

        def through(port: int) -> int:
            to_replicas.append(relays.enter_context(relayed("127.0.0.1", port)))
            return to_replicas[-1].port

        def before(port: int) -> int:
            to_balancer.append(relays.enter_context(relayed(net.address, port, at=net.address)))
            return to_balancer[-1].port

        places = ",".join(f"127.0.0.1:{relay.port}" for relay in to_database)
        store = f"postgresql://postgres@{places}/postgres"
        with team(folder, store, net.address, clocks=CLOCKS[:2], through=through, before=before) as made:
            lines = Lines(to_database, to_replicas, to_balancer[0])
            harms = Harms(servers, made, net, lines).all()
            yield _fire(made, net, burn_s=burn_s, seed=seed, harms=harms, within_ms=within_ms)


def _fire(made: Team, net: Network, *, burn_s: float, seed: int, harms: Sequence[Harm], within_ms: int) -> Fire:
    kept = {"ca": str(made.balancer.certificate)}
    seats = [
        _seat(made.folder, made.store, number, made.balancer.url, prefix=host.command(()), **kept)
        for number, host in enumerate(net.hosts * _SEATS_EACH)
    ]
    logs = made.folder / "logs"
    logs.mkdir()
    return Fire(made.store, logs, burn_s=burn_s, seed=seed, harms=harms, seats=seats, within_ms=within_ms)


@contextmanager
def mutant_fire(folder: Path, store: str, *, mutant: str, seed: int, burn_s: float = 0) -> Iterator[Fire]:
    """Two replicas, in one of which something goes wrong on purpose. Nothing else befalls them, nothing is between."""
    made_token(folder, "root", "admin", store=store)
    wrong = (sys.executable, "-m", "tests.fire.replica", mutant)
    at = {"LOOMSTACK_STORE": store, "PYTHONPATH": str(ROOT)}
    with running_hub(folder, program=wrong, **at) as one, running_hub(folder, **at) as other:
        urls = [f"http://127.0.0.1:{hub.port}" for hub in (one, other)]
        seats = [_seat(folder, store, number, url) for number, url in enumerate(urls * _SEATS_EACH)]
        logs = folder / "logs"
        logs.mkdir()
        yield Fire(store, logs, burn_s=burn_s, seed=seed, seats=seats, ttl_ms=LONG_TTL_MS)


def _relay_to(server: PostgresServer) -> AbstractContextManager[Relay]:
    port = urlsplit(server.url()).port
    assert port
    return relayed("127.0.0.1", port)


def _seat(folder: Path, store: str, number: int, url: str, *, prefix: Sequence[str] = (), **kept: str) -> Seat:
    """A person's home, with a token, as `init --hub` leaves it."""
    home = folder / f"c{number}" / "loomstack"
    home.mkdir(parents=True)
    token = made_token(folder, f"c{number}", store=store)
    file = home / "hub-tokens.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps([{"origin": url, "token": token, **kept}]))
    return Seat(url, {"HOME": str(home.parent), "LOOMSTACK_HOME": str(home)}, tuple(prefix))
