"""Deploys: what was brought to which environment, what came with it, and what it goes on from."""

from collections.abc import Callable, Sequence
from typing import Literal

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import Body, age, counted, lean
from loomstack_mcp.core.records import record

DeployKind = Literal["first", "forward", "aside", "rollback", "again"]
"""How it stands to what ran there before: `aside` goes on from an older deploy, `rollback` goes back to one."""
DeployHow = Literal["recorded", "tag", "gate"]
"""Who said it: CI or a person, a tag, or the gate that let it through."""
DEPLOY_COMMITS_MAX = 20_000
"""Commits that are kept of one deploy, the newest; the first one of an environment covers all there are."""
DEPLOY_SLICE = 1_000
"""Of these in one transaction: 4 ms within the write gate (2026-11)."""
DEPLOYS_COMPARED_MAX = 50
"""Earlier deploys of an environment among which the one is looked for that a deploy goes on from."""


@record
class Deploy:
    """A commit that was brought to an environment."""

    id: str
    repo_id: str
    seq: int
    environment: str
    sha: str
    called: str = ""
    """What CI or a tag calls it."""
    kind: DeployKind
    previous: str = ""
    """The deploy that it goes on from, or goes back from; "" where it is the first."""
    how: DeployHow
    who: str
    decision: str = ""
    """What let it through, `dec_…`; "" where nothing was asked."""
    covers: int
    """How many commits came with it."""
    is_cut: bool = False
    """Whether older ones came, too, that are not kept."""
    whole: bool = True
    """Whether all of those that are kept have arrived."""
    deployed_at_ms: int
    recorded_at_ms: int


@record
class DeployDraft:
    """A deploy as it is to be recorded, by whoever sees the repository."""

    environment: str
    sha: str
    called: str = ""
    how: DeployHow = "recorded"
    kind: DeployKind
    previous: str = ""
    covers: int = 0
    is_cut: bool = False
    decision: str = ""
    at_ms: int = 0
    """When it was deployed by whoever says so; 0 for now. Nothing is ordered by it."""


@record
class KeptDeploy:
    """A deploy under its id; or none, where another one came to its environment meanwhile."""

    deploy: Deploy | None = None
    is_new: bool = False


@record
class Coverage:
    """What comes with a deploy, newest first."""

    kind: DeployKind
    previous: str = ""
    shas: tuple[str, ...] = ()
    is_cut: bool = False


def environment_named(name: str, /) -> str:
    """The name of an environment, which may hold blanks, as those of forges do: `Preview EU`.

    Raises Invalid for what looks like another name, and would pass by the rules for that one.
    """
    if name != " ".join(name.split()):
        raise Invalid(f"the environment is {name[:100]!r}: leave out line ends, and blanks that nobody sees")
    return name


def deploy_standing(
    sha: str, earlier: Sequence[Deploy], /, *, descends: Callable[[str, str], bool]
) -> tuple[DeployKind, Deploy | None]:
    """How a commit stands to the earlier deploys of its environment, newest first, and the one it is compared with.

    No clock counts: they are in the order in which they were recorded. `descends(later, earlier)` asks the history.
    """
    if not earlier:
        return "first", None
    if earlier[0].sha == sha:
        return "again", earlier[0]
    if descends(earlier[0].sha, sha):
        return "rollback", earlier[0]
    base = next((one for one in earlier if descends(sha, one.sha)), None)
    return ("forward" if base is earlier[0] else "aside"), base


def deploy_shown(deploy: Deploy, /, *, now_ms: int, full: bool = False) -> Body:
    """One deploy, with what came with it in words; in full with the commit's whole id and the instant."""
    return lean(
        {
            "deploy": deploy.id,
            "environment": deploy.environment,
            "called": deploy.called,
            "commit": deploy.sha if full else deploy.sha[:12],
            "covers": covered_words(deploy),
            "who": deploy.who,
            "how": "" if deploy.how == "recorded" else deploy.how,
            "decision": deploy.decision,
            "age": age(now_ms - deploy.deployed_at_ms),
            "deployed_at_ms": deploy.deployed_at_ms if full else None,
        }
    )


def covered_words(deploy: Deploy, /) -> str:
    """What came with it, in a few words; and where only the gate knows of it, that it need not have gone out."""
    told = _came_with(deploy)
    return f"{told}; let through, not told as gone out" if deploy.how == "gate" else told


def _came_with(deploy: Deploy) -> str:
    if deploy.kind == "rollback":
        return f"nothing new: rolled back from {deploy.previous}"
    if deploy.kind == "again":
        return f"nothing new: deployed again, as {deploy.previous}"
    number = f"the newest {counted(deploy.covers, 'commit')}" if deploy.is_cut else counted(deploy.covers, "commit")
    since = {"first": "the first one here", "forward": f"since {deploy.previous}"}
    told = since.get(deploy.kind, f"on another line than the last one, since {deploy.previous or 'the start'}")
    return f"{number}, {told}" + ("" if deploy.whole else "; not all of them have arrived: record it again")
