"""Imports of Python, TypeScript, JavaScript and Go files, as edges between paths of the repository."""

import ast
import json
import posixpath
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from loomstack_mcp.adapters.git.blobs import FileTree
from loomstack_mcp.core.policy.boundaries import Edge
from loomstack_mcp.core.policy.content import Contents
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, FileDelta, Subject
from loomstack_mcp.core.policy.violations import Violation

PARSED_BYTES_MAX = 1_000_000
"""A hostile file of this size costs seconds; a larger one is a violation."""
_PROJECT_FILES_MAX = 200
_PYTHON = """
(import_statement name: [(dotted_name) @module (aliased_import name: (dotted_name) @module)])
(import_from_statement) @from
(call function: [(identifier) (attribute)] @called arguments: (argument_list . (string) @literal))
"""
_SCRIPT = """
(import_statement source: (string) @path)
(export_statement source: (string) @path)
(call_expression function: (import) arguments: (arguments [(string) (template_string)] @path))
(call_expression function: (identifier) @called arguments: (arguments [(string) (template_string)] @literal))
"""
_QUERIES = {
    "python": _PYTHON,
    "javascript": _SCRIPT,
    "typescript": f"{_SCRIPT}(import_require_clause source: (string) @path)",
    "tsx": f"{_SCRIPT}(import_require_clause source: (string) @path)",
    "go": "(import_spec path: (_) @path)",
}
# The second grammar is tried where the first finds errors: types in a .js file, say.
_GRAMMARS = {
    (".py", ".pyi"): ("python",),
    (".ts", ".mts", ".cts"): ("typescript", "tsx"),
    (".tsx",): ("tsx",),
    (".js", ".jsx", ".mjs", ".cjs"): ("javascript", "tsx", "typescript"),
    (".go",): ("go",),
}
_SCRIPTS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")
_CALLED = frozenset({b"require", b"__import__", b"import_module", b"importlib.import_module"})
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')
_MODULE = re.compile(rb'^module\s+"?([^\s"]+)', re.MULTILINE)

Holds = Callable[[str], bool]
"""Whether a path, of a file or a folder, is in the repository."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """What the repository says about names that are no paths."""

    go_modules: tuple[tuple[str, str], ...] = ()
    """Name and folder of each `go.mod`."""
    aliases: tuple[tuple[str, str, str], ...] = ()
    """`paths` and `baseUrl` of each `tsconfig.json` or `jsconfig.json`, and the names of workspaces: the folder
    below which it holds, the pattern with at most one `*`, the path that it stands for."""


@dataclass(frozen=True, kw_only=True)
class Imports:
    """The edges of the changed files, for `crossings`, and what could not be looked at."""

    edges: tuple[Edge, ...] = ()
    old: tuple[Edge, ...] = ()
    """Of the same files before, under their old paths. Both are resolved against what is there afterwards."""
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True)
class _Import:
    line: int
    name: str
    member: str = ""
    """Python's `b` of `from a import b`, which may be a module."""
    level: int = 0


def imports(subject: Subject, contents: Contents, holds: Holds, project: Project) -> Imports:
    """The imports of every file that the change adds, changes or moves, in a language that is understood."""
    found = [_compared(file, contents, holds, project) for file in subject.files if _is_looked_at(file)]
    return Imports(
        edges=tuple(edge for one in found for edge in one.edges),
        old=tuple(edge for one in found for edge in one.old),
        violations=tuple(told for one in found for told in one.violations),
    )


def edges(path: str, content: bytes, holds: Holds, project: Project) -> tuple[tuple[Edge, ...], bool]:
    """The imports of one file, and whether it could be parsed; as far as it could, where it could not.

    A name in a string counts where it is a literal: `import("./x")`, `require("x")`, `import_module("x")`.
    Names that are computed, and escapes within a literal, are not known.
    """
    if not (grammars := _grammars(path)) or len(content) > PARSED_BYTES_MAX:
        return (), False
    read, parsed = _read(content, grammars)
    resolved = {"python": _python, "go": _go}.get(grammars[0], _script)
    return tuple(edge for one in read for edge in resolved(one, path, holds, project)), parsed


def project(tree: FileTree, contents: Contents) -> Project:
    """Read `go.mod`, `tsconfig.json` (without what it extends) and workspaces, of a tree."""
    modules: list[tuple[str, str]] = []
    aliases: list[tuple[str, str, str]] = []
    names = ("go.mod", "tsconfig.json", "jsconfig.json", "package.json")
    wanted = [path for path in tree.entries if posixpath.basename(path) in names]
    for path in sorted(wanted, key=lambda path: path.count("/"))[:_PROJECT_FILES_MAX]:
        mode, blob = tree.entries[path]
        content = contents(blob) if mode not in (LINK, SUBMODULE) else None
        folder, name = posixpath.split(path)
        if name == "go.mod":
            modules += [(match[1].decode("utf-8", "replace"), folder) for match in _MODULE.finditer(content or b"")]
        elif content and len(content) <= PARSED_BYTES_MAX:
            aliases += _workspace(content, folder) if name == "package.json" else _paths(content, folder)
    return Project(go_modules=tuple(modules), aliases=tuple(aliases))


