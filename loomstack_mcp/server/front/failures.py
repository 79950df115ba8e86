"""What nobody foresaw: told whole to the server's log, and in one line to whoever waits for an answer."""

import contextlib
import sys

from loomstack_mcp.server.front.messages import Json, RequestId

_INTERNAL_ERROR = -32603


def log_error(error: Exception) -> None:
    """Tell the server's log what went wrong, whole; where nobody reads it any more, nobody is told."""
    import traceback  # what an orderly session needs nothing of

    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("loomstack-mcp: internal:\n" + "".join(traceback.format_exception(error)))
        sys.stderr.flush()


def refused(id: RequestId, why: str, *, code: int = _INTERNAL_ERROR) -> Json:  # noqa: A002 the protocol's word
    """The answer to a request that failed here, by default for a reason of ours."""
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": why}}
