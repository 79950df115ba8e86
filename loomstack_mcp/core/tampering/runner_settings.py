"""What the files that configure test runners and coverage say, whatever their format."""

import ast
import configparser
import json
import re
import shlex
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from loomstack_mcp.core.tampering.python.flow import may_skip
from loomstack_mcp.core.tampering.python.names import last_name

_HOOK_WORDS = {"skip", "skipif", "xfail", "pytest_deselected", "deselected", "outcome", "exitstatus", "clear", "remove"}
_HOSTILE = (ValueError, configparser.Error, RecursionError, MemoryError, SyntaxError, AttributeError, TypeError)
"""What a text that is not of its format, or has other types than its format asks for, raises."""
_OF_TWO_WORDS = {"-k", "-m", "-p", "-W", "--deselect", "--ignore", "--ignore-glob", "--cov-fail-under", "--maxfail"}
_LISTS = {"testpaths", "python_files", "python_classes", "python_functions", "norecursedirs"}
_INI_SECTIONS = {
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "tox.ini": ("pytest", "coverage:run", "coverage:report"),
    "setup.cfg": ("tool:pytest", "pytest", "coverage:run", "coverage:report"),
    ".coveragerc": ("run", "report"),
}
_JS_IGNORES = ("testPathIgnorePatterns", "modulePathIgnorePatterns", "exclude", "ignore")
_JS_FOUND = ("testMatch", "testRegex", "include", "roots", "projects")
_JS_NUMBERS = re.compile(r"\b(branches|functions|lines|statements)\b['\"]?\s*:\s*(-?\d+(?:\.\d+)?)")


@dataclass
class Settings:
    """What is set, by the runners' own names for it."""

    options: set[str] = field(default_factory=set)
    """Words of `addopts`; an option and its value are one, as `-k=not slow`."""
    lists: dict[str, set[str]] = field(default_factory=dict)
    """What is looked at or left out, by the name of the setting."""
    numbers: dict[str, float] = field(default_factory=dict)
    """Coverage that is asked for."""
    strict: set[str] = field(default_factory=set)
    """Settings that make a runner fail more often, as far as they are on."""
    hooks: set[str] = field(default_factory=set)
    """What a conftest does to results and to the list of tests: `pytest_collection_modifyitems: skip`."""
    error: str = ""

    def add(self, other: "Settings") -> None:
        """Both together; of two numbers the last, as when a setting moves from one file to another."""
        self.options |= other.options
        self.strict |= other.strict
        self.hooks |= other.hooks
        self.numbers |= other.numbers
        for name, several in other.lists.items():
            self.lists[name] = self.lists.get(name, set()) | several


def settings_of(path: str, content: bytes) -> Settings:
    """What one file says; without settings where it is none that says anything."""
    name = path.rsplit("/", 1)[-1]
    text = content.decode(errors="replace")
    found = Settings()
    try:
        if name in ("pyproject.toml", "pytest.toml", ".pytest.toml"):
            _toml(tomllib.loads(text), found)
        elif name in _INI_SECTIONS:
            _ini(text, _INI_SECTIONS[name], found)
        elif name == "package.json":
            _package(json.loads(text), found)
        elif name == "conftest.py":
            _conftest(content, found)
        elif re.search(r"(?:jest|vitest|vite)\.config\.|mocharc", name):
            _script(text, found)
    except (
        ValueError,
        configparser.Error,
        RecursionError,
        MemoryError,
        SyntaxError,
        AttributeError,
        TypeError,
    ) as error:
        found.error = type(error).__name__
    return found


def _toml(whole: Mapping[str, Any], found: Settings) -> None:
    tool = whole.get("tool", {})
    pytest = tool.get("pytest", {})
    for table in (pytest.get("ini_options", {}), pytest, whole.get("pytest", {})):
        _pytest(table, found)
    coverage = tool.get("coverage", {})
    _coverage({**coverage.get("run", {}), **coverage.get("report", {})}, found)


def _ini(text: str, sections: tuple[str, ...], found: Settings) -> None:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, inline_comment_prefixes=None)
    parser.read_string(text)
    for section in sections:
        if parser.has_section(section):
            table = dict(parser.items(section))
            if "pytest" in section:
                _pytest(table, found)
            else:
                _coverage(table, found)


