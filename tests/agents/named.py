"""What a definition names and there is not: tools with their arguments, commands, paths, agents, skills."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import click

from loomstack_mcp.adapters.policy.models import Doc
from loomstack_mcp.cli.main import cli
from tests.agents.definitions import ROOT, agents, skills

Tools = Mapping[str, Mapping[str, Any]]
"""The server's tools by name, with what each takes."""

EXAMPLES = frozenset({"refactor"})
"""Texts in backticks that a reader may choose another for."""
SAID_BESIDE = {"share_context": {"kind", "text"}, "record_outcome": {"summary"}}
"""Required arguments that a definition may leave to the sentence around the call, and to the schema."""

_SPAN = re.compile(r"`([^`\n]+)`")
_CALL = re.compile(r"\b([a-z]+(?:_[a-z]+)+)\(")
_WORD = re.compile(r"(?<![\w`-])[a-z]+(?:_[a-z]+)+(?![\w(])")
_TEXT = re.compile(r'"([^"]*)"')
_CLOSES = {"(": ")", "[": "]", "{": "}", "<": ">"}


def calls(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each `name(argument=value, …)` of a text, with the values as they are written."""
    for found in _CALL.finditer(text):
        parts = (part.partition("=") for part in _parts(text, found.end()))
        yield found[1], {name.strip(): value.strip() for name, _, value in parts}


def wrong_names(text: str, tools: Tools) -> list[str]:
    """What a text names and there is not, each in words."""
    wrong = [word for name, given in calls(text) for word in _wrong_call(name, given, tools)]
    known = {*tools, *_properties(tools)}
    wrong += [f"{word} is no tool and no argument" for word in _WORD.findall(_SPAN.sub("", text)) if word not in known]
    spans = [*dict.fromkeys(_SPAN.findall(text))]
    return wrong + [f"`{span}` is nothing that there is" for span in spans if not _is_known(span, known)]


def named_tools(text: str, tools: Tools) -> set[str]:
    """The tools that a text names, called or not."""
    return {word for word in re.findall(r"\w+", text) if word in tools}


def _parts(text: str, start: int) -> list[str]:
    """What stands between the commas of a call, up to where its bracket closes."""
    open_brackets, parts, is_quoted = [")"], [""], False
    for letter in text[start:]:
        is_quoted ^= letter == '"'
        if not is_quoted and letter == open_brackets[-1]:
            open_brackets.pop()
        elif not is_quoted and letter in _CLOSES:
            open_brackets.append(_CLOSES[letter])
        if not open_brackets:
            break
        if letter == "," and len(open_brackets) == 1 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]


def _wrong_call(name: str, given: Mapping[str, str], tools: Tools) -> Iterator[str]:
    if name not in tools:
        yield f"{name}() is no tool"
        return
    takes = tools[name]["properties"]
    for argument, value in given.items():
        if argument not in takes:
            yield f"{name} takes no {argument}"
        else:
            yield from (f"{name}({argument}=…): {wrong}" for wrong in _wrong_value(value, takes[argument]))
    for argument in {*tools[name].get("required", ())} - {*given} - SAID_BESIDE.get(name, set()):
        yield f"{name} needs {argument}"


def _wrong_value(value: str, schema: Mapping[str, Any]) -> Iterator[str]:
    kind = {"[": "array", "{": "object", '"': "string"}.get(value[:1], schema["type"])
    if kind != schema["type"]:
        yield f"{value} is no {schema['type']}"
    elif value.startswith("{"):
        known = schema.get("properties", {})
        yield from (f"it has no {name}" for name in re.findall(r"\w+", value) if name not in known)
    elif "enum" in schema:
        yield from (f"it cannot be {word}" for word in _TEXT.findall(value) if word not in schema["enum"])


def _is_known(span: str, words: set[str]) -> bool:
    first, _, rest = span.partition(" ")
    checks: dict[str, Callable[[str], bool]] = {"loomstack-mcp": _is_command, "git": _is_git}
    if first in checks and rest:
        return checks[first](rest)
    return span in words | EXAMPLES | _own_names() or _is_policy(span) or ("/" in span and (ROOT / span).exists())


@cache
def _own_names() -> set[str]:
    commands = cli.list_commands(click.Context(cli))
    return {*commands, *(one.name for one in [*agents(), *skills()])}


def _is_command(line: str) -> bool:
    """Whether click finds the commands and options of a line; what a person puts in is in capitals or a number."""
    command: click.Command = cli
    for word in line.split():
        context = click.Context(command)
        if word.startswith("-"):
            if not any(word in parameter.opts for parameter in command.params):
                return False
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return False
            command = found
        elif not (word.isupper() or word.isdigit() or _is_topic(command, word)):
            return False
    return True


def _is_topic(command: click.Command, word: str) -> bool:
    return command.name == "help" and (ROOT / f"loomstack_mcp/help/{word}.md").exists()


@cache
def _is_git(line: str) -> bool:
    listed = subprocess.run(["git", "--list-cmds=main"], capture_output=True, text=True, check=True).stdout
    return line.split()[0] in listed.split()


@cache
def _is_policy(span: str) -> bool:
    """Whether policy files have such a key, and such a value of it where one is given."""
    key, _, value = span.partition(": ")
    schema = Doc.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    found = [part["properties"][key] for part in parts if key in part.get("properties", {})]
    return bool(found) and (not value or any(value in one.get("enum", ()) for one in found))


def _properties(tools: Tools) -> Iterator[str]:
    for tool in tools.values():
        for name, inner in tool["properties"].items():
            yield name
            yield from inner.get("properties", ())
