"""A shell line, parsed with tree-sitter into the plain records that the core reads (core/policy/commands.py).

The grammar is bash's, with its own mistakes: what is known of them is made good here and said where it is,
and what the parser stumbles over makes the line opaque.
"""

import re
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from loomstack_mcp.core.shell.effects import COMMANDS_MAX, LINE_BYTES_MAX
from loomstack_mcp.core.shell.words import Command, Script, Word

PARSE_SECONDS_MAX = 0.3
PIPES_MAX = 1_000
"""A pipeline that goes wrong costs memory by the square of its length, past any deadline (2 GB at 16,000)."""
SCOPES_MAX = 40
"""Subshells and substitutions within one another."""
BRACED_MAX = 64
"""Words that one word may become by its braces."""

_LANGUAGE = Language(tree_sitter_bash.language())
_JOIN = re.compile(rb"(?<!\\)(?:\\\\)*\\\n")
_ESCAPED = re.compile(r"\\(.)|([ \t\n]+)|([^\\ \t\n]+|\\$)", re.DOTALL)
_IN_STRING = re.compile(r"\\([$`\"\\])")
_ANSI = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|[uU]([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL)
_ANSI_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BACKTICKS = re.compile(r"(?<!\\)`([^`]*)`")
_COMMENTED = re.compile(rb"^$|^[\s;&|()`{]$|[^\\][\s;&|()`{]$")
_EXPANSION = re.compile(r"`|\$[\w({\-?$!@*#]")
_EXPANDS = re.compile(r"(?<!\\)(?:\\\\)*[$`]")
_SPLITS = re.compile(r"[\s*?\[]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_QUOTED_BRACES = str.maketrans("{},", "\ue000\ue001\ue002")
_PLAIN_BRACES = str.maketrans("\ue000\ue001\ue002", "{},")
_VERBATIM = {"comment", "raw_string", "ansi_c_string"}
_SIMPLE = {"command", "declaration_command", "unset_command", "variable_assignment", "variable_assignments"}
_REDIRECTS = {"file_redirect", "heredoc_redirect", "herestring_redirect"}
_APART = _REDIRECTS | {"variable_assignment"}
_SUBSHELLS = {"subshell", "command_substitution", "process_substitution", "function_definition"}
_UNKNOWN = {"command_substitution", "arithmetic_expansion", "expansion", "simple_expansion", "array", "ERROR"}
_HERE = {"$PWD", "${PWD}", "$(pwd)", "`pwd`"}
_REF = re.compile(
    r"\$\(git (?:branch --show-current|(?:rev-parse|symbolic-ref)(?: [\w@/.=-]+)+)\)"
)  # no ref begins with -
_Piece = tuple[str | None, bool]
"""Text, None where it cannot be known; and whether it stands in quotes."""


def parsed(line: str, /, *, home: str = "") -> Script:
    """The commands of a line, inner ones too, in the order they stand there.

    A variable that the line sets once, to a text, counts as that text; `~` and `$HOME` as `home`, where given.
    Never raises: a line beyond the limits has no commands and says so in `opaque`.
    """
    source = line.encode("utf-8", "surrogatepass")
    # Shells drop a NUL, and would run what is left.
    if len(source) > LINE_BYTES_MAX or line.count("|") > PIPES_MAX or "\0" in line:
        return Script(opaque=("the line is too long to be read, or holds a NUL",))
    source = _unfolded(source)
    root = _tree(source)
    return Script(opaque=("the line is too tangled to be read",)) if root is None else _Walk(source, home).script(root)


def _tree(source: bytes) -> Node | None:
    """None where it takes too much work; some short lines keep the grammar busy for minutes."""
    # The thread's own time: on a busy machine a line that is easy to read would be refused.
    until = time.thread_time() + PARSE_SECONDS_MAX
    try:
        tree = Parser(_LANGUAGE).parse(
            lambda offset, _: source[offset : offset + 4096],
            progress_callback=lambda _, __: time.thread_time() > until,
        )
    except ValueError:
        return None
    return tree.root_node


def _unfolded(source: bytes) -> bytes:
    """Without the line ends that a backslash takes away: the grammar would split `pu\\⏎sh` in two."""
    root = _tree(source) if b"\\\n" in source else None
    if root is None:
        return source
    verbatim = list(_verbatim(root))
    kept, start = [], 0
    for match in _JOIN.finditer(source):
        place = match.end() - 2
        nearest = bisect_right(verbatim, (place, len(source))) - 1
        if nearest < 0 or verbatim[nearest][1] <= place:
            kept.append(source[start:place])
            start = match.end()
    return b"".join([*kept, source[start:]])


def _verbatim(root: Node) -> Iterator[tuple[int, int]]:
    """From where to where a backslash means nothing: comments, '…', here-documents of quoted delimiter."""
    todo: list[tuple[Node, Node]] = [(root, root)]
    while todo:
        node, parent = todo.pop()
        if node.type in _VERBATIM or (node.type == "heredoc_body" and _is_quoted(parent)):
            yield node.start_byte, node.end_byte
        else:
            todo += [(child, node) for child in reversed(node.children)]


def _is_quoted(heredoc: Node) -> bool:
    starts = [child for child in heredoc.children if child.type == "heredoc_start"]
    return any(mark in _text(start) for start in starts for mark in "'\"\\")


@dataclass(frozen=True, kw_only=True)
class _Place:
    scope: tuple[int, ...] = ()
    is_piped: bool = False


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


class _Walk:
    """One walk over a tree, on a stack of its own: a line may nest deeper than Python."""

    def __init__(self, source: bytes, home: str) -> None:
        self._source = source
        self._home = home
        self._variables: dict[str, str | None] = {"HOME": home or None, "PWD": "."}
        self._redirects: dict[int, list[Node]] = {}
        self._scopes = 0

    def script(self, root: Node) -> Script:
        self._assign(root)
        opaque = ["it is no shell that can be read"] if root.has_error else []
        commands: list[Command] = []
        # A node is asked for its parent at the cost of its depth, so parents come along.
        todo = [(root, root, _Place())]
        while todo:
            node, parent, place = todo.pop()
            if len(place.scope) > SCOPES_MAX or len(commands) > COMMANDS_MAX:
                opaque.append("it is too long or too deep to be read")
                break
            commands += self._commands(node, parent, place)
            # A `#` after an escaped blank is no comment.
            if node.type == "comment" and not _COMMENTED.search(self._source[: node.start_byte][-2:]):
                opaque.append("it holds a # that may be no comment")
            if node.type != "comment":
                todo += [(child, node, self._place(node, child, place)) for child in reversed(node.children)]
        return Script(commands=tuple(commands), opaque=tuple(opaque))

    def _place(self, node: Node, child: Node, place: _Place) -> _Place:
        in_pipeline = node.type == "pipeline" and child.is_named
        scope = place.scope
        if in_pipeline or child.type in _SUBSHELLS:
            self._scopes += 1
            scope = (*scope, self._scopes)
        # A here-document's line goes on inside it: `cat <<E | bash`.
        pipes = [one.start_byte for one in node.children if one.type in {"|", "|&"}] if in_pipeline else []
        is_fed = (
            any(pipe < child.start_byte for pipe in pipes)
            or (child.type == "process_substitution" and _text(child).startswith(">"))
            or (node.type == "redirected_statement" and _owner(node).type not in _SIMPLE and b"<" in (node.text or b""))
        )
        return _Place(scope=scope, is_piped=place.is_piped or is_fed)

    def _commands(self, node: Node, parent: Node, place: _Place) -> Iterator[Command]:
        """What this node runs by itself, not by what is in it."""
        if node.type == "heredoc_body" and not _is_quoted(parent):
            # The grammar takes backticks in a here-document for text.
            for match in _BACKTICKS.finditer(_text(node)):
                self._scopes += 1
                for one in parsed(match[1], home=self._home).commands:
                    yield replace(one, scope=(*place.scope, self._scopes, *one.scope))
        elif node.type == "redirected_statement":
            owner, redirects = _owner(node), _redirects(node.children)
            if owner.type in _SIMPLE:
                self._redirects[owner.id] = redirects
            else:
                yield self._command(redirects, place)
        elif node.type in _SIMPLE and parent.type not in _SIMPLE:
            parts = node.children if node.type != "variable_assignment" else [node]
            yield self._command([*parts, *self._redirects.pop(node.id, [])], place)

    def _command(self, parts: Sequence[Node], place: _Place) -> Command:
        words = self._words(parts)
        redirects, stdin = [], None
        for part in _redirects(parts):
            if part.type == "file_redirect":
                operator = next(child.type for child in part.children if child.type != "file_descriptor")
                number = next((child for child in part.children if child.type == "file_descriptor"), None)
                # The grammar takes the `-f` of `-f>log` for a number.
                words += self._words([number] if number and not _text(number).isdigit() else [])
                targets = self._words(part.children_by_field_name("destination"))
                if not operator.endswith("-") and targets:
                    redirects.append((operator, targets.pop(0)))
                # The grammar takes the words that follow a redirection for more targets of it.
                words += targets
            elif part.type == "heredoc_redirect":
                stdin = _heredoc(part)
                words += self._words(part.children_by_field_name("argument"))
            else:
                stdin = next(iter(self._words(part.named_children)), None)
        return Command(
            words=tuple(words),
            assignments=tuple(self._assignment(part) for part in parts if part.type == "variable_assignment"),
            redirects=tuple(redirects),
            stdin=stdin,
            is_piped=place.is_piped,
            scope=place.scope,
        )

    def _assign(self, root: Node) -> None:
        """Learn what variables hold: those that the line sets once, or always to the same."""
        seen: set[str] = set()
        todo = [(root, root)]
        while todo:
            node, parent = todo.pop()
            if node.type == "for_statement" and (variable := node.child_by_field_name("variable")):
                self._variables[_text(variable)] = None
                seen.add(_text(variable))
            # Set before a command, it is not yet set when the command's own words are expanded.
            if node.type == "variable_assignment" and parent.type != "command":
                name, value = self._assignment(node)
                is_known = not value.is_opaque and not value.is_glob and not name.endswith(("+", "]"))
                text = value.text if is_known else None
                self._variables[name.rstrip("+")] = text if name not in seen or self._variables[name] == text else None
                seen.add(name)
            todo += [(child, node) for child in reversed(node.children)]

    def _assignment(self, node: Node) -> tuple[str, Word]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        operator = "+" if any(child.type == "+=" for child in node.children) else ""
        words = self._words([value]) if value else []
        word = words[0] if len(words) == 1 else Word(text="", is_opaque=value is not None)
        return (_text(name) if name else "") + operator, word

    def _words(self, nodes: Sequence[Node]) -> list[Word]:
        """The words that these siblings are; redirections and assignments among them only part words.

        Of the grammar's nodes only quotes and expansions count, for it loses an escaped blank and a `$` here and there.
        What stands between them is read from the source.
        """
        words: list[list[_Piece]] = [[]]
        for node, before in zip(nodes, [None, *nodes][: len(nodes)], strict=True):
            if before is not None:
                _add_source(words, self._source[before.end_byte : node.start_byte])
            if node.type in _APART:
                words.append([])
            else:
                self._add(words, node)
        return [word for pieces in words if pieces for word in _braced(_whole(pieces), self._home)]

    def _add(self, words: list[list[_Piece]], node: Node) -> None:
        text = _text(node)
        if node.type in {"raw_string", "ansi_c_string", "string"}:
            _drop_dollar(words[-1])
        if node.type == "raw_string":
            words[-1].append((text[1:-1], True))
        elif node.type == "ansi_c_string":
            words[-1].append((_ANSI.sub(_unescaped, text[2:-1]).partition("\0")[0], True))
        elif node.type == "string":
            words[-1] += self._in_quotes(node)
        elif node.type == "process_substitution":
            words[-1].append(("/dev/fd/63", True))
        elif node.type in _UNKNOWN:
            known = self._expanded(node)
            is_split = known is None or _SPLITS.search(known)
            words[-1].append((None if is_split else known, _REF.fullmatch(text) is not None))
        elif not node.children:
            _add_source(words, node.text or b"")
        else:
            at = node.start_byte
            for child in node.children:
                _add_source(words, self._source[at : child.start_byte])
                self._add(words, child)
                at = child.end_byte

    def _in_quotes(self, node: Node) -> Iterator[_Piece]:
        """The grammar leaves blanks between its children out, so the text between them is taken as well."""
        source, at = node.text or b"", 0
        for child in node.children:
            start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
            yield _IN_STRING.sub(r"\1", source[at:start].decode("utf-8", "replace")), True
            at = end
            if child.type in _UNKNOWN:
                known = self._expanded(child)
                # "$@" is as many words as there are arguments.
                yield known, "@" not in _text(child) or known is not None
            else:
                # The closing quote has the blanks before it.
                inner = _text(child)[:-1] if child.type == '"' else _text(child)
                yield _IN_STRING.sub(r"\1", inner), True

    def _expanded(self, node: Node) -> str | None:
        text = _text(node)
        name = text.strip("${}")
        if text in _HERE:
            # Where the line stands at that moment, which `.` says as well.
            return "."
        return self._variables.get(name) if text in {f"${name}", f"${{{name}}}"} else None


def _add_source(words: list[list[_Piece]], source: bytes) -> None:
    """Text without quotes and expansions: blanks part words, a backslash quotes what follows."""
    for escaped, blank, plain in _ESCAPED.findall(source.decode("utf-8", "replace")):
        if blank:
            words.append([])
        else:
            words[-1].append((escaped or plain, bool(escaped)))


def _whole(pieces: list[_Piece]) -> list[_Piece]:
    """Bare text in one piece; unknown where it holds an expansion that the grammar did not see."""
    whole: list[_Piece] = []
    for text, is_quoted in pieces:
        before, is_bare = whole[-1] if whole else (None, True)
        if text is not None and not is_quoted and before is not None and not is_bare:
            whole[-1] = (before + text, False)
        else:
            whole.append((text, is_quoted))
    return [(None if text and not quoted and _EXPANSION.search(text) else text, quoted) for text, quoted in whole]


def _drop_dollar(pieces: list[_Piece]) -> None:
    """A `$` before a quoted text asks for its translation."""
    if pieces and pieces[-1][0] is not None and re.search(r"(?<!\$)\$$", pieces[-1][0]) and not pieces[-1][1]:
        pieces[-1] = (pieces[-1][0][:-1], False)


def _owner(statement: Node) -> Node:
    """Whose redirections these are; the grammar puts `a && b >f` around both."""
    owner = statement.child_by_field_name("body") or statement
    while owner.type in {"list", "negated_command"} and owner.named_children:
        owner = owner.named_children[-1]
    return owner


def _redirects(nodes: Sequence[Node]) -> list[Node]:
    """Those among the nodes, and those on the line of a here-document, which are inside it."""
    found = [node for node in nodes if node.type in _REDIRECTS]
    return [one for node in found for one in (node, *_redirects(node.children if node.type != "file_redirect" else []))]


def _heredoc(redirect: Node) -> Word:
    text = "".join(_text(child) for child in redirect.children if child.type == "heredoc_body")
    is_opaque = not _is_quoted(redirect) and _EXPANDS.search(text) is not None
    return Word(text="" if is_opaque else text, is_opaque=is_opaque)


def _unescaped(match: re.Match[str]) -> str:
    """One escape of `$'…'`."""
    octal, short, long, control, letter = match.groups()
    if control:
        return chr(ord(control) & 0x1F)
    if letter:
        return _ANSI_LETTERS.get(letter, letter if letter in "'\"\\?" else f"\\{letter}")
    code = int(octal, 8) & 0xFF if octal else int(short or long, 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def _braced(pieces: list[_Piece], home: str) -> Iterator[Word]:
    """The words that one becomes by its `{a,b}`, or an opaque one."""
    plain = "".join(text or "" for text, is_quoted in pieces if not is_quoted)
    if not ("{" in plain and ("," in plain or ".." in plain)):
        yield _word(pieces, home)
        return
    texts = [("\0" if text is None else text, is_quoted) for text, is_quoted in pieces]
    marked = "".join(text.translate(_QUOTED_BRACES if is_quoted else {}) for text, is_quoted in texts)
    words = [marked]
    while len(words) <= BRACED_MAX and any(_BRACES.search(word) for word in words):
        words = [
            word[: match.start()] + choice + word[match.end() :] if match else word
            for word in words
            for match in [_BRACES.search(word)]
            for choice in (match[1].split(",") if match else [""])
        ]
    if len(words) > BRACED_MAX or "\0" in marked or ".." in plain:
        yield _word([(marked.partition("{")[0].partition("\0")[0], True), (None, False)], home)
    else:
        yield from (_word([(word.translate(_PLAIN_BRACES), False)], home) for word in words)


def _word(pieces: Sequence[_Piece], home: str) -> Word:
    start = pieces[0][0] if pieces and pieces[0][0] and not pieces[0][1] else ""
    if start.startswith("~/") or (start.startswith("~") and len(pieces) == 1):
        known = home if home and start[1:2] in {"", "/"} else None
        pieces = [(known, True), (start[1:] if known else "", False), *pieces[1:]]
    texts = [text for text, _ in pieces]
    unknown = [n for n, text in enumerate(texts) if text is None]
    first, last = (unknown[0], unknown[-1]) if unknown else (len(texts), len(texts))
    return Word(
        text="".join(text for text in texts[:first] if text),
        tail="".join(text for text in texts[last:] if text),
        is_opaque=bool(unknown),
        may_split=any(not is_quoted for text, is_quoted in pieces if text is None),
        is_glob=any(mark in text for text, is_quoted in pieces if text and not is_quoted for mark in "*?["),
    )
