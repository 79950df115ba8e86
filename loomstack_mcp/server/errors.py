"""Errors as a model reads them: one line that says what happened, to what, and what to do next."""

from collections.abc import Iterable, Sequence

INTERNAL = "internal: the call failed and nothing was written; the server's log names the cause"
_SHOWN_MAX = 3
_PROBLEM_CHARS = 120
_BEGINNING_CHARS, _END_CHARS = 400, 150
"""Of an error that repeats what it was given; its end is the next step."""


def error_line(text: str) -> str:
    """The text as one line that is not longer than a reader needs, whatever of the caller's own words is in it."""
    line = " ".join(text.split())
    if len(line) <= _BEGINNING_CHARS + _END_CHARS:
        return line
    return f"{line[:_BEGINNING_CHARS]} … {line[-_END_CHARS:]}"


def refused_arguments(tool: str, wrong: Sequence[tuple[str, str]], known: Iterable[str]) -> str:
    """What is wrong with the arguments of a call, each by its name, and which the tool takes."""
    shown = "; ".join(f"{name}: {why}"[:_PROBLEM_CHARS] for name, why in wrong[:_SHOWN_MAX])
    return f"invalid: {shown}. {tool} takes {', '.join(known)}"
