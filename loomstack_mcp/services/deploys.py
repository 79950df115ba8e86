"""Deploys: recorded by whoever sees the repository, with the commits that came, for those who see none."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from loomstack_mcp.core.deploys import (
    DEPLOY_SLICE,
    Deploy,
    DeployDraft,
    KeptDeploy,
    environment_named,
)
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import ENVIRONMENT_CHARS_MAX, NAME_CHARS_MAX
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, repos
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

DEPLOYS = queries.statements("deploys")


class DeployService:
    """What was brought to which environment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, checkout: Checkout, draft: DeployDraft, *, who: str, seen: str = "") -> KeptDeploy:
        """Keep a deploy whose commits are to come (`keep_commits`), unless it covers none.

        `seen` is the last deploy of its environment that `draft` was made by: where another is the last by now, nothing
        is kept, and no deploy comes back. One that was recorded under that name before comes back as it is. Raises
        Invalid where the name is that of another commit there.
        """
        return self._kept(checkout, draft, who=who, seen=seen)

    def take_in_tag(self, checkout: Checkout, draft: DeployDraft, *, who: str, seen: str = "") -> KeptDeploy:
        """The same of a deploy that a tag stands for."""
        return self._kept(checkout, replace(draft, how="tag", decision=""), who=who, seen=seen)

    def keep_commits(self, deploy_id: str, shas: Sequence[str], *, place: int, is_last: bool) -> None:
        """A slice of what came with a deploy, from that place on. Once all is there, nothing is added.

        Raises NotFound, and LimitExceeded for more than a slice.
        """
        within("the number of commits", len(shas), least=0, most=DEPLOY_SLICE)
        with self._store.append() as tx:
            deploy = _deploy(tx, deploy_id)
            if deploy.whole:
                return
            told = rows.json_column(list(shas))
            tx.later(DEPLOYS["keep_commits"], repo_id=deploy.repo_id, deploy_id=deploy.id, shas=told, place=place)
            if is_last:
                tx.later(DEPLOYS["complete"], id=deploy.id)

    def latest(self, repo_id: str, *, environment: str = "", limit: int) -> tuple[tuple[Deploy, ...], int]:
        """The last deploys, or those to an environment, newest first; and the time."""
        with self._store.read() as tx:
            if environment:
                found = tx.all(DEPLOYS["latest_in"], repo_id=repo_id, environment=environment, limit=limit)
            else:
                found = tx.all(DEPLOYS["latest"], repo_id=repo_id, limit=limit)
            return as_deploys(found), tx.now_ms

    def known_tags(self, checkout: Checkout, tags: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
        """Of these names those that deploys have: the environment, the name, the commit."""
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            found = tx.all(DEPLOYS["called_so"], repo_id=repo_id, tags=rows.json_column(list(tags)))
            return tuple((row["environment"], row["called"], row["sha"]) for row in found)

    def _kept(self, checkout: Checkout, draft: DeployDraft, *, who: str, seen: str) -> KeptDeploy:
        who = bounded("by", who, chars_max=NAME_CHARS_MAX, required=True)
        called = bounded("id", draft.called, chars_max=NAME_CHARS_MAX)
        place = bounded("env", draft.environment, chars_max=ENVIRONMENT_CHARS_MAX, required=True)
        draft = replace(draft, called=called, environment=environment_named(place))
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            if known := _known(tx, repo_id, draft):
                return KeptDeploy(deploy=known)
            asked = {"repo_id": repo_id, "environment": place, "limit": 1}
            last = next(iter(as_deploys(tx.all(DEPLOYS["latest_in"], **asked))), None)
            if (last.id if last else "") != seen:
                return KeptDeploy()
            if last and last.sha == draft.sha and last.how == "gate" and draft.how != "tag":
                return KeptDeploy(deploy=_confirmed(tx, last, draft, who))
            return KeptDeploy(deploy=_drawn(tx, repo_id, draft, who), is_new=True)


def as_deploys(found: Iterable[Row], /) -> tuple[Deploy, ...]:
    """Rows of deploys as records."""
    return tuple(replace(one, is_cut=bool(one.is_cut), whole=bool(one.whole)) for one in rows.as_records(Deploy, found))


def _known(tx: Tx, repo_id: str, draft: DeployDraft) -> Deploy | None:
    """The deploy of that name there. Raises Invalid where it is one of another commit."""
    if not draft.called:
        return None
    found = as_deploys(tx.all(DEPLOYS["called"], repo_id=repo_id, called=draft.called, limit=100))
    known = next((one for one in found if one.environment == draft.environment), None)
    if known and known.sha != draft.sha:
        raise Invalid(
            f"{draft.called} is recorded in {draft.environment} as {known.id}, a deploy of {known.sha[:12]}; "
            "give this one an --id of its own"
        )
    return known


def _confirmed(tx: Tx, last: Deploy, draft: DeployDraft, who: str) -> Deploy:
    """What the gate let through was deployed, or is let through again."""
    if draft.how == "gate":
        tx.later(DEPLOYS["decide"], id=last.id, decision=draft.decision)
        return replace(last, decision=draft.decision)
    at_ms = draft.at_ms or tx.now_ms
    told = replace(last, called=draft.called, how=draft.how, who=who, deployed_at_ms=at_ms)
    tx.later(DEPLOYS["confirm"], **rows.row(told, only=("id", "called", "how", "who", "deployed_at_ms")))
    _tell(tx, told)
    return told


def _drawn(tx: Tx, repo_id: str, draft: DeployDraft, who: str) -> Deploy:
    seq = tx.next_seq(repo_id)
    deploy = Deploy(
        id="",
        repo_id=repo_id,
        seq=seq,
        environment=draft.environment,
        sha=draft.sha,
        called=draft.called,
        kind=draft.kind,
        previous=draft.previous,
        how=draft.how,
        who=who,
        decision=draft.decision,
        covers=draft.covers,
        is_cut=draft.is_cut,
        whole=not draft.covers,
        deployed_at_ms=draft.at_ms or tx.now_ms,
        recorded_at_ms=tx.now_ms,
    )
    columns = {**rows.row(deploy), "is_cut": int(deploy.is_cut), "whole": int(deploy.whole)}
    drawn = events.drawn("dep", lambda id: tx.run(DEPLOYS["insert"], **{**columns, "id": id}))  # noqa: A006
    deploy = replace(deploy, id=drawn)
    _tell(tx, deploy, seq=seq)
    return deploy


def _tell(tx: Tx, deploy: Deploy, *, seq: int | None = None) -> None:
    payload = {
        "environment": deploy.environment,
        "commit": deploy.sha,
        "covers": deploy.covers,
        "how": deploy.how,
        "who": deploy.who,
    }
    events.append(tx, deploy.repo_id, "deploy.recorded", about=deploy.id, payload=payload, seq=seq)


def _deploy(tx: Tx, deploy_id: str) -> Deploy:
    found = as_deploys(tx.all(DEPLOYS["get"], id=deploy_id))
    if not found:
        raise NotFound(f"there is no deploy {deploy_id}; `loomstack-mcp deploy list` shows them")
    return found[0]
