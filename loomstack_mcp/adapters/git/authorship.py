"""What other tools wrote down beside a commit: git-ai's notes, where a clone has them."""

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.core.authorship import NOTES_REF, agent_sessions
from loomstack_mcp.core.traces import AgentSession


def agent_sessions_of(repo: Repository, sha: str) -> tuple[AgentSession, ...]:
    """The sessions that git-ai wrote down with a commit; empty where there is no note, or one that is none."""
    if not repo.objects.object_named(NOTES_REF):
        return ()
    blob = repo.run("notes", f"--ref={NOTES_REF}", "list", sha).text
    found = repo.objects.object_named(blob) if blob else None
    return agent_sessions(as_text(found.content)) if found and found.kind == "blob" and found.content else ()
