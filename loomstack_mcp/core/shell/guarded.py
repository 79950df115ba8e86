"""Calls that no rule has to name: those that keep hooks from running, and those by which people decide."""

import re
from fnmatch import fnmatchcase

from loomstack_mcp.core.shell.effects import ShellReading
from loomstack_mcp.core.shell.git_words import CUT_CHARS_MIN, git_scanned, subcommand_scanned
from loomstack_mcp.core.shell.matching import fits
from loomstack_mcp.core.shell.options import Scanned
from loomstack_mcp.core.shell.words import Word, Words, words_shown

_BYPASSING = {
    "HUSKY": "0",
    "HUSKY_SKIP_HOOKS": "*",
    "LEFTHOOK": "0",
    "LEFTHOOK_EXCLUDE": "*",
    "GIT_CONFIG*": "*",
    "OVERCOMMIT_DISABLE": "*",
    "PRE_COMMIT_ALLOW_NO_CONFIG": "*",
}
"""Variables, and the values with which they do."""
_HOOKS_PATH = "core.hookspath"
_OURS = "loomstack-mcp|loomstack|loomstack-mcp@*|loomstack-mcp==*|loomstack-mcp[[]*"
_FOR_PEOPLE = (
    ("approve|deny|trust|token|forget|init|uninstall|config|db|datasette|pause|resume",),
    ("note", "add"),
    ("evidence", "add"),
    ("deploy", "record"),
    ("repo", "alias"),
    ("conflicts", "settle"),
    ("claims", "release"),
    ("runs", "stop"),
    ("webhook", "test"),
    ("gate", "--install"),
)
"""What the commands are marked as (`cli/people.py`), which a test compares; and what is for people when it comes."""
_TYPING = frozenset({"tmux", "screen", "expect", "ssh", "socat"})
"""They type into a terminal that is not the client's, or start what does not know of it."""
_TYPED_OURS = re.compile(r"\bloomstack(?:[-_]mcp)?\b([^;&|\n]*)")


def bypasses(reading: ShellReading, /) -> tuple[str, ...]:
    """What keeps hooks from running: `--no-verify`, `commit -n`, another `core.hooksPath`, `HUSKY=0` and the like.

    `SKIP=` counts beside git or pre-commit. What cannot be read does not count: this rule holds where nobody wrote one.
    """
    names = {words[0].name for words in reading.calls}
    known = {**_BYPASSING, "SKIP": "*"} if names & {"git", "pre-commit"} else _BYPASSING
    found = [
        f"{name}={value}"
        for name, value in reading.assignments
        if any(fnmatchcase(name, one) and fnmatchcase(value.text, text) for one, text in known.items())
    ]
    calls = [words for words in reading.calls if words[0].name in {"git", ""} and _is_unhooked(words)]
    return tuple(dict.fromkeys([*found, *map(words_shown, calls)]))


def decides(reading: ShellReading, /) -> tuple[str, ...]:
    """The calls of our own commands by which people decide, which no agent may run."""
    calls = [
        words for words in reading.calls if words[0].name and any(fits(words, (_OURS, *one)) for one in _FOR_PEOPLE)
    ]
    typed = [words for words in reading.calls if words[0].name in _TYPING and _types(words)]
    return tuple(dict.fromkeys(map(words_shown, (*calls, *typed))))


def _types(words: Words) -> bool:
    """Whether one of these commands stands in the words, whatever reads them."""
    behind = (found.group(1).split() for found in _TYPED_OURS.finditer(" ".join(word.text for word in words[1:])))
    typed = [(Word(text="loomstack"), *(Word(text=text.strip("\"',")) for text in texts)) for texts in behind]
    return any(fits(call, (_OURS, *one)) for call in typed for one in _FOR_PEOPLE)


def _is_unhooked(words: Words) -> bool:
    top = git_scanned(words)
    verb = top.operands[0].text if top.operands else ""
    found = subcommand_scanned(verb, top.operands[1:])
    if verb == "config":
        return _configures_hooks(found)
    # -n means --no-verify to these two alone: to `push` it is --dry-run, to `merge` --no-stat.
    is_short = verb in {"commit", "am"} and bool(found.values("-n"))
    return is_short or _overrides_hooks(top) or any(_is_no_verify(option) for option, _ in found.options)


def _configures_hooks(found: Scanned) -> bool:
    named = [word.text.casefold() for word in found.operands]
    # With no value behind the key, `git config` tells what is set; with --unset it takes that away.
    is_asked = named in ([_HOOKS_PATH], ["get", _HOOKS_PATH])
    return _HOOKS_PATH in named and (not is_asked or any("unset" in option for option, _ in found.options))


def _overrides_hooks(top: Scanned) -> bool:
    """`git -c core.hooksPath=…`; a file that is included may say so, too."""
    keys = [value.text.casefold().partition("=")[0] for value in top.values("-c", "--config-env")]
    return any(key == _HOOKS_PATH or key.startswith("include") for key in keys)


def _is_no_verify(option: str) -> bool:
    return len(option) >= CUT_CHARS_MIN and "--no-verify".startswith(option)
