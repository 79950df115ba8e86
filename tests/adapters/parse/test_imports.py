"""Imports of real files, resolved to paths, before and after a change."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from loomstack_mcp.adapters.parse.imports.changed import Imports, changed_imports
from loomstack_mcp.adapters.parse.imports.edges import edges
from loomstack_mcp.adapters.parse.imports.import_map import ImportMap, import_map
from loomstack_mcp.adapters.parse.imports.names import PARSED_BYTES_MAX
from loomstack_mcp.core.policy.boundaries import crossings
from loomstack_mcp.core.policy.rules import Boundaries, Forbid
from tests.conftest import commit_all, git
from tests.deltas import Blobs, landing, tree

LAYERED = Boundaries(
    layers=(("/src/api/**", "/web/api/**", "/api/**"), ("/src/domain/**", "/web/domain/**", "/domain/**")),
    forbid=(Forbid(sources=("/src/domain/**",), targets=("requests",)),),
)
TYPESCRIPT = "web/domain/m.ts"


def covers(patterns: Sequence[str], path: str) -> str:
    below = (pattern for pattern in patterns if path.startswith(pattern.strip("/").removesuffix("**")))
    return next((pattern for pattern in below if pattern.startswith("/")), "")


def found(path: str, content: str, files: Iterable[str] = (), **names: object) -> list[tuple[str, str]]:
    """Target and package of each import, with these files in the repository."""
    known = {path, *files}
    known |= {name.rsplit("/", at)[0] for name in known for at in range(1, name.count("/") + 1)}
    read, parsed = edges(path, content.encode(), known.__contains__, ImportMap(**names))  # type: ignore[arg-type]
    assert parsed
    return [(edge.target, edge.package) for edge in read]


def write(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    commit_all(root)
    return git(root, "rev-parse", "HEAD")


def landed(root: Path, base: str) -> Imports:
    change = landing(root, base, "HEAD")
    there = tree(root, change.after)
    with Blobs(root) as blobs:
        return changed_imports(change.subject, blobs.content, there.holds, import_map(there, blobs.content))


def crossed(root: Path, base: str) -> list[tuple[str, int]]:
    change = landed(root, base)
    return [(one.path, one.line) for one in crossings(LAYERED, change.edges, covers=covers, old=change.old)]


@pytest.mark.parametrize(
    ("statement", "target", "package"),
    [
        ("import src.api.h", "src/api/h.py", "src.api.h"),
        ("import api.h as h", "src/api/h.py", "api.h"),
        ("from src.api.h import Y", "src/api/h.py", "src.api.h.Y"),
        ("from src.api import h as j", "src/api/h.py", "src.api.h"),
        ("from src.api import (h)", "src/api/h.py", "src.api.h"),
        ("from src.api import *", "src/api/__init__.py", "src.api"),
        ("from src import api", "src/api/__init__.py", "src.api"),
        ("from src import ns", "src/ns/__init__.py", "src.ns"),
        ("from . import n", "src/domain/n.py", ""),
        ("from .n import x", "src/domain/n.py", ""),
        ("from ..api.h import Y", "src/api/h.py", ""),
        ("from ..api import missing", "src/api/__init__.py", ""),
        ("from ..gone import x", "src/gone/x", ""),
        ("from .......far import x", "far/x", ""),
        ("from src.gone.deep import x", "src/gone/deep/x", "src.gone.deep.x"),
        ("import requests.adapters", "", "requests.adapters"),
        ("import docs", "", "docs"),
        ("def f():\n    import api.h", "src/api/h.py", "api.h"),
        ("importlib.import_module('src.api.h')", "src/api/h.py", "src.api.h"),
        ("__import__('src.api.h', fromlist=['x'])", "src/api/h.py", "src.api.h"),
    ],
)
def test_python_imports_lead_to_paths(statement: str, target: str, package: str) -> None:
    files = ("src/api/__init__.py", "src/api/h.py", "src/domain/n.py", "src/ns/x.py", "docs/a.md")

    assert found("src/domain/m.py", f"{statement}\n", files) == [(target, package)]


@pytest.mark.parametrize(
    "text", ["import_module(name)", "import_module(f'a.{b}')", "print('os')", "from __future__ import x"]
)
def test_what_is_computed_or_no_import_has_no_edge(text: str) -> None:
    assert found("a.py", f"{text}\n") == []


def test_one_statement_may_hold_several_imports_each_on_its_line() -> None:
    read, _ = edges("a.py", b"import b, c.d\nfrom e import (\n  f,\n  g,\n)\n", {"b.py"}.__contains__, ImportMap())

    assert [(edge.line, edge.package) for edge in read] == [(1, "b"), (1, "c.d"), (3, "e.f"), (4, "e.g")]


def test_a_source_root_around_the_file_is_found() -> None:
    assert found("services/pay/src/a.py", "import pay.b\n", ["services/pay/src/pay/b.py"]) == [
        ("services/pay/src/pay/b.py", "pay.b")
    ]


def test_a_decoy_beside_the_file_hides_neither_package_nor_path() -> None:
    files = ("src/domain/requests.py", "src/domain/src/api/h.py", "src/api/h.py")

    assert found("src/domain/m.py", "import requests\nimport src.api.h\n", files) == [
        ("src/domain/requests.py", "requests"),
        ("src/api/h.py", "src.api.h"),
    ]


@pytest.mark.parametrize(
    ("statement", "target", "package"),
    [
        ("import { h } from '../api/h';", "web/api/h.ts", ""),
        ("import type { H } from '../api/h';", "web/api/h.ts", ""),
        ("import '../api/h.js';", "web/api/h.ts", ""),
        ("import x = require('../api/h');", "web/api/h.ts", ""),
        ("export * from '../api/h';", "web/api/h.ts", ""),
        ("export type { H } from '../api/h';", "web/api/h.ts", ""),
        ("const h = await import(/* lazy */ `../api/h`);", "web/api/h.ts", ""),
        ("const h = require('../api/h');", "web/api/h.ts", ""),
        ("type H = import('../api/h').H;", "web/api/h.ts", ""),
        ("import x from '../api';", "web/api/index.tsx", ""),
        ("import x from '../style.css?inline';", "web/style.css", ""),
        ("import x from '../gone/y';", "web/gone/y", ""),
        ("import x from '../../../../out';", "out", ""),
        ("import x from 'lodash/fp';", "", "lodash/fp"),
        ("import x from '@/api/h';", "web/api/h.ts", "@/api/h"),
        ("import x from '@/gone';", "web/gone", "@/gone"),
        ("import x from '@acme/ui/button';", "packages/ui/button.ts", "@acme/ui/button"),
    ],
)
def test_typescript_imports_lead_to_paths(statement: str, target: str, package: str) -> None:
    files = ("web/api/h.ts", "web/api/index.tsx", "web/style.css", "packages/ui/button.ts")
    aliases = (("web", "@/*", "web/*"), ("", "@acme/ui/*", "packages/ui/*"), ("web", "*", "web/*"))

    assert found(TYPESCRIPT, f"{statement}\n", files, aliases=aliases) == [(target, package)]


@pytest.mark.parametrize("text", ["import(`./${x}`)", "require(name)", "other('./x')", "const s = 'import ./x';"])
def test_what_a_script_computes_has_no_edge(text: str) -> None:
    assert found("a.js", f"{text}\n") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", "const x = <T>y; import './b';"),
        ("a.tsx", "const x = <p>hi</p>; import './b';"),
        ("a.jsx", "const x = <p>hi</p>; import './b';"),
        ("a.js", "const x: number = 1; import './b';"),
        ("a.mjs", "import './b'; await f();"),
    ],
)
def test_each_dialect_is_parsed(path: str, text: str) -> None:
    assert found(path, text) == [("b", "")]


def test_go_imports_lead_to_the_folders_of_the_modules() -> None:
    text = 'package a\nimport "fmt"\nimport (\n  x "acme.io/shop/api"\n  . `acme.io/shop/tools/gen/y`\n)\n'
    modules = (("acme.io/shop", ""), ("acme.io/shop/tools", "tools"))

    assert found("domain/m.go", text, go_modules=modules) == [
        ("", "fmt"),
        ("api/doc.go", "acme.io/shop/api"),
        ("tools/gen/y/doc.go", "acme.io/shop/tools/gen/y"),
    ]


def test_what_no_parser_understands_has_no_imports() -> None:
    assert edges("a.rb", b"require 'x'", {""}.__contains__, ImportMap()) == ((), False)


def test_an_old_crossing_that_the_change_does_not_touch_is_not_held_against_it(shop: Path) -> None:
    base = write(shop, {"src/domain/m.py": "from src.api.h import Y\nX = Y\n", "src/api/h.py": "Y = 1\n"})
    write(shop, {"src/domain/m.py": "import os\nfrom src.api.h import Y\nX = Y + 1\n"})

    assert crossed(shop, base) == []


def test_a_new_crossing_is_told_with_its_line(shop: Path) -> None:
    base = write(shop, {"src/domain/m.py": "X = 1\n", "src/api/h.py": "Y = 1\n"})
    write(shop, {"src/domain/m.py": "import os\nfrom ..api import h\nimport requests.adapters\n"})

    assert crossed(shop, base) == [("src/domain/m.py", 2), ("src/domain/m.py", 3)]


def test_a_type_import_of_a_file_that_is_not_there_counts(shop: Path) -> None:
    base = write(shop, {TYPESCRIPT: "export const x = 1;\n"})
    write(shop, {TYPESCRIPT: "import type { H } from '../api/h';\nexport const x = 1;\n"})

    assert crossed(shop, base) == [(TYPESCRIPT, 1)]


def test_a_file_that_moves_into_a_lower_layer_brings_a_crossing(shop: Path) -> None:
    text = "from src.api.h import Y\nA = 1\nB = 2\nC = 3\n"
    base = write(shop, {"src/api/m.py": text, "src/api/h.py": "Y = 1\n"})
    (shop / "src/domain").mkdir()
    git(shop, "mv", "src/api/m.py", "src/domain/m.py")
    commit_all(shop)

    assert crossed(shop, base) == [("src/domain/m.py", 1)]


def test_a_file_that_moves_within_its_layer_brings_none(shop: Path) -> None:
    text = "from src.api.h import Y\nA = 1\nB = 2\nC = 3\n"
    base = write(shop, {"src/domain/m.py": text, "src/api/h.py": "Y = 1\n"})
    git(shop, "mv", "src/domain/m.py", "src/domain/n.py")
    commit_all(shop)

    assert crossed(shop, base) == []


def test_names_are_resolved_by_the_projects_own_files(shop: Path) -> None:
    base = write(
        shop,
        {
            "tsconfig.json": '{ // a "comment"\n "compilerOptions": {"baseUrl": "./web", "paths": {"@/*": ["*"],},},}',
            "packages/ui/package.json": '{"name": "@acme/ui"}',
            "go.mod": "module acme.io/shop\n\ngo 1.22\n",
            "broken/package.json": "[{",
        },
    )
    write(
        shop,
        {
            TYPESCRIPT: "import x from '@/api/h';\nimport y from 'api/k';\n",
            "web/api/k.ts": "import z from '@acme/ui';\n",
            "domain/m.go": 'package m\nimport "acme.io/shop/api"\n',
        },
    )

    assert crossed(shop, base) == [("domain/m.go", 2), (TYPESCRIPT, 1), (TYPESCRIPT, 2)]
    assert "packages/ui/index" in [edge.target for edge in landed(shop, base).edges]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, "def f(:\n", True),
        ("x = 1\n", "def f(:\n", True),
        ("def f(:\n", "def g(:\n", False),
        ("def f(:\n", "x = 1\n", False),
        (None, "print 'python 2'\n", False),
        (None, "x = 1\0\n", True),
    ],
)
def test_a_file_that_can_no_longer_be_parsed_is_told(shop: Path, before: str | None, after: str, told: bool) -> None:
    base = write(shop, {"m.py": before} if before else {})
    write(shop, {"m.py": after})

    assert [one.path for one in landed(shop, base).violations] == (["m.py"] if told else [])


def test_imports_of_a_broken_file_count_as_far_as_they_are_seen(shop: Path) -> None:
    base = write(shop, {"src/domain/m.py": "x = 1\n", "src/api/h.py": "Y = 1\n"})
    write(shop, {"src/domain/m.py": "from src.api.h import Y\n\ndef f(:\n"})

    assert crossed(shop, base) == [("src/domain/m.py", 1)]


def test_a_file_too_large_to_be_parsed_is_told(shop: Path) -> None:
    base = git(shop, "rev-parse", "HEAD")
    write(shop, {"m.py": "x = 1\n" * (PARSED_BYTES_MAX // 6 + 1)})

    [told] = landed(shop, base).violations

    assert "too large to be parsed" in told.text


def test_a_link_in_the_place_of_a_file_has_no_imports(shop: Path) -> None:
    base = git(shop, "rev-parse", "HEAD")
    (shop / "src/a.py").unlink()
    (shop / "src/a.py").symlink_to("b.py")
    commit_all(shop)

    assert landed(shop, base) == Imports()
