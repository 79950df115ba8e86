"""The facts at the points that see a change: what a commit, a push or a landing changes."""

from dataclasses import replace

from loomstack_mcp.adapters.git.delta import landing_delta, push_delta, staged_delta
from loomstack_mcp.adapters.git.plain import Delta
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy.facts import ChangeLooks
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, Subject
from loomstack_mcp.core.policy.digests import change_bound
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation, Touched


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


def pushed(
    repo: Repository, old: str, new: str, ref: str, *, point: Point, trunk: str, lands: bool | None = None
) -> Situation:
    """One ref of a push; on the trunk's own ref it lands as well, which `lands` says where the trunk is another's."""
    is_trunk = ref == trunk if lands is None else lands
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
