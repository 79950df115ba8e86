"""Deploys, where the repository is seen: what comes with what is deployed, and which tags stand for a deploy."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import islice

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, committed_at_ms
from loomstack_mcp.core.deploys import (
    DEPLOY_COMMITS_MAX,
    DEPLOY_SLICE,
    DEPLOYS_COMPARED_MAX,
    Coverage,
    Deploy,
    DeployDraft,
    KeptDeploy,
    deploy_standing,
)
from loomstack_mcp.core.errors import Invalid, NotFound, StoreUnavailable, Unauthorized
from loomstack_mcp.core.limits import DECISION_ROUNDS_MAX
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom

_TAGS_MAX = 50
"""Of the newest tags that stand for deploys, so many are looked at; older ones came with the oldest of these."""
_NAME_CHARS_MAX = 150
_TAG = "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)"
_ID = re.compile(r"[0-9a-f]{7,64}")
_FETCHED = "git fetch --unshallow; in GitHub Actions, actions/checkout with fetch-depth: 0"


@record
class Tag:
    """A tag that stands for a deploy."""

    name: str
    environment: str
    sha: str
    at_ms: int = 0


def deployed_commit(repo: Repository, name: str) -> str:
    """The whole id of what was deployed. Raises NotFound, with what to do, for what is no commit here."""
    if sha := repo.commit(name):
        return sha
    if _ID.fullmatch(name) and len(repo.run("rev-parse", f"--disambiguate={name}").text.split()) > 1:
        raise NotFound(f"{name} fits several objects here; give all of its digits")
    raise NotFound(
        f"{name[:100]} is no commit here, so that nobody can say what came with it; fetch it "
        f"(git fetch origin {name[:100]}), or name the commit that was deployed with --sha"
    )


def recorded_deploy(
    loom: Loom,
    repo: Repository,
    checkout: Checkout,
    draft: DeployDraft,
    *,
    who: str,
    is_tag: bool = False,
) -> KeptDeploy:
    """The deploy of `draft.sha`, kept with all that comes with it; what it covers is found out here.

    Raises Invalid where the history that would tell is not here, or the name is taken, StoreUnavailable where others
    deploy there all the time.
    """
    kept = loom.deploys.take_in_tag if is_tag else loom.deploys.record
    for _ in range(DECISION_ROUNDS_MAX):
        earlier, _ = loom.deploys.latest(
            loom.repos.id_of(checkout), environment=draft.environment, limit=DEPLOYS_COMPARED_MAX
        )
        _finish_begun(loom, repo, earlier)
        covered = coverage(repo, draft.sha, earlier)
        told = replace(
            draft,
            kind=covered.kind,
            previous=covered.previous,
            covers=len(covered.shas),
            is_cut=covered.is_cut,
        )
        found = kept(checkout, told, who=who, seen=earlier[0].id if earlier else "")
        if found.deploy is not None:
            if found.deploy.whole:
                return found
            shas = covered.shas if found.is_new else _covered_then(repo, found.deploy, earlier)
            _keep_commits(loom, found.deploy, shas)
            return replace(found, deploy=replace(found.deploy, whole=True))
    raise StoreUnavailable(f"others deployed to {draft.environment} {DECISION_ROUNDS_MAX} times meanwhile; ask again")


def coverage(repo: Repository, sha: str, earlier: Sequence[Deploy]) -> Coverage:
    """What comes with a commit, after the earlier deploys of its environment, newest first.

    Raises Invalid where the clone is too shallow to tell.
    """
    here = {one.sha for one in earlier if repo.commit(one.sha) == one.sha}
    if repo.is_shallow and len(here) < len({one.sha for one in earlier}):
        raise Invalid(f"this clone is shallow, and lacks what was deployed before; fetch it first ({_FETCHED})")
    kind, base = deploy_standing(
        sha, earlier, descends=lambda one, other: {one, other} <= {sha, *here} and repo.descends(one, other)
    )
    if kind in ("rollback", "again"):
        return Coverage(kind=kind, previous=base.id if base else "")
    shas, is_cut = _reached(repo, sha, base)
    return Coverage(kind=kind, previous=base.id if base else "", shas=shas, is_cut=is_cut)


def _reached(repo: Repository, sha: str, base: Deploy | None) -> tuple[tuple[str, ...], bool]:
    """The newest commits that are reached from one, but not from where it goes on; and whether there are more."""
    asked = ["rev-list", "--topo-order", f"--max-count={DEPLOY_COMMITS_MAX + 1}", "--end-of-options", sha]
    ran = repo.run(*asked, *([f"^{base.sha}"] if base else []), seconds_max=READ_SECONDS_MAX)
    if ran.code:
        raise Invalid(f"git cannot follow the history here: {ran.complaint}")
    shas = ran.text.split()
    if repo.is_shallow and not repo.boundaries.isdisjoint(shas):
        raise Invalid(f"this clone is shallow: what came with {sha[:12]} is not all here; fetch it first ({_FETCHED})")
    return tuple(shas[:DEPLOY_COMMITS_MAX]), len(shas) > DEPLOY_COMMITS_MAX


def _finish_begun(loom: Loom, repo: Repository, earlier: Sequence[Deploy]) -> None:
    """What came with deploys that somebody was killed in recording is kept, as far as it is here."""
    for one in earlier:
        if not one.whole:
            with suppress(Invalid):
                _keep_commits(loom, one, _covered_then(repo, one, earlier))


def _covered_then(repo: Repository, deploy: Deploy, earlier: Sequence[Deploy]) -> tuple[str, ...]:
    """What comes with a deploy that was begun, as it was begun. Raises Invalid where that is not here."""
    base = next((one for one in earlier if one.id == deploy.previous), None)
    if deploy.previous and base is None:
        raise Invalid(f"{deploy.previous}, which {deploy.id} goes on from, is too long ago")
    return _reached(repo, deploy.sha, base)[0]


def _keep_commits(loom: Loom, deploy: Deploy, shas: Sequence[str]) -> None:
    for place in range(0, max(1, len(shas)), DEPLOY_SLICE):
        some = shas[place : place + DEPLOY_SLICE]
        loom.deploys.keep_commits(deploy.id, some, place=place, is_last=place + DEPLOY_SLICE >= len(shas))


def take_in_tags(
    loom: Loom, repo: Repository, checkout: Checkout, patterns: Sequence[str], *, who: str
) -> tuple[str, ...]:
    """Tags that stand for deploys are kept as such, where they were not. Returns what was not, in sentences.

    `patterns` are those of the setting, `PATTERN=ENVIRONMENT` each.
    """
    if not patterns:
        return ()
    found = list(_deploying(repo, patterns))
    tags = found[:_TAGS_MAX]
    new = _new_tags(loom, checkout, tags)
    is_first_time = len(new) == len(tags)
    for tag in _parents_first(repo, new):
        draft = DeployDraft(
            environment=tag.environment, sha=tag.sha, called=tag.name, how="tag", kind="first", at_ms=tag.at_ms
        )
        try:
            recorded_deploy(loom, repo, checkout, draft, who=who, is_tag=True)
        except Unauthorized:
            return (f"the tag {tag.name} as a deploy: this token may not record it",)
        except Invalid as error:
            return (f"the tag {tag.name} as a deploy: {error}",)
    if is_first_time and len(found) > len(tags):
        return (
            f"tags older than {tags[-1].name}: the newest {_TAGS_MAX} are deploys, and what came before is of that one",
        )
    return ()


def _new_tags(loom: Loom, checkout: Checkout, tags: Sequence[Tag]) -> list[Tag]:
    """Those that are not kept, each under a name that none is kept under."""
    known = set(loom.deploys.known_tags(checkout, [name for tag in tags for name in (tag.name, _moved(tag))]))
    names = {(place, name) for place, name, _ in known}
    new = (tag for tag in tags if not {(tag.environment, name, tag.sha) for name in (tag.name, _moved(tag))} & known)
    return [replace(tag, name=_moved(tag)) if (tag.environment, tag.name) in names else tag for tag in new]


def _moved(tag: Tag) -> str:
    """What a tag is called that stood on another commit when it was kept."""
    return f"{tag.name}@{tag.sha[:12]}"


def _deploying(repo: Repository, patterns: Sequence[str]) -> Iterator[Tag]:
    """The newest tags that fit a pattern, and one more, each for the first one that it fits."""
    pairs = [pattern.rpartition("=") for pattern in patterns]
    lines = repo.run("for-each-ref", "--sort=-creatordate", _TAG, "refs/tags").text.split("\n")
    found = (tag for line in lines if (tag := _tag(repo, line, pairs)))
    yield from islice(found, _TAGS_MAX + 1)


def _tag(repo: Repository, line: str, pairs: Sequence[tuple[str, str, str]]) -> Tag | None:
    name, sha, peeled, seconds = (*line.split("\0"), "", "", "")[:4]
    place = next((place for pattern, _, place in pairs if fnmatchcase(name, pattern)), "")
    # What nobody could type, or is too long to be kept, stands for nothing.
    commit = repo.commit(peeled or sha) if place and name.isprintable() and len(name) <= _NAME_CHARS_MAX else ""
    return Tag(name=name, environment=place, sha=commit, at_ms=committed_at_ms(seconds)) if commit else None


def _parents_first(repo: Repository, tags: Sequence[Tag]) -> list[Tag]:
    """In the order of the history, whatever their clocks say."""
    if len(tags) < 2:
        return [*tags]
    shas = {tag.sha for tag in tags}
    ran = repo.run("rev-list", "--topo-order", "--reverse", *sorted(shas), seconds_max=READ_SECONDS_MAX)
    places = {sha: at for at, sha in enumerate(ran.text.split()) if sha in shas}
    return sorted(tags, key=lambda tag: (places.get(tag.sha, 0), tag.name))
