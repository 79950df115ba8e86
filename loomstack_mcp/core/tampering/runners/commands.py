"""The commands that run tests in CI files, Makefiles, tox files and package scripts."""

import json
import re
from collections.abc import Iterator

from loomstack_mcp.core.tampering.runners.command_lines import RunnerCommand, commands_in_line
from loomstack_mcp.core.tampering.runners.workflows import workflow_commands

_TARGET = re.compile(r"([\w.-]+)\s*::?(?!=)")


def commands_of(path: str, text: str) -> Iterator[RunnerCommand]:
    """All commands of a file that run tests; empty where the file is none that holds commands."""
    name = path.rsplit("/", 1)[-1]
    if name == "package.json":
        yield from _script_commands(path, text)
    elif re.search(r"\.ya?ml$", name):
        yield from workflow_commands(path, text)
    elif name.lower().endswith("makefile"):
        yield from _recipe_commands(path, text)
    elif name == "tox.ini":
        yield from _environment_commands(path, text)


def places_of(path: str, text: str) -> frozenset[str]:
    """The targets, environments or scripts that a file names, whether they run tests or not."""
    name = path.rsplit("/", 1)[-1]
    if name == "package.json":
        return frozenset(_named_scripts(text))
    if name.lower().endswith("makefile"):
        return frozenset(found[1] for line in text.splitlines() if (found := _TARGET.match(line)))
    return frozenset(re.findall(r"(?m)^\[(testenv[^\]]*)\]", text)) if name == "tox.ini" else frozenset()


def _recipe_commands(path: str, text: str) -> Iterator[RunnerCommand]:
    target = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _TARGET.match(line)
        target = found[1] if found else target
        if line.startswith("\t"):
            # Of make's prefixes `-` ignores the result; `@` and `+` have to do with printing and `make -n`.
            bare = line.strip().lstrip("@+")
            recipe = bare.lstrip("-@+")
            yield from commands_in_line(recipe, path, number, muted=bare.startswith("-"), place=target)


def _environment_commands(path: str, text: str) -> Iterator[RunnerCommand]:
    section, key, ignored = "", "", False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            section, key, ignored = line.strip().strip("[]"), "", False
        elif found := re.match(r"(\w+)\s*=\s*(.*)", line):
            key, line = found[1], found[2]
            ignored = ignored or (key == "ignore_outcome" and line.strip().lower() in ("true", "1"))
        if key.startswith("commands") and section.startswith("testenv"):
            # tox ignores the result of a command behind `- `.
            bare = line.strip()
            muted = ignored or bare.startswith("- ")
            yield from commands_in_line(bare.lstrip("- "), path, number, muted=muted, place=section)


def _script_commands(path: str, text: str) -> Iterator[RunnerCommand]:
    for key, value in _named_scripts(text).items():
        if re.search(r"test|check|\bci\b", key):
            line = 1 + text[: text.find(json.dumps(key))].count("\n")
            yield from commands_in_line(value, path, line, muted=False, place=key)


def _named_scripts(text: str) -> dict[str, str]:
    try:
        scripts = json.loads(text).get("scripts", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {key: one for key, one in scripts.items() if isinstance(one, str)} if isinstance(scripts, dict) else {}
