"""What a definition has in backticks, and whether there is such a thing."""

import subprocess
from collections.abc import Callable, Set
from functools import cache

import click

from loomstack_mcp.adapters.policy.models import Doc
from loomstack_mcp.cli.main import cli
from tests.agents.definitions import ROOT, agents, skills

EXAMPLES = frozenset({"refactor"})
"""Texts in backticks that a reader may choose another for."""


def is_known(span: str, words: Set[str]) -> bool:
    """Whether it is a command, a path, an agent, a skill, a key of a policy file, or one of these words."""
    first, _, rest = span.partition(" ")
    checks: dict[str, Callable[[str], bool]] = {"loomstack-mcp": _is_command, "git": _is_git}
    if first in checks and rest:
        return checks[first](rest)
    return span in EXAMPLES | _own_names() | words or _is_policy(span) or ("/" in span and (ROOT / span).exists())


@cache
def _own_names() -> set[str]:
    commands = cli.list_commands(click.Context(cli))
    return {*commands, *(one.name for one in [*agents(), *skills()])}


def _is_command(line: str) -> bool:
    """Whether click finds the commands and options of a line; what a person puts in is in capitals or a number."""
    command: click.Command = cli
    for word in line.split():
        context = click.Context(command)
        if word.startswith("-"):
            if not any(word in parameter.opts for parameter in command.params):
                return False
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return False
            command = found
        elif not (word.isupper() or word.isdigit() or _is_topic(command, word)):
            return False
    return True


def _is_topic(command: click.Command, word: str) -> bool:
    return command.name == "help" and (ROOT / f"loomstack_mcp/help/{word}.md").exists()


@cache
def _is_git(line: str) -> bool:
    listed = subprocess.run(["git", "--list-cmds=main"], capture_output=True, text=True, check=True).stdout
    return line.split()[0] in listed.split()


@cache
def _is_policy(span: str) -> bool:
    """Whether policy files have such a key, and such a value of it where one is given."""
    key, _, value = span.partition(": ")
    schema = Doc.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    found = [part["properties"][key] for part in parts if key in part.get("properties", {})]
    return bool(found) and (not value or any(value in one.get("enum", ()) for one in found))
