"""A whole line → its commands, in order, each with the subshells around it and whether it is fed by another.

The grammar is bash's, with its own mistakes: what is known of them is made good in this folder and said where it
is, and what the parser stumbles over makes the line opaque.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from loomstack_mcp.adapters.parse.grammars import syntax_tree
from loomstack_mcp.adapters.parse.nodes import text_of
from loomstack_mcp.adapters.parse.shell.ansi import is_one_string
from loomstack_mcp.adapters.parse.shell.commands import SIMPLE, command_of, owner_of, redirects_among
from loomstack_mcp.adapters.parse.shell.source import has_quoted_delimiter, unfolded
from loomstack_mcp.adapters.parse.shell.words import WordReader
from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.effects import COMMANDS_MAX, LINE_BYTES_MAX
from loomstack_mcp.core.shell.words import Command, Script

PIPES_MAX = 1_000
"""A pipeline that goes wrong costs memory by the square of its length, past any deadline (2 GB at 16,000)."""
SCOPES_MAX = 40
"""Subshells and substitutions within one another."""

_BACKTICKS = re.compile(r"(?<!\\)`([^`]*)`")
# What may stand before the `#` of a comment, by the two bytes before it.
_COMMENTED = re.compile(rb"^$|^[\s;&|()`{]$|[^\\][\s;&|()`{]$")
_PIPES = {"|", "|&"}
_SUBSHELLS = {"subshell", "command_substitution", "process_substitution", "function_definition"}


def parsed_line(line: str, /, *, home: str = "") -> Script:
    """The commands of a line, inner ones too, in the order they stand there.

    A variable that the line sets once, to a text, counts as that text; `~` and `$HOME` as `home`, where given.
    Never raises: a line beyond the limits is cut and says so in `opaque`.
    """
    source = line.encode("utf-8", "surrogatepass")
    # Shells drop a NUL, and would run what is left.
    if len(source) > LINE_BYTES_MAX or line.count("|") > PIPES_MAX or "\0" in line:
        return Script(opaque=("the line is too long to be read, or holds a NUL",), is_cut=True)
    source = unfolded(source)
    root = syntax_tree(source, "bash")
    if root is None:
        return Script(opaque=("the line is too tangled to be read",), is_cut=True)
    return _Walk(source, home).script(root)


@record
class _Place:
    scope: tuple[int, ...] = ()
    is_piped: bool = False


class _Walk:
    """One walk over a tree, on a stack of its own: a line may nest deeper than Python."""

    def __init__(self, source: bytes, home: str) -> None:
        self._source = source
        self._home = home
        self._words = WordReader(source, home)
        self._redirects: dict[int, list[Node]] = {}
        """Of commands that are still to come, by the id of their node: the statement around them holds these."""
        self._scopes = 0

    def script(self, root: Node) -> Script:
        self._words.learn_variables(root)
        opaque = ["it is no shell that can be read"] if root.has_error else []
        commands: list[Command] = []
        # A node is asked for its parent at the cost of its depth, so parents come along.
        is_cut = False
        todo = [(root, root, _Place())]
        while todo:
            node, parent, place = todo.pop()
            if len(place.scope) > SCOPES_MAX or len(commands) > COMMANDS_MAX:
                opaque.append("it is too long or too deep to be read")
                is_cut = True
                break
            commands += self._commands(node, parent, place)
            opaque += self._doubts(node)
            if node.type != "comment":
                todo += [(child, node, self._place(node, child, place)) for child in reversed(node.children)]
        return Script(commands=tuple(commands), opaque=tuple(opaque), is_cut=is_cut)

    def _doubts(self, node: Node) -> Iterator[str]:
        # A `#` after an escaped blank is no comment.
        if node.type == "comment" and not _COMMENTED.search(self._source[: node.start_byte][-2:]):
            yield "it holds a # that may be no comment"
        # The grammar goes on to the next quote where a `\\\\` stands before one, and hides what is between.
        if node.type == "ansi_c_string" and not is_one_string(text_of(node)):
            yield "it holds a $'…' that ends elsewhere"

    def _place(self, node: Node, child: Node, place: _Place) -> _Place:
        # Each part of a pipeline runs in a subshell of its own.
        is_apart = (node.type == "pipeline" and child.is_named) or child.type in _SUBSHELLS
        scope = (*place.scope, self._new_scope()) if is_apart else place.scope
        return _Place(scope=scope, is_piped=place.is_piped or _is_fed(node, child))

    def _new_scope(self) -> int:
        self._scopes += 1
        return self._scopes

    def _commands(self, node: Node, parent: Node, place: _Place) -> Iterator[Command]:
        """What this node runs by itself, not by what is in it."""
        if node.type == "heredoc_body" and not has_quoted_delimiter(parent):
            # The grammar takes backticks in a here-document for text.
            for match in _BACKTICKS.finditer(text_of(node)):
                scope = (*place.scope, self._new_scope())
                for one in parsed_line(match[1], home=self._home).commands:
                    yield replace(one, scope=(*scope, *one.scope))
        elif node.type == "redirected_statement":
            owner, redirects = owner_of(node), redirects_among(node.children)
            if owner.type in SIMPLE:
                self._redirects[owner.id] = redirects
            else:
                yield self._command(redirects, place)
        elif node.type in SIMPLE and parent.type not in SIMPLE:
            parts = node.children if node.type != "variable_assignment" else [node]
            yield self._command([*parts, *self._redirects.pop(node.id, [])], place)

    def _command(self, parts: list[Node], place: _Place) -> Command:
        return command_of(parts, self._words, is_piped=place.is_piped, scope=place.scope)


def _is_fed(node: Node, child: Node) -> bool:
    """Whether a child reads what something else writes: behind a pipe, in `>(…)`, in a block that has a `<`."""
    if child.type == "process_substitution" and text_of(child).startswith(">"):
        return True
    if node.type == "pipeline" and child.is_named:
        # Of `cat <<E | bash` the pipeline begins with its `|`, inside the here-document: its first part is fed too.
        return any(one.type in _PIPES and one.start_byte < child.start_byte for one in node.children)
    return node.type == "redirected_statement" and owner_of(node).type not in SIMPLE and b"<" in (node.text or b"")
