"""Files of policy cases, each with the policies that its cases name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.records import record

_BYTES_MAX = 5_000_000


@record
class Suite:
    """One file of cases."""

    policies: Mapping[str, str]
    """The text of each policy file that a case may name, by its stem."""
    cases: Sequence[Mapping[str, Any]]


def suite_of(file: Path) -> Suite:
    """The cases of a file. Raises PolicyError, with file and line, for one that cannot be read or has another shape."""
    raw = _read(file)
    _refuse_other_shapes(file, raw)
    # What a case file says itself goes before what lies beside it.
    return Suite(policies={**_beside(file), **(raw.get("policies") or {})}, cases=raw["cases"])


def _read(file: Path) -> Any:
    import yaml  # 25 ms

    if file.stat().st_size > _BYTES_MAX:
        raise PolicyError(f"{file}:1: has more than {_BYTES_MAX} bytes")
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(f"{file}:{mark.line + 1 if mark else 1}: is no YAML") from None


def _refuse_other_shapes(file: Path, raw: Any) -> None:
    if not isinstance(raw, dict) or not isinstance(raw.get("cases"), list) or raw.get("format") != 1:
        raise PolicyError(f"{file}:1: is no file of cases; it starts with `format: 1` and lists `cases`")
    if not all(isinstance(case, dict) and "id" in case for case in raw["cases"]):
        raise PolicyError(f"{file}:1: each of `cases` is a mapping with an `id`")
    if not isinstance(raw.get("policies", {}), dict | None):
        raise PolicyError(f"{file}:1: `policies` maps a name to the text of a policy file")


def _beside(file: Path) -> dict[str, str]:
    """The policy files that a folder `tests/` stands beside, by stem."""
    folder = file.resolve().parent
    try:
        return {one.stem: one.read_text("utf-8") for one in folder.parent.glob("*.yaml") if folder.name == "tests"}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{folder.parent}:1: a policy file there cannot be read: {error}") from None
