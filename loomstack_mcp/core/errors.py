"""What can go wrong, as exceptions with a code; the codes are listed in ARCHITECTURE.md."""

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from typing import ClassVar, Literal

    Code = Literal[
        "invalid",
        "not_found",
        "paused",
        "lease_lost",
        "limit_exceeded",
        "policy_error",
        "store_unavailable",
        "unauthorized",
    ]


class LoomError(Exception):
    """The caller's plan cannot continue. The message says what happened, to which id, and the next step."""

    code: "ClassVar[Code]"


class Invalid(LoomError):
    """An argument that cannot be right, whoever calls."""

    code = "invalid"


class NotFound(LoomError):
    """An id that the store does not know."""

    code = "not_found"


class LeaseLost(LoomError):
    """The caller's hold ended by time, so somebody else may hold the paths by now."""

    code = "lease_lost"


class LimitExceeded(LoomError):
    """More than a named limit of `core/limits.py`."""

    code = "limit_exceeded"


class Paused(LoomError):
    """A person switched LoomStack off here for a while, so that nothing is checked: no answer would be true."""

    code = "paused"


class PolicyError(LoomError):
    """A set of policies that does not load. One problem a line, each `file:line: key: what is wrong`."""

    code = "policy_error"


class StoreUnavailable(LoomError):
    """The store cannot answer, or could not keep the change. Nothing was half-written."""

    code = "store_unavailable"


class OlderStore(StoreUnavailable):
    """The store is of an earlier version, and whoever opened it is not to upgrade it."""


class Unauthorized(LoomError):
    """The id belongs to another caller."""

    code = "unauthorized"


def error_text(error: Exception, /) -> str:
    """An error with its code. Of one that nobody foresaw only the kind: its text may hold anything."""
    return f"{error.code}: {error}" if isinstance(error, LoomError) else f"internal: {type(error).__name__}"
