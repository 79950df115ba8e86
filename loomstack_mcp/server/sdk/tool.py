"""A tool as models see it: the smallest schema that says all, and errors of one line."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints, is_typeddict

import anyio
import anyio.to_thread
import typing_extensions
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent
from pydantic import ValidationError

from loomstack_mcp.core.errors import LoomError, error_text
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call
from loomstack_mcp.server.errors import INTERNAL, error_line, refused_arguments
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.principals import acting_principal, offers_tool
from loomstack_mcp.server.tools import GUARD
from loomstack_mcp.server.tools.guard import refused_guard

_NULL = {"type": "null"}


class Threads(NamedTuple):
    """On which tools run."""

    calls: anyio.CapacityLimiter
    waits: anyio.CapacityLimiter
    """Of those that wait for others."""


class LoomTool(Tool):
    """A tool that refuses unknown arguments, and whose errors are one line that says what to do."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """The tool's result. Raises ToolError, in one line that says what to do."""
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            if self.name == GUARD and isinstance(error.__cause__, ValidationError):
                body = refused_guard(_shortened(self, error))
                text = TextContent(type="text", text=answers.compact(body))
                return CallToolResult(content=[text], structured_content=body)
            # Of its own kind: by that the SDK knows a crash, and tells the log what was raised.
            raise type(error)(error_line(_shortened(self, error))) from error.__cause__


def loom_tool(face: Face, threads: Threads, function: Callable[..., Any], **options: Any) -> LoomTool:
    """Register a function as a tool with the smallest schema that says all."""
    made = LoomTool.from_function(_on_thread(face, threads, function), context_kwarg="ctx", **options)
    assert isinstance(made, LoomTool)
    made.fn_metadata.arg_model.model_config["extra"] = "forbid"
    made.fn_metadata.arg_model.model_rebuild(force=True)
    made.parameters = _compact(made.fn_metadata.arg_model.model_json_schema(by_alias=True))
    assert made.fn_metadata.output_schema is not None, f"{made.name} lost its output schema"
    made.fn_metadata.output_schema = _compact(made.fn_metadata.output_schema)
    made.description = " ".join((function.__doc__ or "").split())
    return made


def _on_thread(face: Face, threads: Threads, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the SDK calls it: on a thread, told when the client cancels."""

    async def called(*, ctx: Context[Any, Any], **arguments: Any) -> CallToolResult:
        if not offers_tool(acting_principal.get(), function.__name__):
            raise ToolError(
                f"unauthorized: {function.__name__} is no tool for this token; tools/list has those that are"
            )
        over_http = ctx.headers is not None
        call = Call(face, ctx.request_context.meta or {}, over_http=over_http)
        try:
            work: Callable[[], Any] = partial(function, call, **arguments)
            if (telemetry := face.telemetry) is not None:
                from loomstack_mcp.server.tool_spans import told_call  # for those who tell a collector

                work = told_call(
                    telemetry,
                    work,
                    tool=function.__name__,
                    arguments=arguments,
                    meta=ctx.request_context.meta or {},
                    over_http=over_http,
                    request_id=ctx.request_id,
                    header=(ctx.headers or {}).get("traceparent", ""),
                )
            limiter = threads.waits if arguments.get("wait_seconds") else threads.calls
            found = await anyio.to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)
        except LoomError as error:
            raise ToolError(error_text(error)) from None
        finally:
            call.stopped.set()
        body = answers.body(found)
        return CallToolResult(content=[TextContent(type="text", text=answers.compact(body))], structured_content=body)

    asked = inspect.signature(function, eval_str=True)
    _, *declared = asked.parameters.values()
    arguments = [one.replace(annotation=_readable(one.annotation)) for one in declared]
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Context[Any, Any])
    answer = Annotated[CallToolResult, _readable(asked.return_annotation)]
    vars(called)["__signature__"] = inspect.Signature([*arguments, context], return_annotation=answer)
    called.__name__, called.__doc__ = function.__name__, function.__doc__
    return called


def _readable(kind: Any) -> Any:
    """A type without `typing.TypedDict`, which pydantic reads from Python 3.12 on; the other's module costs 10 ms."""
    if is_typeddict(kind):
        fields = {name: _readable(hint) for name, hint in get_type_hints(kind).items()}
        return typing_extensions.TypedDict(kind.__name__, fields, total=kind.__total__)  # type: ignore[operator]  # made
    return reduce(or_, map(_readable, get_args(kind))) if isinstance(kind, UnionType) else kind


def _shortened(made: Tool, error: ToolError) -> str:
    if not isinstance(error.__cause__, ValidationError):
        text = str(error).removeprefix(f"Error executing tool {made.name}").removeprefix(": ")
        return text or INTERNAL
    problems = error.__cause__.errors(include_url=False, include_input=False)
    wrong = [(".".join(str(part) for part in problem["loc"]), problem["msg"]) for problem in problems]
    return refused_arguments(made.name, wrong, made.parameters["properties"])


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
    told = {name: value for name, value in schema.items() if not _says_nothing(name, value)}
    # The names of properties are arguments, also one that is called title or default.
    return {
        name: _compact_each(value, definitions) if name == "properties" else _compact(value, definitions)
        for name, value in told.items()
    }


def _compact_each(properties: Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {argument: _compact(part, definitions) for argument, part in properties.items()}


def _says_nothing(name: str, value: Any) -> bool:
    """Whether a model learns nothing from this keyword of a schema."""
    if name == "default":
        return value in (None, "", 0, [], {}, False)
    return name == "$defs" or (name == "title" and isinstance(value, str))
