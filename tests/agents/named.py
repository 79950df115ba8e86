"""What a definition names and there is not: tools, their arguments and values, and what it has in backticks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.agents.spans import is_known

Tools = Mapping[str, Mapping[str, Any]]
"""The server's tools by name, with what each takes."""

SAID_BESIDE = {"share_context": {"kind", "text"}, "record_outcome": {"summary"}}
"""Required arguments that a definition may leave to the sentence around the call, and to the schema."""

_SPAN = re.compile(r"`([^`\n]+)`")
_CALL = re.compile(r"\b([a-z]+(?:_[a-z]+)+)\(")
_WORD = re.compile(r"(?<![\w`-])[a-z]+(?:_[a-z]+)+(?![\w(])")
_TEXT = re.compile(r'"([^"]*)"')
_GIVEN = re.compile(r'\b([a-z_]+)="([^"]*)"')
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
    wrong += [
        f'{name}="{value}" is of no tool' for name, value in _GIVEN.findall(text) if not _takes(tools, name, value)
    ]
    spans = [*dict.fromkeys(_SPAN.findall(text))]
    return wrong + [f"`{span}` is nothing that there is" for span in spans if not is_known(span, known)]


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


def _takes(tools: Tools, name: str, value: str) -> bool:
    """Whether any tool takes that value; a call may go on in the sentence behind it."""
    taken = [tool["properties"][name] for tool in tools.values() if name in tool["properties"]]
    return any(value in schema.get("enum", (value,)) for schema in taken)


def _properties(tools: Tools) -> Iterator[str]:
    for tool in tools.values():
        for name, inner in tool["properties"].items():
            yield name
            yield from inner.get("properties", ())
