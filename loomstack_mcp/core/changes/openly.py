"""What the message of a change says openly: that it takes something back, or that it removes."""

import re
from collections.abc import Iterable, Iterator

from loomstack_mcp.core.changes.hunks import Change

# Each part begins with what the one before cannot end with: a title is anybody's, and must not take time without end.
_PREFIX = r"[^\w\[]*(?:(?:\w[\w./-]*(?:\([^)]*\))?!?:|\[[^\]]*\])[^\w\[]*)*"
"""What stands before a title's own words: `fix(cart)!:`, `[docs]`, `lib/cart:`."""
_REVERTS = re.compile(
    _PREFIX + r"(?:temporar\w+ )?(?:revert|undo|back(?:s|ing|ed)?[ -]?out|roll(?:s|ing|ed)?[ -]?back)", re.IGNORECASE
)
_RESTORES = re.compile(
    _PREFIX + r"(?:un-?(?:revert|skip)|re-?(?:land|apply|submit|do\b|introduc|enabl)|restor|reinstat|resurrect"
    r"|(?:bring|put) back)",
    re.IGNORECASE,
)
_REVERT_BRANCH = re.compile(r"Merge pull request \S+ from \S*\brevert-\d+", re.IGNORECASE)
_MERGES = re.compile(r"(?:up)?merge[ds]?\b", re.IGNORECASE)
_RELEASE = re.compile(r"\d+(?:\.[\dx]+)+|release|stable|hotfix|maint", re.IGNORECASE)
_REVERTS_NUMBER = re.compile(r"\breverts?:? (?:[\w.-]+/[\w.-]+)?[#!](\d+)", re.IGNORECASE)
"""As GitHub's revert of a pull request says in its text."""
_NUMBERS = re.compile(r"[#!](\d+)\b")
_NAMED = re.compile(r"\b[0-9a-f]{7,64}\b")
_TITLE_CHARS_LEAST = 12
_REMOVES = re.compile(
    r"\b(?:remov|delet|drop|disabl|kill|get(?:s|ting)? rid|unus|deprecat|strip|prun|purg|eliminat|clean|dead code"
    r"|no longer|temporar|revert|downgrad|rip)",
    re.IGNORECASE,
)
_GOES = re.compile(
    r"\b(?:remov|delet|drop|mov(?:e|ing)|consolidat|fold(?:s|ed)? |eradicat|del:|replac|split|extract)", re.IGNORECASE
)
_QUOTED = re.compile(r"[\"“`](.+?)[\"”`]")
_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}(?![a-z])")
_STEM_CHARS = 6
_COMMON = re.compile(
    r"this|that|with|from|into|when|than|then|also|only|makes?|changes?|tests?|support|updates?|fix(?:es|ed)?|feat|chore"
    r"|docs|refactor|merge|pull|request|branch|commit|release|remove[sd]?|add(?:s|ed|ing)?|improve|better|code|files?|some"
    r"|more|allow|us(?:ed|ing|es)"
)


def takes_back_openly(change: Change, *others: Change) -> bool:
    """Whether it says that it takes back, or brings back, one of these: by a revert's title, by hash, number or title.

    The forms are those of `git revert`, GitHub, Gerrit and Conventional Commits.
    """
    if reverts_openly(change) or _RESTORES.match(change.title):
        return True
    return any(_names(change, other) or _reapplies(change, other) for other in others)


def _names(change: Change, other: Change) -> bool:
    reverted = set(_REVERTS_NUMBER.findall(change.message))
    if other.sha.startswith(tuple(_NAMED.findall(change.message))) or reverted & set(_NUMBERS.findall(other.title)):
        return True
    return len(other.title) >= _TITLE_CHARS_LEAST and other.title in change.message and other.title != change.title


def _reapplies(change: Change, revert: Change) -> bool:
    """Whether it lands again, under its old title, what a revert named so took back."""
    if not reverts_openly(revert):
        return False
    title = _bare(change.title)
    quoted = [_bare(text) for text in _QUOTED.findall(revert.title)]
    return (len(title) >= _TITLE_CHARS_LEAST and title in revert.message.casefold()) or any(
        len(text) >= _TITLE_CHARS_LEAST and text in title for text in quoted
    )


def _bare(title: str) -> str:
    """A title without what stands before its own words, and the number of its pull request."""
    begin = re.match(_PREFIX, title)
    return re.sub(r"\s*\(#\d+\)$", "", title[begin.end() if begin else 0 :]).casefold()


def reverts_openly(change: Change) -> bool:
    """Whether its title says that it is a revert."""
    return bool(_REVERTS.match(change.title) or _REVERT_BRANCH.match(change.title))


def removes_openly(change: Change, other: Change) -> bool:
    """Whether its title begins with the word for it, or says that something goes of what `other` was about."""
    if re.match(_PREFIX + _REMOVES.pattern, change.title, re.IGNORECASE):
        return True
    return removes_something(change) and bool(_topics(change.title) & _topics(other.title))


def names_what_goes(change: Change, names: Iterable[str]) -> bool:
    """Whether its title says that something goes, or its message, and names these files or the folders of them."""
    if removes_something(change):
        return True
    if not _GOES.search(change.message):
        return False
    return all(any(part in change.message for part in _parts(name)) for name in names)


def _parts(path: str) -> Iterator[str]:
    """By which parts of its path a file is named: its name with or without what follows a dot, and its folders."""
    *folders, name = path.split("/")
    yield name
    yield from (part for part in (name.split(".", 1)[0], *(f"{folder}/" for folder in folders)) if len(part) > 4)


def merges_release(change: Change) -> bool:
    """Whether it brings a release's branch up: of what conflicts there, the newer form stays on purpose."""
    is_merge = len(change.parents) > 1 and _MERGES.match(change.title) is not None
    return is_merge and _RELEASE.search(change.title) is not None


def removes_something(change: Change) -> bool:
    """Whether its title says that something is removed."""
    return _REMOVES.search(change.title) is not None


def _topics(title: str) -> set[str]:
    """The stems of the words that tell what a title is about."""
    return {word.lower()[:_STEM_CHARS] for word in _WORD.findall(title) if not _COMMON.fullmatch(word.lower())}
