"""One simple command from the nodes that it is made of: words, assignments, redirections, standard input."""

import re
from collections.abc import Sequence

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import text_of
from loomstack_mcp.adapters.parse.shell.source import has_quoted_delimiter
from loomstack_mcp.adapters.parse.shell.words import REDIRECTS, WordReader
from loomstack_mcp.core.shell.words import Command, Word

SIMPLE = {"command", "declaration_command", "unset_command", "variable_assignment", "variable_assignments"}
"""The nodes that are commands, none of them within another."""
_EXPANDS = re.compile(r"(?<!\\)(?:\\\\)*[$`]")


def command_of(parts: Sequence[Node], reader: WordReader, *, is_piped: bool, scope: tuple[int, ...]) -> Command:
    """The command that these nodes are, redirections among them."""
    words = reader.words(parts)
    redirects: list[tuple[str, Word]] = []
    stdin = None
    for part in redirects_among(parts):
        if part.type == "file_redirect":
            targets, stray = _file_redirect(part, reader)
            redirects += targets
            words += stray
        elif part.type == "heredoc_redirect":
            stdin = _heredoc(part)
            words += reader.words(part.children_by_field_name("argument"))
        else:
            stdin = next(iter(reader.words(part.named_children)), None)
    return Command(
        words=tuple(words),
        assignments=tuple(reader.assignment(part) for part in parts if part.type == "variable_assignment"),
        redirects=tuple(redirects),
        stdin=stdin,
        is_piped=is_piped,
        scope=scope,
    )


def owner_of(statement: Node) -> Node:
    """Whose redirections these are; the grammar puts `a && b >f` around both."""
    owner = statement.child_by_field_name("body") or statement
    while owner.type in {"list", "negated_command"} and owner.named_children:
        owner = owner.named_children[-1]
    return owner


def redirects_among(nodes: Sequence[Node]) -> list[Node]:
    """Those among the nodes, and those on the line of a here-document, which are inside it."""
    found = [node for node in nodes if node.type in REDIRECTS]
    return [one for node in found for one in (node, *redirects_among(_inner(node)))]


def _inner(redirect: Node) -> Sequence[Node]:
    return redirect.children if redirect.type != "file_redirect" else ()


def _file_redirect(node: Node, reader: WordReader) -> tuple[list[tuple[str, Word]], list[Word]]:
    """Operator and target, none where a descriptor is closed (`>&-`); and words that are the command's own."""
    operator = next(child.type for child in node.children if child.type != "file_descriptor")
    number = next((child for child in node.children if child.type == "file_descriptor"), None)
    # The grammar takes the `-f` of `-f>log` for a number.
    stray = reader.words([number]) if number and not text_of(number).isdigit() else []
    # The grammar takes the words that follow a redirection for more targets of it.
    nodes = node.children_by_field_name("destination")
    taken = 0 if operator.endswith("-") else 1
    # Of `> {a,b}` both are targets, as in zsh; bash refuses it.
    targets = reader.words(nodes[:taken])
    return [(operator, target) for target in targets], [*stray, *reader.words(nodes[taken:])]


def _heredoc(redirect: Node) -> Word:
    text = "".join(text_of(child) for child in redirect.children if child.type == "heredoc_body")
    is_opaque = not has_quoted_delimiter(redirect) and _EXPANDS.search(text) is not None
    return Word(text="" if is_opaque else text, is_opaque=is_opaque)
