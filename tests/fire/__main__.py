"""`python -m tests.fire hub --minutes 15 --seed 7`; `store` burns without hubs. Ends with 1 for any finding."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.databases import own_server
from tests.fire.burning import Fire, Harm
from tests.fire.findings import is_enough, is_wrong
from tests.fire.hub import hub_fire, mutant_fire
from tests.fire.old import old_things
from tests.lab.balancer import why_no_nginx
from tests.lab.hosts import why_no_hosts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fire", description=__doc__)
    parser.add_argument("what", choices=["hub", "store"])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", default="", choices=["", "stale", "blind"])
    parser.add_argument("--database", default="both", choices=["both", "sqlite", "postgres"], help="of `store`")
    options = parser.parse_args()
    if options.what == "hub" and not options.mutant and (why_not := why_no_hosts() or why_no_nginx()):
        sys.exit(why_not)
    fires = {"sqlite": _sqlite, "postgres": _postgres} if options.what == "store" else {"hub": _hub}
    found = list[str]()
    for name, fire in fires.items():
        if options.what == "store" and options.database not in ("both", name):
            continue
        with (
            tempfile.TemporaryDirectory(prefix="loomstack-fire-") as home,
            fire(Path(home), burn_s=options.minutes * 60, seed=options.seed, mutant=options.mutant) as lit,
        ):
            found += lit.burn(until=is_wrong if options.mutant else is_enough)
            print(f"{name}, seed {options.seed}: {lit.told()}", *found, sep="\n", flush=True)
    print(
        f"{len(found)} findings" if found else f"nothing was found in {options.minutes:g} minutes, seed {options.seed}"
    )
    sys.exit(bool(found))


@contextmanager
def _hub(folder: Path, *, burn_s: float, seed: int, mutant: str) -> Iterator[Fire]:
    if not mutant:
        with hub_fire(folder, burn_s=burn_s, seed=seed) as fire:
            yield fire
        return
    with own_server() as server, mutant_fire(folder, server.url(), mutant=mutant, burn_s=burn_s, seed=seed) as fire:
        yield fire


@contextmanager
def _sqlite(folder: Path, *, burn_s: float, seed: int, mutant: str) -> Iterator[Fire]:
    store = f"sqlite:///{folder}/loom.db"
    yield Fire(store, folder, burn_s=burn_s, seed=seed, mutant=mutant, harms=[old_things(store)])


@contextmanager
def _postgres(folder: Path, *, burn_s: float, seed: int, mutant: str) -> Iterator[Fire]:
    with own_server(durable=True) as server:

        def restart(random: Random) -> None:
            server.stop(random.choice(("fast", "immediate")))
            server.start()

        harms = [Harm("PostgreSQL is restarted", restart, "database"), old_things(server.url())]
        yield Fire(server.url(), folder, burn_s=burn_s, seed=seed, mutant=mutant, harms=harms)


if __name__ == "__main__":
    main()
