"""What a page may ask, name by name: everything else is refused, with what it takes instead."""

from collections.abc import Mapping
from typing import get_args

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.records import record

LIMIT_USUAL, LIMIT_MAX = 100, 500
_NUMBER_MAX = 2**63 - 1
_DIGITS_MAX = 19


@record
class PageQuestion:
    """What is asked of one list, or of one thing."""

    about: str = ""
    """A run, or a reference; "" of a list."""
    repo: str = ""
    limit: int = LIMIT_USUAL
    before: int = 0
    since: int = -1
    """Below none: of the latest."""
    state: str = ""


@record
class Taken:
    """What one path takes behind its ?, beside `repo`."""

    names: frozenset[str] = frozenset()
    states: tuple[str, ...] = ()
    """The values of `state`; the first where none is given."""


def page_question(query: Mapping[str, str], taken: Taken, /, *, about: str = "") -> PageQuestion:
    """The question. Raises Invalid, LimitExceeded."""
    names = {"repo", *taken.names, *(["state"] if taken.states else [])}
    if odd := sorted(query.keys() - names):
        raise Invalid(f"this takes no {odd[0][:40]} behind its ?; it takes {', '.join(sorted(names))}")
    state = query.get("state", taken.states[0] if taken.states else "")
    if state and state not in taken.states:
        raise Invalid(f"state is one of {', '.join(taken.states)}")
    if len(repo := query.get("repo", "")) > NAME_CHARS_MAX:
        raise LimitExceeded(f"repo has at most {NAME_CHARS_MAX} characters; `repos` lists what it may be")
    return PageQuestion(
        about=about,
        repo=repo,
        limit=_number(query, "limit", usual=LIMIT_USUAL, least=1, most=LIMIT_MAX),
        before=_number(query, "before", usual=0, least=1, most=_NUMBER_MAX),
        since=_number(query, "since", usual=-1, least=0, most=_NUMBER_MAX),
        state=state,
    )


def closed_set(kind: object, /, *, first: str) -> tuple[str, ...]:
    """The words of a Literal behind the one that is meant where none is given."""
    return (first, *(one for one in get_args(kind) if one != first))


def _number(query: Mapping[str, str], name: str, *, usual: int, least: int, most: int) -> int:
    if name not in query:
        return usual
    text = query[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise Invalid(f"{name} is a whole number, like {name}=50")
    number = int(text)
    if not least <= number <= most:
        raise LimitExceeded(f"{name} is from {least} to {most:,}")
    return number
