"""The rooms of the package, each file with the first line of its docstring: a part of ARCHITECTURE.md."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "ARCHITECTURE.md"
BEGIN = "<!-- rooms: written by `python -m tests.house --rooms` -->"
END = "<!-- end of rooms -->"
_WIDTH = 120
_NAME = 26


def plan_with_rooms(plan: str) -> str:
    """The text of ARCHITECTURE.md with the rooms as they are now. Raises ValueError where it has no place for them."""
    before, begin, rest = plan.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"ARCHITECTURE.md lacks the line {BEGIN!r} or {END!r}")
    return f"{before}{BEGIN}\n\n{rooms(ROOT / 'loomstack_mcp')}\n\n{END}{after}"


def rooms(package: Path) -> str:
    """Folders and files, indented as code, in the order of their names."""
    return "\n".join(_room(package, 0))


def _room(folder: Path, depth: int) -> Iterator[str]:
    yield from _entry(f"{folder.name}/", _purpose(folder / "__init__.py"), depth)
    files = sorted(path for path in folder.glob("*.py") if path.name not in ("__init__.py", "__main__.py"))
    for file in files:
        yield from _entry(file.name, _purpose(file), depth + 1)
    for below in sorted(path.parent for path in folder.glob("*/__init__.py")):
        yield from _room(below, depth + 1)


def _entry(name: str, purpose: str, depth: int) -> Iterator[str]:
    head = f"    {'  ' * depth}{name}"
    first, *more = textwrap.wrap(purpose, _WIDTH - _NAME - 4 - 2 * depth) or [""]
    yield f"{head:<{_NAME + 4 + 2 * depth}}{first}".rstrip()
    yield from (f"{'':<{_NAME + 4 + 2 * depth}}{line}" for line in more)


def _purpose(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0].rstrip(".")
