"""The files that configure test runners and coverage, read into one record whatever their format."""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from loomstack_mcp.core.tampering.runners.conftests import read_conftest
from loomstack_mcp.core.tampering.runners.option_words import comma_words, option_words, space_words
from loomstack_mcp.core.tampering.runners.script_settings import read_script
from loomstack_mcp.core.tampering.runners.settings import RunnerSettings

_HOSTILE = (
    *(ValueError, OverflowError, configparser.Error, RecursionError, MemoryError, SyntaxError),
    *(AttributeError, TypeError),
)
"""What a text that is not of its format, or has other types than its format asks for, raises."""
_LISTS = {"testpaths", "python_files", "python_classes", "python_functions", "norecursedirs"}
_STRICT = ("xfail_strict", "strict", "strict_markers", "strict_config", "strict_xfail")
_ON = ("true", "1", "yes", "on")
_INI_SECTIONS = {
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "tox.ini": ("pytest", "coverage:run", "coverage:report"),
    "setup.cfg": ("tool:pytest", "pytest", "coverage:run", "coverage:report"),
    ".coveragerc": ("run", "report"),
}
_SCRIPT_NAME = re.compile(r"(?:jest|vitest|vite)\.config\.|mocharc")


def settings_of(path: str, content: bytes) -> RunnerSettings:
    """What one file says; without settings where it is none that says anything. Never raises: see `error`."""
    settings = RunnerSettings()
    try:
        _read(path.rsplit("/", 1)[-1], content, settings)
    except _HOSTILE as error:
        settings.error = type(error).__name__
    return settings


def _read(name: str, content: bytes, settings: RunnerSettings) -> None:
    if name in _INI_SECTIONS:
        _read_ini(_text(content), _INI_SECTIONS[name], settings)
    elif name in _READERS:
        _READERS[name](content, settings)
    elif _SCRIPT_NAME.search(name):
        read_script(_text(content), settings)


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _read_toml(content: bytes, settings: RunnerSettings) -> None:
    whole = tomllib.loads(_text(content))
    tool = whole.get("tool", {})
    pytest = tool.get("pytest", {})
    # pytest 9 reads `[tool.pytest]` and, in a pytest.toml, `[pytest]`; before there was `ini_options` alone.
    for table in (pytest.get("ini_options", {}), pytest, whole.get("pytest", {})):
        _read_pytest_table(table, settings)
    coverage = tool.get("coverage", {})
    _read_coverage_table({**coverage.get("run", {}), **coverage.get("report", {})}, settings)


def _read_ini(text: str, sections: tuple[str, ...], settings: RunnerSettings) -> None:
    # Raw, because `log_format = %(asctime)s` is no interpolation, and the usual parser raises on it.
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, inline_comment_prefixes=None)
    parser.read_string(text)
    for section in sections:
        if parser.has_section(section):
            table = dict(parser.items(section))
            if "pytest" in section:
                _read_pytest_table(table, settings)
            else:
                _read_coverage_table(table, settings)


def _read_pytest_table(table: Mapping[str, Any], settings: RunnerSettings) -> None:
    settings.options |= set(option_words(table.get("addopts") or ""))
    for name in _LISTS & table.keys():
        settings.lists[name] = set(space_words(table[name]))
    for name in _STRICT:
        if str(table.get(name, "")).lower() in _ON:
            settings.strict.add("xfail_strict" if name == "strict_xfail" else name)
    if any(one.strip() == "error" for one in comma_words(table.get("filterwarnings") or "")):
        settings.strict.add("filterwarnings = error")


def _read_coverage_table(table: Mapping[str, Any], settings: RunnerSettings) -> None:
    if "fail_under" in table:
        settings.numbers["fail_under"] = float(table["fail_under"] or 0)
    for name in ("omit", "exclude_lines", "exclude_also"):
        if name in table:
            settings.lists["omit" if name == "omit" else "exclude"] = set(comma_words(table[name]))


def _read_package(content: bytes, settings: RunnerSettings) -> None:
    whole = json.loads(_text(content))
    for name in ("jest", "vitest", "mocha", "nyc", "c8"):
        if isinstance(whole.get(name), dict):
            read_script(json.dumps({key: value for key, value in whole[name].items() if key != "env"}), settings)


_READERS: dict[str, Callable[[bytes, RunnerSettings], None]] = {
    "pyproject.toml": _read_toml,
    "pytest.toml": _read_toml,
    ".pytest.toml": _read_toml,
    "package.json": _read_package,
    "conftest.py": read_conftest,
}
