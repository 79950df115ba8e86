"""Commits as somebody named them: which they are, how old, and whose."""

import time
from collections.abc import Iterable, Sequence

from loomstack_mcp.adapters.git.history import author_here
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.people import spelled_address
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.outcomes import MadeCommit, SeenCommits

_DIGITS = (40, 64)
"""Of a whole id, in SHA-1 and in SHA-256."""
_SHOWN = (
    "--format=%H%x00%ct%x00%aN%x00%aE%x00%cN%x00%cE%x00%(trailers:key=Loom-Run,valueonly,separator=%x2C,unfold)%x00"
)
_RUNS_MAX = 20


def seen_commits(repo: Repository, repo_id: str, names: Sequence[str]) -> SeenCommits:
    """What the repository knows of commits that are named by the first digits of their ids."""
    made: dict[str, MadeCommit] = {}
    problems: dict[str, str] = {}
    for name in dict.fromkeys(names):
        # Objects of other kinds may begin with the same digits: git takes the commit, where there is one alone.
        if sha := _commit(repo, name):
            made[name] = MadeCommit(sha=sha)
        else:
            problems[name] = _problem(repo, name)
    me = _spelled(author_here(repo))
    facts = _facts(repo, [one.sha for one in made.values()], me) if made else {}
    return SeenCommits(repo_id=repo_id, made={name: facts[one.sha] for name, one in made.items()}, problems=problems)


def _commit(repo: Repository, name: str) -> str:
    """The id, where the digits are those of one commit: a branch may be called so, too."""
    sha = repo.commit(name)
    if sha.startswith(name):
        return sha
    found = repo.run("rev-parse", f"--disambiguate={name}").text.split()
    commits = [one for one in found if repo.commit(one) == one]
    return commits[0] if len(commits) == 1 else ""


def _spelled(people: Iterable[str]) -> set[str]:
    """Names and addresses as they are compared."""
    return {spelled for part in people if (spelled := spelled_address(part))}


def _problem(repo: Repository, name: str) -> str:
    found = [] if len(name) in _DIGITS else repo.run("rev-parse", f"--disambiguate={name}").text.split()
    if any(repo.commit(one) == one for one in found):
        return "fits several commits: give all of its digits"
    return "is no commit of this repository: git rev-parse HEAD prints the one you made"


def _facts(repo: Repository, shas: Sequence[str], me: set[str]) -> dict[str, MadeCommit]:
    now_s = time.time()
    asked = ("log", "--no-walk=unsorted", _SHOWN, "--end-of-options", *shas)
    fields = repo.run_plain(*asked).text.split("\0")
    facts = {}
    for at in range(0, len(fields) - 7, 7):
        sha, made_s, *people, trailers = (field.strip("\n") for field in fields[at : at + 7])
        age_ms = round((now_s - int(made_s or 0)) * SECOND_MS)
        is_ours = not me or bool(me & _spelled(people))
        runs = tuple(run.strip() for run in trailers.split(",")[:_RUNS_MAX] if run.strip())
        facts[sha] = MadeCommit(sha=sha, age_ms=age_ms, by=people[2], is_ours=is_ours, runs=runs)
    return facts
