"""What exactly is about to happen: the digest that an approval is bound to, and lines for the person who gives it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.delta import FileDelta, Subject
from loomstack_mcp.core.policy.rules import ActionKind
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.texts import encodable, redacted

SHOWN_MAX = 50
"""Lines of what is approved; more are counted."""
UNSAID = "what it will say was not told"
"""Of an edit without its content."""
_LINE_CHARS_MAX = 2_000
_MOVING: frozenset[ActionKind] = frozenset({"push", "land"})


def bound(situation: Situation, /, *content: str, shown: Sequence[str] = ()) -> Situation:
    """The situation with its digest over this content, and the lines that a person is shown of it.

    Call it last: branch, head and paths are in the digest.
    """
    lines = [_line(line) for line in shown[:SHOWN_MAX]]
    more = [f"and {counted(len(shown) - SHOWN_MAX, 'line')} more"] if len(shown) > SHOWN_MAX else []
    return replace(situation, digest=action_digest(situation, *content), shown=(*lines, *more))


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
    told = [line for text in content for line in text.splitlines()]
    return bound(situation, *content, *files, shown=(*told, *_stat(subject)))


def _line(text: str) -> str:
    # Of a command that a client sent, any half of a surrogate pair may be left.
    spelled = text.encode("utf-8", "backslashreplace").decode()
    return redacted(spelled, chars_max=_LINE_CHARS_MAX) or ("(a line that shows a secret)" if text else "")


def _file(file: FileDelta) -> str:
    return json.dumps([file.old_path, file.path, file.mode_before, file.mode_after, file.blob_before, file.blob_after])


def _stat(subject: Subject) -> list[str]:
    added = sum(file.lines_added for file in subject.files)
    removed = sum(file.lines_removed for file in subject.files)
    each = [
        f"{file.status} {encodable(file.path)} +{file.lines_added} -{file.lines_removed}"
        + (f" (was {encodable(file.old_path)})" if file.old_path != file.path else "")
        for file in subject.files
    ]
    return [f"{counted(len(subject.files), 'file')}, +{added} -{removed}", *each]
