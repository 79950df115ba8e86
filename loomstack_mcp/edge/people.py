"""Who is who to a repository, as its trunk says."""

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy.files import rulebook
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.people import PEOPLE_FILE, Person


def people_of(repo: Repository, home: str) -> tuple[Person, ...]:
    """With the rules: the trunk's, before the first commit the worktree's. Raises PolicyError, NotFound."""
    is_new = not repo.trunk and not repo.commit("HEAD")
    commit = "" if is_new else repo.commit(repo.told_trunk())
    return rulebook(repo, home, commit=commit, worktree=is_new).people


def persons_on_trunk(repo: Repository) -> tuple[Person, ...]:
    """Whom the trunk knows, for what counts as one person's; nobody where its file does not load."""
    text = repo.trunk_file(PEOPLE_FILE)
    if not text:
        return ()
    from loomstack_mcp.adapters.policy.people import people_in  # YAML, which few repositories need here

    try:
        return people_in(text.encode("utf-8", "surrogateescape"))
    except PolicyError:
        return ()