def _is_looked_at(file: FileDelta) -> bool:
    moved = file.path != file.old_path
    return file.is_file and bool(_grammars(file.path)) and (moved or file.has_new_content)


def _compared(file: FileDelta, contents: Contents, holds: Holds, project: Project) -> Imports:
    after = contents(file.blob_after)
    if after is None or len(after) > PARSED_BYTES_MAX:
        text = f"is too large to be parsed for imports ({file.bytes_after} bytes)"
        return Imports(violations=(Violation(text=text, path=file.path),))
    found, parsed = edges(file.path, after, holds, project)
    was_file = file.blob_before.strip("0") and file.mode_before not in (LINK, SUBMODULE)
    before = contents(file.blob_before) if was_file else None
    old, was_parsed = edges(file.old_path, before, holds, project) if before is not None else ((), True)
    told = () if parsed or not was_parsed else (Violation(text="cannot be parsed for imports", path=file.path),)
    return Imports(edges=found, old=tuple(replace(edge, moved_to=file.path) for edge in old), violations=told)


def _grammars(path: str) -> tuple[str, ...]:
    suffix = posixpath.splitext(path)[1].casefold()
    return next((grammars for suffixes, grammars in _GRAMMARS.items() if suffix in suffixes), ())


@cache
def _grammar(name: str) -> tuple[Language, Query]:
    language = Language({
        "python": tree_sitter_python.language,
        "javascript": tree_sitter_javascript.language,
        "typescript": tree_sitter_typescript.language_typescript,
        "tsx": tree_sitter_typescript.language_tsx,
        "go": tree_sitter_go.language,
    }[name]())  # fmt: skip
    return language, Query(language, _QUERIES[name])


def _read(content: bytes, grammars: Sequence[str]) -> tuple[list[_Import], bool]:
    """The imports in the order of the file, by the first grammar without errors, else by the first."""
    roots = []
    for name in grammars:
        language, query = _grammar(name)
        root = Parser(language).parse(content).root_node  # a parser of its own: threads may not share one
        roots.append((root, query))
        if not root.has_error:
            return sorted(_imports(root, query), key=lambda one: one.line), True
    root, query = roots[0]
    # The grammar lags behind the language; the language itself has the last word.
    parsed = grammars[0] == "python" and _is_python(content)
    return sorted(_imports(root, query), key=lambda one: one.line), parsed


def _is_python(content: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _imports(root: Node, query: Query) -> Iterator[_Import]:
    for _, captured in QueryCursor(query).matches(root):
        for node in captured.get("from", ()):
            yield from _from(node)
        for node in captured.get("module", ()):
            yield _Import(_line(node), _dotted(node))
        called = captured["called"][0].text if "called" in captured else None
        for node in captured.get("path", captured.get("literal", ()) if called in _CALLED else ()):
            if literal := _literal(node):
                yield _Import(_line(node), literal)


def _from(node: Node) -> Iterator[_Import]:
    module = node.child_by_field_name("module_name")
    if module is None:
        return
    prefix = next((child for child in module.children if child.type == "import_prefix"), None)
    level = (prefix.text or b"").count(b".") if prefix else 0
    dotted = module if level == 0 else next((child for child in module.children if child.type == "dotted_name"), None)
    name = _dotted(dotted) if dotted else ""
    members = node.children_by_field_name("name")
    for member in members:
        imported = member.child_by_field_name("name") or member
        yield _Import(_line(member), name, _dotted(imported), level)
    if not members:
        yield _Import(_line(node), name, "", level)


def _literal(node: Node) -> str:
    """The text of a literal; "" where part of it is computed or escaped."""
    whole = (node.text or b"").decode("utf-8", "replace")
    kinds = {child.type for child in node.named_children}
    found = re.fullmatch(r"[A-Za-z]{0,2}(\"\"\"|'''|[\"'`])(.*)\1", whole, re.DOTALL)
    return found[2] if found and not kinds & {"interpolation", "template_substitution", "escape_sequence"} else ""


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _dotted(node: Node) -> str:
    return ".".join((child.text or b"").decode("utf-8", "replace") for child in node.children if child.is_named)


def _python(one: _Import, path: str, holds: Holds, _: Project) -> Iterator[Edge]:
    """By relative level, or below the roots of sources: the repository, `src`, then the folders around the file."""
    folder = posixpath.dirname(path)
    parts = one.name.split(".") if one.name else []
    spelled = [[*parts, one.member], parts] if one.member else [parts]
    if one.level:
        above = folder.split("/") if folder else []
        start = "/".join(above[: max(0, len(above) - one.level + 1)])
        target = _module([start], spelled, holds) or posixpath.join(start, *spelled[0])
        yield Edge(source_path=path, line=one.line, target=target)
    elif all(parts):
        around = [folder[:at] for at in _slashes(folder)]
        roots = dict.fromkeys(("", "src", *(root for at in around for root in (at, posixpath.join(at, "src")))))
        target = _module(roots, spelled, holds)
        yield Edge(source_path=path, line=one.line, target=target, package=".".join(spelled[0]))


def _module(roots: Iterable[str], spelled: Sequence[Sequence[str]], holds: Holds) -> str:
    """The file of a module; else where it would be in a folder that is there; "" where there is none."""
    roots = tuple(roots)
    places = [posixpath.join(root, *parts) for root in roots for parts in spelled]
    for place in places:
        for file in (f"{place}.py", f"{place}.pyi", f"{place}/__init__.py", f"{place}/__init__.pyi"):
            if holds(file):
                return file
    # A folder without modules of its own bears the name of a package only by chance, `yaml` or `docs`.
    deep = [posixpath.join(root, *parts) for root in roots for parts in spelled if len(parts) > 1]
    for place in deep:
        if holds(place):
            return f"{place}/__init__.py"
    first = spelled[0]
    root = next((root for root in roots if len(first) > 1 and holds(posixpath.join(root, first[0]))), None)
    return "" if root is None else posixpath.join(root, *first)


def _slashes(folder: str) -> Iterator[int]:
    """Where each folder around ends, the outermost first."""
    yield from (match.start() for match in re.finditer("/", folder))
    yield len(folder)


def _script(one: _Import, path: str, holds: Holds, project: Project) -> Iterator[Edge]:
    name = re.sub(r"[?#].*", "", one.name) if one.name[:1] in "./" else one.name
    if name[:1] == "." or name[:1] == "/":
        place = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), name)).lstrip("/")
        yield Edge(source_path=path, line=one.line, target=_file(place, holds) or place)
        return
    places = _aliased(name, path, project)
    target = next((found for place, _ in places if (found := _file(place, holds))), "")
    meant = next((place for place, is_meant in places if is_meant), "")
    yield Edge(source_path=path, line=one.line, target=target or meant, package=name)


