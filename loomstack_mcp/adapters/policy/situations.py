"""The facts at each point where the policy is asked: what an edit, a command, a commit, a push or a landing changes."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from loomstack_mcp.adapters.git.delta import landing_delta, push_delta, staged_delta
from loomstack_mcp.adapters.git.plain import Delta
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy.facts import ChangeLooks
from loomstack_mcp.adapters.policy.touched_paths import FolderLooks, takes_all, touched
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, Subject
from loomstack_mcp.core.policy.digests import UNSAID, bound, change_bound
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation, Touched
from loomstack_mcp.core.shell.effects import shell_reading


def edit(
    root: Path, cwd: Path, paths: Sequence[str], *, point: Point, wide: Sequence[str] = (), content: str = ""
) -> Situation:
    """An edit of these files, as a client names them, and of all below the `wide` ones.

    `content` is what will stand there, in the client's own form: an approval holds for that alone.
    """
    found, outside = touched(root, cwd, [*((path, False) for path in paths), *((path, True) for path in wide)])
    named = found if paths or wide else None
    early = replace(_early(point, frozenset({"edit"}), named, outside), looks=FolderLooks(root))
    listed = [f"edit {path}" for path in (*paths, *(f"{path}/**" for path in wide))]
    unsaid = () if content else (UNSAID,)
    return bound(early, content, shown=(*listed, *unsaid))


def command(root: Path, cwd: Path, line: str, *, point: Point) -> Situation:
    """A shell line: a command, and an edit of what it writes."""
    from loomstack_mcp.adapters.parse.shell.script import parsed_line  # a parser, which an edit does without

    parse = partial(parsed_line, home=str(Path.home()))
    reading = shell_reading(parse(line), cwd=str(cwd), parse=parse)
    writes = [write for write in reading.writes if not (write.is_into and os.path.isdir(cwd / write.path))]  # noqa: PTH112 a NUL does not raise
    names = [(write.path, write.is_folder_wide) for write in writes]
    whole = [("", True)] if any(takes_all(root, cwd, write) for write in reading.writes) else []
    found, outside = touched(root, cwd, [*names, *whole])
    actions: frozenset[ActionKind] = frozenset({"command", "edit"} if found or outside else {"command"})
    early = replace(_early(point, actions, found, outside), reading=reading, looks=FolderLooks(root))
    return bound(early, line, str(cwd), shown=(*line.splitlines(), f"in {cwd}"))


def tool(name: str, *, point: Point, content: str = "") -> Situation:
    """A call of another server's tool; `content` are its arguments, in the client's own form."""
    early = replace(_early(point, frozenset({"tool"}), (), ()), tool=name)
    return bound(early, content, shown=(f"call {name}", *content.splitlines()))


def deploy(environment: str, *, point: Point, commit: str = "") -> Situation:
    """A deployment of a commit; where it goes is None when it was not said."""
    early = replace(_early(point, frozenset({"deploy"}), None, ()), environment=environment or None)
    return bound(early, commit, shown=(f"deploy {commit[:12]} to {environment or 'nobody said where'}",))


def staged(repo: Repository) -> Situation:
    """What `git commit` would take."""
    delta = staged_delta(repo)
    found = _change(repo, delta, point="pre-commit", actions=frozenset({"commit"}))
    return change_bound(replace(found, branch=repo.branch or None), delta.subject)


def message(repo: Repository, text: str) -> Situation:
    """The message of a commit that is about to be made."""
    delta = staged_delta(repo)
    found = _change(repo, delta, point="commit-msg", actions=frozenset({"commit"}), message=text)
    return change_bound(replace(found, branch=repo.branch or None, message=text), delta.subject, text)


def pushed(repo: Repository, old: str, new: str, ref: str, *, point: Point, trunk: str) -> Situation:
    """One ref of a push; on the trunk's own ref it lands as well."""
    is_trunk = ref == trunk
    delta = push_delta(repo, old, new, trunk=trunk, excused=not is_trunk)
    actions: frozenset[ActionKind] = frozenset({"push", "land"} if is_trunk else {"push"})
    found = _change(repo, delta, point=point, actions=actions)
    branch, head = ref.removeprefix("refs/heads/"), new if new.strip("0") else ""
    return change_bound(replace(found, branch=branch, refs=delta.refs, head=head), delta.subject)


def landing(
    repo: Repository, base: str, head: str, *, point: Point, branch: str = "", trunk: str = ""
) -> tuple[Situation, Delta]:
    """What `head` would land on `base`; on another branch than the `trunk`, without what that has already."""
    delta = landing_delta(repo, base, head, trunk="" if _is_same_branch(base, trunk) else trunk)
    found = _change(repo, delta, point=point, actions=frozenset({"land"}))
    return change_bound(replace(found, branch=branch or None, head=repo.commit(head)), delta.subject), delta


def _is_same_branch(base: str, trunk: str) -> bool:
    """Whether a ref is, or may be, the trunk under another name: of another remote, or a commit of it."""
    return not base.startswith("refs/") or base.rpartition("/")[2] == trunk.rpartition("/")[2]


def _change(
    repo: Repository, delta: Delta, *, point: Point, actions: frozenset[ActionKind], message: str | None = None
) -> Situation:
    looks = ChangeLooks(repo, delta, message=message)
    return Situation(point=point, actions=actions, now_ms=0, touched=touched_by(delta.subject), looks=looks)


def touched_by(subject: Subject) -> tuple[Touched, ...]:
    """Both ends of a rename count; a link or submodule stands for all that a folder of its name would hold."""
    found: dict[Touched, None] = {}
    for file in subject.files:
        wide = not {file.mode_before, file.mode_after}.isdisjoint({LINK, SUBMODULE})
        for path in (file.path, file.old_path):
            found[Touched(path=path, is_folder=wide)] = None
    return tuple(found)


def _early(
    point: Point,
    actions: frozenset[ActionKind],
    found: tuple[Touched, ...] | None,
    outside: tuple[str, ...],
) -> Situation:
    return Situation(point=point, actions=actions, now_ms=0, touched=found, outside=outside)
