"""What a trace is about, found in the store: a commit by its first digits, a pull request, a deploy, a run."""

import re
from dataclasses import replace

from loomstack_mcp.core.deploys import Deploy
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.repos import identity_of
from loomstack_mcp.core.traces import TRACED_COMMITS_MAX, TraceRef, TraceWanted
from loomstack_mcp.services.attributed import ATTRIBUTIONS, has_address, identities_of, runs_of_commits, runs_of_pulls
from loomstack_mcp.services.deploys import DEPLOYS, as_deploys
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Tx

RUNS = queries.statements("runs")
TRACES = queries.statements("traces")

_DIGITS = re.compile(r"[0-9a-f]{4,64}")
_FITTING_MAX = 5
_TELLING_DIGITS = 7
"""By which a run may have recorded a commit."""


def wanted_by_store(tx: Tx, repo_id: str, ref: TraceRef, *, asked: str) -> TraceWanted:
    """What `ref` stands for in a repo. Raises NotFound, with what to do."""
    found = TraceWanted(asked=asked, kind=ref.kind)
    if ref.kind == "run":
        return _of_run(tx, repo_id, ref, found)
    if ref.kind == "deploy":
        return _of_deploy(tx, repo_id, ref, found)
    if ref.kind == "pr":
        return _of_number(tx, repo_id, ref, found) if ref.is_bare else _of_pull(tx, repo_id, ref, found)
    if ref.kind == "line":
        gap = f"whose line {ref.line} of {ref.text} is: no clone of it is seen here; ask `loomstack-mcp trace` in one"
        return replace(found, unchecked=(gap,))
    return _of_commit(tx, repo_id, ref, found)


def commits_made(tx: Tx, repo_id: str, run_ids: tuple[str, ...]) -> tuple[str, ...]:
    """The commits that some runs made, the last first."""
    asked = {"repo_id": repo_id, "run_ids": rows.json_column(run_ids), "limit": TRACED_COMMITS_MAX}
    return tuple(str(row["sha"]) for row in tx.all(TRACES["made_by"], **asked))


def _of_run(tx: Tx, repo_id: str, ref: TraceRef, found: TraceWanted) -> TraceWanted:
    if not any(row["repo_id"] == repo_id for row in tx.all(RUNS["get"], id=ref.text)):
        raise NotFound(
            f"there is no run {ref.text} in {repo_id}; `loomstack-mcp runs` lists those there are, "
            "and a run of another repository is traced there (--repo URL)"
        )
    shas = commits_made(tx, repo_id, (ref.text,))
    return replace(found, shas=shas, run_ids=(ref.text,))


def _of_deploy(tx: Tx, repo_id: str, ref: TraceRef, found: TraceWanted) -> TraceWanted:
    by_id = as_deploys(tx.all(DEPLOYS["get"], id=ref.text))
    deploys = [one for one in by_id if one.repo_id == repo_id]
    if not deploys:
        named = tx.all(DEPLOYS["called"], repo_id=repo_id, called=ref.text, limit=_FITTING_MAX)
        deploys = list(as_deploys(named))
    if not deploys:
        raise NotFound(f"there is no deploy {ref.text} in {repo_id}; `loomstack-mcp deploy list` shows them")
    if len(deploys) > 1:
        places = ", ".join(f"{one.id} ({one.environment})" for one in deploys)
        raise NotFound(f"{ref.text} is the name of several deploys: {places}; trace one of these by its id")
    [deploy] = deploys
    shas = [str(row["sha"]) for row in tx.all(DEPLOYS["commits_of"], id=deploy.id, limit=TRACED_COMMITS_MAX)]
    return replace(
        found,
        shas=tuple(shas),
        deploy_ids=(deploy.id,),
        more_commits=max(0, deploy.covers - len(shas)),
        unchecked=tuple(_gaps(deploy)),
    )


def _gaps(deploy: Deploy) -> list[str]:
    found = []
    if deploy.is_cut:
        found.append(f"older commits than the newest {deploy.covers:,} came with it, too, and are not kept")
    if not deploy.whole:
        found.append("not all of its commits have arrived: record it again")
    return found


def _of_number(tx: Tx, repo_id: str, ref: TraceRef, found: TraceWanted) -> TraceWanted:
    """A pull request, or else the commit that begins with its digits."""
    try:
        return _of_pull(tx, repo_id, ref, found)
    except NotFound as no_pull:
        try:
            return _of_commit(tx, repo_id, ref, replace(found, kind="commit"))
        except NotFound as no_commit:
            raise NotFound(f"{no_pull}; and {no_commit}") from None


def _of_pull(tx: Tx, repo_id: str, ref: TraceRef, found: TraceWanted) -> TraceWanted:
    if ref.url and identity_of(ref.url) not in identities_of(tx, repo_id):
        raise NotFound(f"{ref.url} is another repository than {repo_id}; trace it there (--repo URL)")
    runs = tuple(runs_of_pulls(tx, repo_id, [int(ref.text)]))
    asked = {"repo_id": repo_id, "number": int(ref.text), "limit": TRACED_COMMITS_MAX}
    landed = [str(row["sha"]) for row in tx.all(TRACES["landed_with"], **asked)]
    shas = tuple(dict.fromkeys((*landed, *(() if landed else commits_made(tx, repo_id, runs)))))
    if not shas and not runs:
        raise NotFound(
            f"no run of {repo_id} recorded the pull request #{ref.text}, and no commit that was looked at names it: "
            "trace one of its commits"
        )
    is_its_pull = not landed or has_address(identities_of(tx, repo_id))  # else that page may be any repository's
    return replace(found, shas=shas, run_ids=runs if is_its_pull else ())


def _of_commit(tx: Tx, repo_id: str, ref: TraceRef, found: TraceWanted) -> TraceWanted:
    digits = ref.text.lower()
    if not _DIGITS.fullmatch(digits):
        raise NotFound(
            f"{ref.text[:60]} may be a branch or a tag, and no clone of {repo_id} is seen here: "
            "name the commit's digits"
        )
    asked = {"repo_id": repo_id, "prefix": digits, "beyond": f"{digits}g", "limit": _FITTING_MAX}
    fitting = [str(row["sha"]) for row in tx.all(ATTRIBUTIONS["of_prefix"], **asked)]
    if len(fitting) > 1:
        raise NotFound(f"{digits} fits {counted(len(fitting), 'commit')} at least: give more of its digits")
    if not fitting and (runs := runs_of_commits(tx, repo_id, [digits]) if len(digits) >= _TELLING_DIGITS else []):
        gap = f"what {digits[:12]} did, as which a run recorded its work: it may be rewritten"
        return replace(found, run_ids=tuple(runs), unchecked=(gap,))
    if not fitting:
        raise NotFound(
            f"no commit {digits} was looked at in {repo_id} yet: "
            f"run `loomstack-mcp trace {digits}` in a clone that has it"
        )
    return replace(found, shas=(fitting[0],))
