"""What a page may ask, name by name: everything else is refused, with what it takes instead."""

import re
from collections.abc import Mapping
from typing import get_args

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import HOUR_MS, NAME_CHARS_MAX, WINDOW_MS
from loomstack_mcp.core.records import record

LIMIT_USUAL, LIMIT_MAX = 100, 500
_NUMBER_MAX = 2**63 - 1
_DIGITS_MAX = 19
_ID = re.compile(r"[a-z]{2,10}_[0-9A-Z]{1,20}")


@record
class PageQuestion:
    """What is asked of one list, or of one thing."""

    about: str = ""
    """A run, or a reference; "" of a list."""
    repo: str = ""
    limit: int = LIMIT_USUAL
    before: str = ""
    """The id of the last that was seen: those before it are asked for."""
    since: int = -1
    """Below none: of the latest."""
    hours: int = 0
    """Back from now; 0 for what is usual."""
    state: str = ""
    answer: str = ""
    full: int = 0
    """1 for all that is kept, not one screen of it."""


@record
class Taken:
    """What one path takes behind its ?, beside `repo`."""

    names: frozenset[str] = frozenset()
    states: tuple[str, ...] = ()
    """The values of `state`; the first where none is given."""
    answers: tuple[str, ...] = ()
    """The same of `answer`."""


def page_question(query: Mapping[str, str], taken: Taken, /, *, about: str = "") -> PageQuestion:
    """The question. Raises Invalid, LimitExceeded."""
    chosen = {name: values for name, values in (("state", taken.states), ("answer", taken.answers)) if values}
    names = {"repo", *taken.names, *chosen}
    if odd := sorted(query.keys() - names):
        raise Invalid(f"this takes no {odd[0][:40]} behind its ?; it takes {', '.join(sorted(names))}")
    told = {name: query.get(name, values[0]) for name, values in chosen.items()}
    for name, value in told.items():
        if value not in chosen[name]:
            raise Invalid(f"{name} is one of {', '.join(chosen[name])}")
    if len(repo := query.get("repo", "")) > NAME_CHARS_MAX:
        raise LimitExceeded(f"repo has at most {NAME_CHARS_MAX} characters; `repos` lists what it may be")
    if (before := query.get("before", "")) and not _ID.fullmatch(before):
        raise Invalid("before is the id of the last row that you have")
    return PageQuestion(
        about=about,
        repo=repo,
        before=before,
        limit=_number(query, "limit", usual=LIMIT_USUAL, least=1, most=LIMIT_MAX),
        since=_number(query, "since", usual=-1, least=0, most=_NUMBER_MAX),
        hours=_number(query, "hours", usual=0, least=1, most=WINDOW_MS // HOUR_MS),
        full=_number(query, "full", usual=0, least=0, most=1),
        **told,
    )


def all_or_one(kind: object, /) -> tuple[str, ...]:
    """`all`, which is meant where nothing is given, or one of the words of a Literal."""
    return ("all", *get_args(kind))


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
