"""Whose a commit is, or a line of a file, as this clone and the store know it together."""

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.attributions import Attribution, Candidate
from loomstack_mcp.core.records import record
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom


@record
class LineAttribution:
    """Whose a line is."""

    path: str
    """The file as it was called in that commit."""
    line: int
    """The line's number there, from 1."""
    commit: Attribution
    """The commit that git blames for it, which may be several runs'."""
    run_id: str = ""
    """The run that wrote the line; "" is unattributed."""
    bound_by: str = ""
    """"line" where the line itself is known as the run's, else by what the commit is."""
    confidence: float = 0.0
    candidates: tuple[Candidate, ...] = ()


def attributed(here: Here, loom: Loom, repo: Repository, rev: str) -> Attribution:
    """Whose a commit is. Raises NotFound, Invalid with what to do."""
    raise NotImplementedError


def attributed_line(
    here: Here, loom: Loom, repo: Repository, path: str, line: int, *, rev: str = "HEAD"
) -> LineAttribution:
    """Whose a line of a file is. Raises NotFound, Invalid with what to do."""
    raise NotImplementedError