def _file(place: str, holds: Holds) -> str:
    """The file that a path without its extension means, or where it would be in a folder; "" for none."""
    stem, suffix = posixpath.splitext(place)
    if suffix and holds(place):
        return place
    # TypeScript's own spelling of a relative import is that of the JavaScript it becomes.
    stems = (place, stem) if suffix in (".js", ".jsx", ".mjs", ".cjs") else (place,)
    for found in stems:
        for extension in _SCRIPTS:
            if holds(found + extension):
                return found + extension
    if not holds(place):
        return ""
    return next((file for extension in _SCRIPTS if holds(file := f"{place}/index{extension}")), f"{place}/index")


def _aliased(name: str, path: str, project: Project) -> list[tuple[str, bool]]:
    """The paths that a name may stand for here, and whether it is meant to, as a `*` alone does not mean all names."""
    found = []
    for scope, pattern, stands in project.aliases:
        head, star, tail = pattern.partition("*")
        if scope and not path.startswith(f"{scope}/"):
            continue
        if star and name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail):
            rest = name[len(head) : len(name) - len(tail)]
            found.append((posixpath.normpath(stands.replace("*", rest, 1)), pattern != "*"))
        elif name == pattern:
            found.append((stands, True))
    return found


def _go(one: _Import, path: str, _: Holds, project: Project) -> Iterator[Edge]:
    """By the longest name of a module; a package is a folder, so a file stands for it."""
    target = ""
    for name, folder in sorted(project.go_modules, key=lambda module: len(module[0])):
        if one.name == name or one.name.startswith(f"{name}/"):
            target = posixpath.normpath(posixpath.join("/", folder, one.name[len(name) + 1 :], "doc.go")).lstrip("/")
    yield Edge(source_path=path, line=one.line, target=target, package=one.name)


def _paths(content: bytes, folder: str) -> Iterator[tuple[str, str, str]]:
    settings = _json(content).get("compilerOptions")
    if not isinstance(settings, dict):
        return
    base = settings.get("baseUrl")
    start = posixpath.join("/", folder, base if isinstance(base, str) else "")
    paths = settings.get("paths")
    spelled = [*paths.items()] if isinstance(paths, dict) else []
    for pattern, places in [*spelled, *([("*", ["*"])] if isinstance(base, str) else [])]:
        for place in places if isinstance(places, list) else ():
            if isinstance(place, str):
                yield folder, pattern, posixpath.normpath(posixpath.join(start, place)).lstrip("/")


def _workspace(content: bytes, folder: str) -> Iterator[tuple[str, str, str]]:
    name = _json(content).get("name")
    if isinstance(name, str) and name and folder:
        yield from (("", name, folder), ("", f"{name}/*", f"{folder}/*"))


def _json(content: bytes) -> dict[str, object]:
    """JSON with comments and trailing commas, as `tsconfig.json` may have them; nothing for what is no object."""
    text = _COMMENT.sub(lambda match: match[1] or "", content.decode("utf-8-sig", "replace"))
    text = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
