"""`python -m tests.fire hub --minutes 15 --seed 7`: over both databases, or one; ends with 1 for any finding."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.databases import own_server
from tests.fire.hub import Fire


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fire", description=__doc__)
    parser.add_argument("what", choices=["hub"])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", default="", choices=["", "stale", "blind"])
    parser.add_argument("--database", default="both", choices=["both", "sqlite", "postgres"])
    options = parser.parse_args()
    burn_s, found = options.minutes * 60, list[str]()
    given = {"seed": options.seed, "mutant": options.mutant}
    for database in ("sqlite", "postgres"):
        if options.database not in ("both", database):
            continue
        with tempfile.TemporaryDirectory(prefix="loomstack-fire-") as home:
            if database == "sqlite":
                found += Fire(f"sqlite:///{home}/loom.db", Path(home), burn_s=burn_s, restart=None, **given).burn()
                continue
            with own_server(durable=True) as server:

                def restart() -> None:
                    server.stop()
                    server.start()

                found += Fire(server.url(), Path(home), burn_s=burn_s, restart=restart, **given).burn()
    print("\n".join(found) or f"nothing was found in {options.minutes:g} minutes, seed {options.seed}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
