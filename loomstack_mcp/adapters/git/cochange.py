"""Which files a history changes together."""

from collections.abc import Sequence

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.cochange import together
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.patterns.globs import pattern

_COMMITS_MAX = 100
_HISTORY = "1 year ago"
_LOG_SECONDS_MAX = 0.5


def changed_with(repo: Repository, patterns: Sequence[str]) -> tuple[str, ...]:
    """Files that history changed together with these patterns' literal parts, most often first; as patterns.

    Empty where git takes too long: a briefing can do without.
    """
    keys = sorted({parsed.key.rstrip("/") for parsed in map(pattern, patterns) if parsed.key})
    if not keys:
        return ()
    asked = ("log", f"--max-count={_COMMITS_MAX}", f"--since={_HISTORY}", "--no-merges", "--full-diff")
    paths = (f":(top,literal){key}" for key in keys)
    try:
        printed = ("--name-only", "-z", "--format=%x01", repo.commit("HEAD"), "--", *paths)
        log = repo.run_plain(*asked, *printed, seconds_max=_LOG_SECONDS_MAX).text
    except Invalid:
        return ()
    commits = [commit.strip("\n\0").split("\0") for commit in log.split("\x01")]
    return together(commits, mine=patterns)
