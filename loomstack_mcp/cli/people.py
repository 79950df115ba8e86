"""Whom a command is for, said where it is declared: the check for a person and the rule for loops both follow it."""

import functools
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import click

from loomstack_mcp.adapters.client_shell import client_variable
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.errors import Unauthorized

Mark = Literal["deciding", "configuring", "private", "open"]

_Command = TypeVar("_Command", bound=click.Command)
_marks: dict[click.Command, Mark] = {}


def deciding(command: _Command, /) -> _Command:
    """It decides or attests with a person's authority: it refuses without a terminal, and inside a client."""
    return _marked(command, "deciding", person)


def configuring(command: _Command, /) -> _Command:
    """It changes what binds agents: for people and their scripts, which have no terminal. Refuses inside a client."""
    return _marked(command, "configuring", must_not_be_agent)


def private(command: _Command, /) -> _Command:
    """It shows what is a person's own, the settings or the store: the rule keeps loops off it, nothing else does."""
    return _marked(command, "private", None)


def open_to_all(command: _Command, /) -> _Command:
    """Anybody may run it."""
    return _marked(command, "open", None)


class ConfiguringOption(click.Option):
    """An option that makes an open command a configuring one."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """The value. Raises Unauthorized where it is given inside a client."""
        if self.name in opts:
            must_not_be_agent()
        return super().handle_parse_result(ctx, opts, args)


def mark_of(command: click.Command, /) -> Mark | None:
    """What it is marked as; None where nobody has said."""
    return _marks.get(command)


def person() -> str:
    """The person at this terminal. Raises Unauthorized where an agent may be typing.

    On one account this stops accidents, not attackers.
    """
    must_not_be_agent()
    if not sys.stdin.isatty():
        raise Unauthorized("only a person can do this, and there is no terminal; run it in a terminal of your own")
    return principal()


def must_not_be_agent() -> None:
    """Raises Unauthorized inside a client's environment."""
    if inside := client_variable(os.environ):
        raise Unauthorized(
            f"only a person can do this, and {inside} is set, so an agent's client started this; "
            "run it in a terminal of your own"
        )


def _marked(command: _Command, mark: Mark, check: Callable[[], object] | None) -> _Command:
    _marks[command] = mark
    inner = command.callback
    if check and inner:

        @functools.wraps(inner)
        def checked(*arguments: Any, **options: Any) -> Any:
            check()
            return inner(*arguments, **options)

        command.callback = checked
    return command
