"""What exactly is about to happen: the digest that an approval is bound to, and lines for the person who gives it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.delta import FileDelta, Subject
from loomstack_mcp.core.policy.rules import ActionKind
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.secrets import secret_in
from loomstack_mcp.core.texts import encodable

UNSAID = "what it will say was not told"
"""Of an edit or a call without its content."""
UNKEPT = "its text is not kept: read it where the agent asks"
"""Of an edit with its content, which stays where it is: the digest alone is kept."""
_LINES_MAX, _CHARS_MAX = 400, 20_000
"""Of what is shown: nobody reads more before they say yes."""
_FILES_MAX, _FILE_CHARS_MAX = 50, 300
"""Of what is listed of a change, which is there to be looked at."""
_MOVING: frozenset[ActionKind] = frozenset({"push", "land"})


def bound(situation: Situation, /, *content: str, shown: Sequence[str] = ()) -> Situation:
    """The situation with its digest over this content, and the lines that a person is shown of it.

    What cannot be shown to its end has no digest, so that nobody approves what they did not see: `unshown` says why.
    Call it last: branch, head and paths are in the digest.
    """
    if unshown := _unshown(shown):
        return replace(situation, digest="", shown=(), unshown=unshown)
    return replace(situation, digest=action_digest(situation, *content), shown=tuple(map(_line, shown)), unshown="")


def lines_shown(text: str, /) -> list[str]:
    """The lines of a text as a shell tells them. What a terminal or Python ends a line at besides is spelled."""
    return text.removesuffix("\n").split("\n") if text else []


def action_digest(situation: Situation, /, *content: str) -> str:
    """`sha256:…` of an action and its content: the text of an edit, a command with its folder, the files of a change.

    To push a commit to a branch and to land it there is one thing.
    """
    is_moving = not situation.actions.isdisjoint(_MOVING)
    about = {
        "actions": ["land"] if is_moving else sorted(situation.actions),
        "branch": situation.branch if is_moving or "commit" in situation.actions else None,
        "environment": situation.environment,
        "tool": situation.tool,
        "head": situation.head,
        "refs": sorted(situation.refs or ()),
        "paths": None if situation.touched is None else sorted({one.pattern for one in situation.touched}),
        "outside": sorted(situation.outside),
        "content": list(content),
    }
    spelled = json.dumps(about, sort_keys=True, ensure_ascii=True)
    return f"sha256:{hashlib.sha256(spelled.encode()).hexdigest()}"


def change_bound(situation: Situation, subject: Subject, /, *content: str) -> Situation:
    """The same for a change: each of its files by mode and blob, before and after; with its message if told."""
    files = sorted(map(_file, subject.files))
    told = [line for text in content for line in lines_shown(text)]
    return bound(situation, *content, *files, shown=(*told, *_stat(subject)))


def _unshown(lines: Sequence[str]) -> str:
    if len(lines) > _LINES_MAX or sum(map(len, lines)) > _CHARS_MAX:
        most = f"{_LINES_MAX} lines, {_CHARS_MAX:,} characters"
        return f"no person can be asked: it is too long to be read before a yes ({most} at most); make it shorter"
    if what := secret_in("\n".join(lines)):
        return f"no person can be asked: it shows {what}, and what is asked is kept; name where that is kept instead"
    return ""


def _line(text: str) -> str:
    """What shows nothing, or turns the direction of writing, is spelled: it is part of what is approved."""
    return "".join(
        letter if letter.isprintable() or letter == "\t" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _file(file: FileDelta) -> str:
    return json.dumps([file.old_path, file.path, file.mode_before, file.mode_after, file.blob_before, file.blob_after])


def _stat(subject: Subject) -> list[str]:
    added = sum(file.lines_added for file in subject.files)
    removed = sum(file.lines_removed for file in subject.files)
    each = [
        f"{file.status} {encodable(file.path)} +{file.lines_added} -{file.lines_removed}"
        + (f" (was {encodable(file.old_path)})" if file.old_path != file.path else "")
        for file in subject.files[:_FILES_MAX]
    ]
    cut = [line if len(line) <= _FILE_CHARS_MAX else f"{line[:_FILE_CHARS_MAX]}…" for line in each]
    left = len(subject.files) - len(each)
    more = [f"and {counted(left, 'file')} more"] if left else []
    return [f"{counted(len(subject.files), 'file')}, +{added} -{removed}", *cut, *more]
