"""What a call needs of the rest of the house: imported when the first one comes, and each tool with its first call."""

from typing import Any

from loomstack_mcp.core.errors import LoomError, NotFound, error_text
from loomstack_mcp.edge.here import Here
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call
from loomstack_mcp.server.errors import INTERNAL, error_line, refused_arguments
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.front.arguments import WrongArguments, checked_arguments
from loomstack_mcp.server.front.calls import Running
from loomstack_mcp.server.front.failures import log_error
from loomstack_mcp.server.front.listening import Listening
from loomstack_mcp.server.front.messages import Json, NotKnown
from loomstack_mcp.server.front.wire import Wire
from loomstack_mcp.server.tools import GUARD, tool_function

_URI_CHARS_MAX = 1_000
"""Longer than any that is; the SDK matches none that is very long."""
_NOT_FOUND, _FAILED = -32602, -32603
"""Codes of the protocol for a resource that is not there, and for one that cannot be read now."""


class Worker:
    """The face of this process, and what messages ask of it. It returns results as the protocol spells them."""

    def __init__(self, here: Here, wire: Wire) -> None:
        self.face = Face(here)
        self.listening = Listening(self.face, wire)

    def called(self, running: Running, tool: str, schema: Json, arguments: Json, meta: Json) -> Json:
        """The result of a tool call; an error is one line that says what to do."""
        if (telemetry := self.face.telemetry) is None:
            return self._called(running, tool, schema, arguments, meta)
        from loomstack_mcp.core.conventions import PIPE, TOOL_ERROR  # for those who tell a collector
        from loomstack_mcp.server.tool_spans import tool_span

        with tool_span(telemetry, tool, arguments, meta, transport=PIPE, request_id=running.id) as span:
            result = self._called(running, tool, schema, arguments, meta)
            if result["isError"]:
                span.failed(TOOL_ERROR)
            else:
                span.answered(tool, arguments, result["structuredContent"])
            return result

    def _called(self, running: Running, tool: str, schema: Json, arguments: Json, meta: Json) -> Json:
        try:
            given = checked_arguments(schema, arguments)
            call = Call(self.face, meta)
            running.stop = call.stopped.set
            if running.cancelled:
                call.stopped.set()
            body = answers.body(tool_function(tool)(call, **given))
        except WrongArguments as error:
            why = refused_arguments(tool, error.wrong, schema["properties"])
            return _guarded(why) if tool == GUARD else _failed(why)
        except LoomError as error:
            return _failed(error_text(error))
        except Exception as error:  # noqa: BLE001 the call's last handler: its text stays on the server
            log_error(error)
            return _failed(INTERNAL)
        return _shown(body)

    def resource(self, uri: str) -> Json:
        """A resource, or the error as the protocol has it."""
        from loomstack_mcp.server import resources  # what few sessions ask for

        try:
            run = uri.removeprefix(resources.ONE_RUN)
            text = self.face.work(
                lambda: resources.listed(self.face, uri) if run == uri else resources.one_run(self.face, run)
            )
        except LoomError as error:
            code = _NOT_FOUND if isinstance(error, NotFound) else _FAILED
            return {"error": {"code": code, "message": error_line(error_text(error)), "data": {"uri": uri}}}
        except Exception as error:  # noqa: BLE001 the request's last handler: its text stays on the server
            log_error(error)
            return {"error": {"code": _FAILED, "message": INTERNAL, "data": {"uri": uri}}}
        return {"contents": [{"uri": uri, "mimeType": "application/json", "text": text}]}


def known_resource(uri: Any) -> str:
    """The address of a resource that there is, or could be. Raises NotKnown."""
    from loomstack_mcp.server.resources import LISTS, ONE_RUN  # what few sessions ask for

    if not isinstance(uri, str) or len(uri) > _URI_CHARS_MAX:
        raise NotKnown
    run = uri.removeprefix(ONE_RUN)
    if uri not in LISTS and (run == uri or not (run.isascii() and run.replace("_", "").isalnum())):
        raise NotKnown
    return uri


def _guarded(why: str) -> Json:
    from loomstack_mcp.server.tools.guard import refused_guard  # what only a session with these hooks loads

    return _shown(refused_guard(why))


def _shown(body: Json) -> Json:
    text = {"type": "text", "text": answers.compact(body)}
    return {"content": [text], "structuredContent": body, "isError": False}


def _failed(text: str) -> Json:
    return {"content": [{"type": "text", "text": error_line(text)}], "isError": True}
