"""The words of a command, read from its nodes, with the variables whose value the line itself sets."""

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import text_of
from loomstack_mcp.adapters.parse.shell.ansi import ansi_text
from loomstack_mcp.adapters.parse.shell.braces import braced
from loomstack_mcp.adapters.parse.shell.pieces import WordPiece, add_source, drop_dollar, joined_bare, word_of
from loomstack_mcp.core.shell.words import Word

REDIRECTS = {"file_redirect", "heredoc_redirect", "herestring_redirect"}
_APART = REDIRECTS | {"variable_assignment"}
_QUOTES = {"raw_string", "ansi_c_string", "string"}
_UNKNOWN = {"command_substitution", "arithmetic_expansion", "expansion", "simple_expansion", "array", "ERROR"}
_IN_STRING = re.compile(r"\\([$`\"\\])")
_SPLITS = re.compile(r"[\s*?\[]")
_HERE = {"$PWD", "${PWD}", "$(pwd)", "`pwd`"}
# It counts as one word even without quotes: no name of a ref holds a blank, or begins with `-`.
_REF = re.compile(r"\$\(git (?:branch --show-current|(?:rev-parse|symbolic-ref)(?: [\w@/.=-]+)+)\)")


class WordReader:
    """Reads words out of the nodes of one line."""

    def __init__(self, source: bytes, home: str) -> None:
        self._source = source
        self._home = home
        self._variables: dict[str, str | None] = {"HOME": home or None, "PWD": "."}
        """What each is known to hold; None where that is not known."""

    def learn_variables(self, root: Node) -> None:
        """Learn what variables hold: those that the line sets once, or always to the same."""
        seen: set[str] = set()
        todo = [(root, root)]
        while todo:
            node, parent = todo.pop()
            if node.type == "for_statement" and (variable := node.child_by_field_name("variable")):
                self._variables[text_of(variable)] = None
                seen.add(text_of(variable))
            # Set before a command, it is not yet set when the command's own words are expanded.
            if node.type == "variable_assignment" and parent.type != "command":
                self._learn(*self.assignment(node), seen)
            todo += [(child, node) for child in reversed(node.children)]

    def _learn(self, name: str, value: Word, seen: set[str]) -> None:
        if name.endswith("+"):
            self._variables[name[:-1]] = None
            return
        is_known = not value.is_opaque and not value.is_glob and not name.endswith("]")
        text = value.text if is_known else None
        self._variables[name] = text if name not in seen or self._variables[name] == text else None
        seen.add(name)

    def assignment(self, node: Node) -> tuple[str, Word]:
        """Name and value of `a=b`; of `a+=b` the name ends in `+`."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        operator = "+" if any(child.type == "+=" for child in node.children) else ""
        words = self.words([value]) if value else []
        word = words[0] if len(words) == 1 else Word(text="", is_opaque=value is not None)
        return text_of(name) + operator, word

    def words(self, nodes: Sequence[Node]) -> list[Word]:
        """The words that these siblings are; redirections and assignments among them only part words.

        Of the grammar's nodes only quotes and expansions count, for it loses an escaped blank and a `$` here and there.
        What stands between them is read from the source.
        """
        words: list[list[WordPiece]] = [[]]
        for node, before in zip(nodes, [None, *nodes][: len(nodes)], strict=True):
            if before is not None:
                add_source(words, self._source[before.end_byte : node.start_byte])
            if node.type in _APART:
                words.append([])
            else:
                self._add(words, node)
        return [word_of(one, self._home) for pieces in words if pieces for one in braced(joined_bare(pieces))]

    def _add(self, words: list[list[WordPiece]], node: Node) -> None:
        if node.type in _QUOTES:
            drop_dollar(words[-1])
            words[-1] += self._quoted(node)
        elif node.type == "process_substitution":
            words[-1].append(WordPiece("/dev/fd/63", True))
        elif node.type in _UNKNOWN:
            words[-1].append(self._expansion(node))
        elif not node.children:
            add_source(words, node.text or b"")
        else:
            at = node.start_byte
            for child in node.children:
                add_source(words, self._source[at : child.start_byte])
                self._add(words, child)
                at = child.end_byte

    def _quoted(self, node: Node) -> Iterator[WordPiece]:
        if node.type == "raw_string":
            yield WordPiece(text_of(node)[1:-1], True)
        elif node.type == "ansi_c_string":
            yield WordPiece(ansi_text(text_of(node)), True)
        else:
            yield from self._in_double_quotes(node)

    def _in_double_quotes(self, node: Node) -> Iterator[WordPiece]:
        """The grammar leaves blanks between its children out, so the text between them is taken as well."""
        source, at = node.text or b"", 0
        for child in node.children:
            start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
            yield WordPiece(_unescaped(source[at:start].decode("utf-8", "replace")), True)
            at = end
            if child.type in _UNKNOWN:
                known = self._expanded(child)
                # "$@" is as many words as there are arguments.
                yield WordPiece(known, "@" not in text_of(child) or known is not None)
            else:
                # The closing quote has the blanks before it.
                inner = text_of(child)[:-1] if child.type == '"' else text_of(child)
                yield WordPiece(_unescaped(inner), True)

    def _expansion(self, node: Node) -> WordPiece:
        """An expansion outside quotes, unknown too where the shell would split its value or match it with files."""
        known = self._expanded(node)
        is_split = known is None or _SPLITS.search(known)
        return WordPiece(None if is_split else known, _REF.fullmatch(text_of(node)) is not None)

    def _expanded(self, node: Node) -> str | None:
        text = text_of(node)
        name = text.strip("${}")
        if text in _HERE:
            # Where the line stands at that moment, which `.` says as well.
            return "."
        return self._variables.get(name) if text in {f"${name}", f"${{{name}}}"} else None


def _unescaped(text: str) -> str:
    """Within "…" a backslash quotes only these four, and stays before all others."""
    return _IN_STRING.sub(r"\1", text)
