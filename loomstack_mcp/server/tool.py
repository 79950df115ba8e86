"""A tool as models see it: the smallest schema that says all, and errors of one line."""

from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError

_NULL = {"type": "null"}
_SHOWN_MAX = 3
_BEGINNING_CHARS, _END_CHARS = 400, 150
"""Of an error that repeats what it was given; its end is the next step."""


class LoomTool(Tool):
    """A tool that refuses unknown arguments, and whose errors are one line that says what to do."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """The tool's result. Raises ToolError, in one line that says what to do."""
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            raise ToolError(error_line(_shortened(self, error))) from error.__cause__


def loom_tool(function: Callable[..., Any], **options: Any) -> LoomTool:
    """Register a function as a tool with the smallest schema that says all."""
    made = LoomTool.from_function(function, **options)
    assert isinstance(made, LoomTool)
    made.fn_metadata.arg_model.model_config["extra"] = "forbid"
    made.fn_metadata.arg_model.model_rebuild(force=True)
    made.parameters = _compact(made.fn_metadata.arg_model.model_json_schema(by_alias=True))
    assert made.fn_metadata.output_schema is not None, f"{made.name} lost its output schema"
    made.fn_metadata.output_schema = _compact(made.fn_metadata.output_schema)
    made.description = " ".join((function.__doc__ or "").split())
    return made


def error_line(text: str) -> str:
    """The text as one line that is not longer than a reader needs, whatever of the caller's own words is in it."""
    line = " ".join(text.split())
    if len(line) <= _BEGINNING_CHARS + _END_CHARS:
        return line
    return f"{line[:_BEGINNING_CHARS]} … {line[-_END_CHARS:]}"


def _shortened(made: Tool, error: ToolError) -> str:
    if not isinstance(error.__cause__, ValidationError):
        text = str(error).removeprefix(f"Error executing tool {made.name}").removeprefix(": ")
        return text or "internal: the call failed and nothing was written; the server's log names the cause"
    wrong = []
    for problem in error.__cause__.errors(include_url=False, include_input=False)[:_SHOWN_MAX]:
        name = ".".join(str(part) for part in problem["loc"])
        wrong.append(f"{name}: {problem['msg']}"[:120])
    known = ", ".join(made.parameters["properties"])
    return f"invalid: {'; '.join(wrong)}. {made.name} takes {known}"


def _compact(schema: Any, definitions: dict[str, Any] | None = None) -> Any:
    """Without titles, empty defaults, null and references: every character is paid for on every run."""
    if isinstance(schema, list):
        return [_compact(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    definitions = {**(definitions or {}), **schema.get("$defs", {})}
    if "$ref" in schema:
        return _compact(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if len(choices := [choice for choice in schema.get("anyOf", ()) if choice != _NULL]) == 1:
        # A null is taken all the same: models that learned to spell out what is missing send it.
        rest = {name: value for name, value in schema.items() if name != "anyOf"}
        return _compact({**rest, **choices[0]}, definitions)
    compacted = {}
    for name, value in schema.items():
        if name == "properties":  # whose names are arguments, also one that is called title or default
            compacted[name] = {argument: _compact(part, definitions) for argument, part in value.items()}
        elif not _says_nothing(name, value):
            compacted[name] = _compact(value, definitions)
    return compacted


def _says_nothing(name: str, value: Any) -> bool:
    """Whether a model learns nothing from this keyword of a schema."""
    if name == "default":
        return value in (None, "", 0, [], {}, False)
    return name == "$defs" or (name == "title" and isinstance(value, str))
