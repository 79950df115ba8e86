"""A replica in which something goes wrong on purpose: `python -m tests.fire.replica MUTANT serve --http …`."""

import sys
from random import Random

from loomstack_mcp.start import main
from tests.fire.mutants import MUTANTS

if __name__ == "__main__":
    MUTANTS[sys.argv.pop(1)](Random(1))
    main()
