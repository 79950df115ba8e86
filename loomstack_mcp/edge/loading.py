"""What a commit says of how it is judged, its rules and its settings; and whether a tree's would load."""

from collections.abc import Mapping

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.adapters.policy.files import rulebook
from loomstack_mcp.adapters.settings import REPO_FILE, Settings, hub_of, load_settings, repo_file_problems
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.core.records import record


@record
class Target:
    """Where something would land, as it was before."""

    settings: Settings
    book: Rulebook
    problems: tuple[str, ...] = ()
    """What of it does not load, `file:line: key: what is wrong`."""
    has_rules: bool = True
    """Whether its own rules load; else the book has the layers above alone: the built-in one, the organisation's."""
    is_aged: str = ""
    """Why the organisation's rules may be older than the hub's; "" where they are not."""
    has_settings: bool = True
    """Whether its settings load, which may say what the store calls this repository."""


def judging_target(repo: Repository, flags: Mapping[str, str | None], *, commit: str) -> Target:
    """The rules and settings of a commit ("" before the first one).

    Raises Invalid and PolicyError where what does not load is not the commit's: the user's file, another layer.
    """
    own = load_settings(flags)
    aged = ""
    if hub_of(own):
        from loomstack_mcp.edge.org_rules import look_at_org_rules  # for those who have a hub

        aged = look_at_org_rules(own)
    text = _text(repo, commit) if commit else ""
    wrong = repo_file_problems(text)
    settings = own if wrong else load_settings(flags, in_repo=text)
    try:
        return Target(
            settings=settings,
            book=rulebook(repo, own.rules_home, commit=commit),
            problems=wrong,
            is_aged=aged,
            has_settings=not wrong,
        )
    except PolicyError as broken:
        problems = (*wrong, *str(broken).split("\n"))
        above = rulebook(repo, own.rules_home)
    return Target(
        settings=settings, book=above, problems=problems, has_rules=False, is_aged=aged, has_settings=not wrong
    )


def unloadable(repo: Repository, home: str, *, tree: str) -> tuple[str, ...]:
    """What would not load, were this tree, or that of this commit, the trunk's; empty where all does."""
    problems = list(repo_file_problems(_text(repo, tree)))
    try:
        rulebook(repo, home, commit=tree)
    except PolicyError as broken:
        problems += str(broken).split("\n")
    return tuple(problems)


def _text(repo: Repository, tree: str) -> str:
    return as_text(repo.file(tree, REPO_FILE))
