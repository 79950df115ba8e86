"""Names that a stranger reads right: an action or an answer with its noun, and one meaning for each name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "loomstack_mcp"
BARE = frozenset(
    "asked found given kept known lay lift named one opened read said saved shown told used".split()  # noqa: SIM905
)
"""They say that something was done, and not to what."""
SEAM = {
    "store.base.Store.read": "the pair of `write`, and its noun is the store",
    "store.sqlite.backend.SqliteStore.read": "the same door of the one backend",
    "store.postgres.backend.PostgresStore.read": "the same door of the other one",
    "store.listeners.ToldStore.read": "the same door, told of",
}
CLIENTS = ("core.clients.claude", "core.clients.codex")
ENTRY_POINTS = ("cli.main", "hooks.main", "start")
SCHEMA, RECORDS = "adapters.policy.models", "core.policy.rules"
PAIRS = {
    "action": (CLIENTS, "both read a hook's payload; the hook picks one by the client's name"),
    "main": (ENTRY_POINTS, "what a console script calls is called so"),
}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, kw_only=True)
class Name:
    """A public name of a module, of a class with the class before it."""

    module: str
    """Without the package."""
    name: str
    is_command: bool = False
    """Whether click made a command of it: people type its name, nothing imports it."""
    is_top: bool = True


def names(source: str, module: str) -> Iterator[Name]:
    """The public functions, classes and type aliases of a module, and the methods of its public classes."""
    for node in ast.parse(source).body:
        if isinstance(node, _Definition) and not node.name.startswith("_"):
            yield Name(module=module, name=node.name, is_command=_is_command(node))
            if isinstance(node, ast.ClassDef):
                yield from _methods(node, module)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from (Name(module=module, name=alias) for alias in _aliases(node))


def bare(found: list[Name]) -> list[str]:
    """Functions and methods that are called by a bare participle or pronoun."""
    places = (f"{name.module}.{name.name}" for name in found if name.name.rpartition(".")[2] in BARE)
    return sorted(place for place in places if place not in SEAM)


def with_two_meanings(found: list[Name]) -> list[str]:
    """Names that modules give to different things."""
    modules: dict[str, set[str]] = defaultdict(set)
    for name in found:
        if name.is_top and not name.is_command:
            modules[name.name].add(name.module)
    return sorted(f"{name}: {', '.join(sorted(where))}" for name, where in modules.items() if not _one(name, where))


@pytest.fixture(scope="module")
def ours() -> list[Name]:
    found: list[Name] = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)
        found += names(path.read_text(encoding="utf-8"), module)
    return found


def test_what_is_public_is_called_with_its_noun(ours: list[Name]) -> None:
    assert bare(ours) == []


def test_one_public_name_has_one_meaning(ours: list[Name]) -> None:
    assert with_two_meanings(ours) == []


def test_every_exception_is_still_needed(ours: list[Name]) -> None:
    places = {f"{name.module}.{name.name}" for name in ours}
    pairs = {f"{module}.{name}" for name, (modules, _) in PAIRS.items() for module in modules}

    assert (set(SEAM) | pairs) - places == set()


def test_names_are_read_from_the_source() -> None:
    source = """
import click

LIMIT = 3
Row = dict[str, str]
Pair: TypeAlias = tuple[str, str]

@click.command()
def told(): ...

@group.command(name="x")
def check(): ...

async def found(): ...

def _kept():
    def opened(): ...

class Shop:
    name = ""
    def read(self):
        def shown(): ...
    def _said(self): ...

class _Till:
    def used(self): ...
"""
    found = list(names(source, "shop"))

    assert [name.name for name in found] == ["Row", "Pair", "told", "check", "found", "Shop", "Shop.read"]
    assert [name.name for name in found if name.is_command] == ["told", "check"]
    assert bare(found) == ["shop.Shop.read", "shop.found", "shop.told"]


def test_two_modules_may_not_mean_two_things_by_one_name() -> None:
    def of(module: str, *called: str) -> list[Name]:
        return [Name(module=module, name=name) for name in called]

    found = of(SCHEMA, "Who", "Doc") + of(RECORDS, "Who", "Rule") + of("a", "Doc", "main") + of("cli.main", "main")
    found += [Name(module="cli.a", name="Rule", is_command=True), Name(module="b", name="Doc.Rule", is_top=False)]

    assert with_two_meanings(found) == [f"Doc: a, {SCHEMA}", "main: a, cli.main"]


def _one(name: str, where: set[str]) -> bool:
    # A policy file's parts bear the names of its schema, and become the records of the same name.
    return len(where) == 1 or where == {SCHEMA, RECORDS} or where == set(PAIRS.get(name, ((), ""))[0])


def _methods(node: ast.ClassDef, module: str) -> Iterator[Name]:
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
            yield Name(module=module, name=f"{node.name}.{inner.name}", is_top=False)


def _is_command(node: _Definition) -> bool:
    written = (ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list)
    return any(name.rpartition(".")[2] in ("command", "group") for name in written)


def _aliases(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    """Public names in CapWords: types. Constants, in capitals, are spoken of with their module."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name) and target.id[0].isupper() and not target.id.isupper():
            yield target.id