def _pytest(table: Mapping[str, Any], found: Settings) -> None:
    found.options |= set(_options(table.get("addopts") or ""))
    for name in _LISTS & table.keys():
        found.lists[name] = set(_several(table[name]))
    for name in ("xfail_strict", "strict", "strict_markers", "strict_config", "strict_xfail"):
        if str(table.get(name, "")).lower() in ("true", "1", "yes", "on"):
            found.strict.add("xfail_strict" if name == "strict_xfail" else name)
    if any(one.strip() == "error" for one in _lines(table.get("filterwarnings") or "")):
        found.strict.add("filterwarnings = error")


def _coverage(table: Mapping[str, Any], found: Settings) -> None:
    if "fail_under" in table:
        found.numbers["fail_under"] = float(table["fail_under"] or 0)
    for name in ("omit", "exclude_lines", "exclude_also"):
        if name in table:
            found.lists["omit" if name == "omit" else "exclude"] = set(_lines(table[name]))


def _options(given: object) -> Iterator[str]:
    words = [str(one) for one in given] if isinstance(given, list) else _words(str(given))
    held = ""
    for word in words:
        if held:
            yield f"{held}={word}"
            held = ""
        elif word in (
            "-k",
            "-m",
            "-p",
            "-W",
            "--deselect",
            "--ignore",
            "--ignore-glob",
            "--cov-fail-under",
            "--maxfail",
        ):
            held = word
        else:
            yield re.sub(r"^(-[kmpW])(?=[^=-])", r"\1=", word)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=False)
    except ValueError:
        return text.split()


def _several(given: object) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else str(given or "").split()


def _lines(given: object) -> list[str]:
    if isinstance(given, list):
        return [str(one) for one in given]
    return [one.strip() for one in re.split(r"[\n,]", str(given or "")) if one.strip()]


def _package(whole: Mapping[str, Any], found: Settings) -> None:
    for name in ("jest", "vitest", "mocha", "nyc", "c8"):
        if isinstance(whole.get(name), dict):
            _script(json.dumps({key: value for key, value in whole[name].items() if key != "env"}), found)


def _script(text: str, found: Settings) -> None:
    """A configuration in JavaScript is searched, not run."""
    text = re.sub(r"(?m)^[ \t]*//.*$", "", text)
    for name in (*_JS_IGNORES, *_JS_FOUND):
        for listed in re.findall(rf"\b{name}['\"]?\s*:\s*(\[[^\]]{{0,5000}}\]|['\"][^'\"]{{0,500}}['\"])", text):
            key = "ignored" if name in _JS_IGNORES else "found"
            found.lists[key] = found.lists.get(key, set()) | {one[1] for one in re.findall(r"(['\"])(.*?)\1", listed)}
    for name, number in _JS_NUMBERS.findall(text):
        found.numbers[name] = max(found.numbers.get(name, 0.0), float(number))
    if re.search(r"passWithNoTests['\"]?\s*:\s*true", text):
        found.options.add("--passWithNoTests")


def _conftest(content: bytes, found: Settings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = ast.parse(content)
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) if name.startswith("pytest_"):
                found.hooks |= {f"{name}: {word}" for word in _said(node) & _HOOK_WORDS}
            case ast.FunctionDef(name=name, decorator_list=marks) if may_skip(node.body) and any(map(_for_all, marks)):
                found.hooks.add("a fixture of all tests: skip")
            case ast.Assign(targets=[ast.Name(id="collect_ignore" | "collect_ignore_glob")], value=value):
                found.lists["ignored"] = found.lists.get("ignored", set()) | _strings(value)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="collect_ignore" | "collect_ignore_glob")), args=args):
                texts = {one for arg in args for one in _strings(arg)}
                found.lists["ignored"] = found.lists.get("ignored", set()) | texts
            case ast.Call() if last_name(node) == "_exit":
                found.hooks.add("conftest: ends the process")


def _said(node: ast.AST) -> set[str]:
    parts = list(ast.walk(node))
    return {one.attr for one in parts if isinstance(one, ast.Attribute)} | {
        one.id for one in parts if isinstance(one, ast.Name)
    }


def _for_all(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and any(one.arg == "autouse" for one in mark.keywords)


def _strings(node: ast.expr) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
