"""The figures of an evaluation, shown: a line each, or as JSON."""

import json
from collections.abc import Sequence

Row = dict[str, object]


def show(table: Sequence[Row], *, as_json: bool) -> None:
    """Print the rows; what is no figure (lists of misses) only in JSON."""
    if as_json:
        print(json.dumps(table, indent=1))
        return
    for row in table:
        print("  ".join(f"{name} {value}" for name, value in row.items() if not isinstance(value, list | dict)))


def share(part: int, whole: int) -> str:
    """A part of a whole, with its n: `7 of 8 (0.88)`."""
    return f"{part} of {whole}" + (f" ({part / whole:.2f})" if whole else "")
