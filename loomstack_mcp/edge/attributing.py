"""Whose a commit is, or a line of a file, as this clone and the store know it together."""

from loomstack_mcp.adapters.git.made_work import MadeWork
from loomstack_mcp.adapters.git.one_commit import blamed_line, change_of, commit_named
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.attributions import (
    Attribution,
    CommitFacts,
    commit_facts,
)
from loomstack_mcp.core.changes.blamed import LineAttribution, asked_line, line_attribution
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import Imprint
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.filling import keep_imprints, keep_signed
from loomstack_mcp.loom import Loom


def attributed(checkout: Checkout, loom: Loom, repo: Repository, rev: str) -> Attribution:
    """Whose a commit is, which is kept from now on.

    Raises NotFound where there is no such commit in this clone, Invalid where there are several.
    """
    found, _, _ = _attributed(checkout, loom, repo, commit_named(repo, rev))
    return found


def attributed_line(
    checkout: Checkout, loom: Loom, repo: Repository, path: str, line: int, *, rev: str = "HEAD"
) -> LineAttribution:
    """Whose a line of a file is, from 1, as it stands in `rev`; `path` is from the top of the repository.

    Raises NotFound where there is no such commit, file or line, or its history is not in this clone; Invalid for what
    makes no sense, or takes git too long.
    """
    if line < 1:
        raise Invalid(f"line is {line}; the first line of a file is 1")
    sha = commit_named(repo, rev)
    deciders = [repo.commit(repo.trunk)] if repo.trunk else []
    blamed = blamed_line(repo, sha, path, line, deciders=deciders)
    found, change, facts = _attributed(checkout, loom, repo, blamed.sha)
    number = Lines(loom.ledger.key(checkout)).number(blamed.text)
    asked = asked_line(change, facts.imprint or Imprint(), path=blamed.path, line=blamed.line, number=number)
    repo_id = loom.repos.id_of(checkout)
    makers = loom.attributions.of_lines(repo_id, found.sha, asked.marks) if found.run_id else None
    return line_attribution(found, makers, asked=asked, path=blamed.path, line=blamed.line)


def _attributed(checkout: Checkout, loom: Loom, repo: Repository, sha: str) -> tuple[Attribution, Change, CommitFacts]:
    ledger = loom.ledger
    key = ledger.key(checkout)
    clone = MadeWork(repo, key=key)
    keep_imprints(ledger, checkout, clone)
    change = change_of(repo, sha, lines=Lines(key))
    if change.hints:
        keep_signed(ledger, checkout, change.hints, clone)
    facts = commit_facts(change, is_landed=_has_landed(repo, sha))
    return loom.attributions.attributed(checkout, facts, key_name=clone.key_name), change, facts


def _has_landed(repo: Repository, sha: str) -> bool:
    trunk = repo.commit(repo.trunk) if repo.trunk else ""
    return bool(trunk) and repo.run("merge-base", "--is-ancestor", sha, trunk).code == 0
