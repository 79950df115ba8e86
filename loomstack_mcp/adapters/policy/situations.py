"""The facts at each point where the policy is asked: what an edit, a command, a commit, a push or a landing changes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from loomstack_mcp.adapters.git import delta
from loomstack_mcp.adapters.git.delta import Blobs, Landed
from loomstack_mcp.adapters.git.repository import ask, commit_of
from loomstack_mcp.adapters.parse.shell.script import parsed
from loomstack_mcp.adapters.policy.facts import looks, message_looks
from loomstack_mcp.adapters.policy.touched_paths import below, touched
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, Subject
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation, Touched
from loomstack_mcp.core.shell import effects


def branch_of(git_dir: Path) -> str | None:
    """The branch that is checked out, by its own file; None where HEAD is detached, or kept in another way."""
    try:
        head = (git_dir / "HEAD").read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return None
    name = head.removeprefix("ref: refs/heads/")
    return name if name not in (head, ".invalid") else None


def edit(root: Path, cwd: Path, paths: Sequence[str], *, point: Point) -> Situation:
    """An edit of these files, as a client or an agent names them."""
    found, outside = touched(root, cwd, [(path, False) for path in paths])
    return replace(_early(point, frozenset({"edit"}), found if paths else None, outside), look={"below": below(root)})


def command(root: Path, cwd: Path, line: str, *, point: Point) -> Situation:
    """A shell line: a command, and an edit of what it writes."""
    parse = partial(parsed, home=str(Path.home()))
    reading = effects.reading(parse(line), cwd=str(cwd), parse=parse)
    found, outside = touched(root, cwd, [(write.path, write.is_folder_wide) for write in reading.writes])
    actions: frozenset[ActionKind] = frozenset({"command", "edit"} if found or outside else {"command"})
    return replace(_early(point, actions, found, outside), reading=reading, look={"below": below(root)})


def tool(name: str, *, point: Point) -> Situation:
    """A call of another server's tool."""
    return replace(_early(point, frozenset({"tool"}), (), ()), tool=name)


def deploy(environment: str, *, point: Point) -> Situation:
    """A deployment; where it goes is None when it was not said."""
    return replace(_early(point, frozenset({"deploy"}), None, ()), environment=environment or None)


@contextmanager
def staged(root: Path) -> Iterator[Situation]:
    """What `git commit` would take."""
    with _change(root, delta.staged(root), point="pre-commit", actions=frozenset({"commit"})) as found:
        yield replace(found, branch=_branch(root))


@contextmanager
def message(root: Path, text: str) -> Iterator[Situation]:
    """The message of a commit that is about to be made."""
    with _change(root, delta.staged(root), point="commit-msg", actions=frozenset({"commit"})) as found:
        yield replace(found, branch=_branch(root), message=text, look={**found.look, **message_looks(text)})


@contextmanager
def pushed(root: Path, old: str, new: str, ref: str, *, point: Point, trunk: str) -> Iterator[Situation]:
    """One ref of a push; on the trunk's own ref it lands as well."""
    branch = ref.removeprefix("refs/heads/")
    is_trunk = ref == trunk
    landed = delta.between(root, old, new, trunk=trunk, excused=not is_trunk, quarantined=point == "pre-receive")
    actions: frozenset[ActionKind] = frozenset({"push", "land"} if is_trunk else {"push"})
    with _change(root, landed, point=point, actions=actions, quarantined=point == "pre-receive") as found:
        yield replace(found, branch=branch, refs=landed.refs, head=new if new.strip("0") else "")


@contextmanager
def landing(root: Path, base: str, head: str, *, point: Point, branch: str = "") -> Iterator[tuple[Situation, Landed]]:
    """What `head` would land on `base`."""
    landed = delta.landing(root, base, head)
    with _change(root, landed, point=point, actions=frozenset({"land"})) as found:
        yield replace(found, branch=branch or None, head=commit_of(root, head)), landed


@contextmanager
def _change(
    root: Path, landed: Landed, *, point: Point, actions: frozenset[ActionKind], quarantined: bool = False
) -> Iterator[Situation]:
    with Blobs(root, quarantined=quarantined) as blobs:
        yield Situation(
            point=point,
            actions=actions,
            now_ms=0,
            touched=touched_by(landed.subject),
            look=looks(root, landed, blobs, quarantined=quarantined),
        )


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


def _branch(root: Path) -> str | None:
    return ask(root, "symbolic-ref", "--quiet", "--short", "HEAD").text or None
