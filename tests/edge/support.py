"""What the tests of the edge share: rules of a name, and a worktree seen with a home of its own."""

from collections.abc import Iterable
from pathlib import Path

from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.edge.here import Here
from tests.adapters.git.support import commit, write

RULE = """\
version: 1
policy: {id}
rules:
  - id: {id}
    why: a person decides this
    effect: {effect}
    on: [edit, commit, push, land, deploy]
    where: {{paths: ["{paths}"]}}
    fix: ask the team
"""


def rules(root: Path, *ids: str, effect: str = "deny", paths: str = "/src/**", more: str = "") -> None:
    """These rules, and no others, in a folder's `policies/`."""
    for path in (root / "policies").glob("*"):
        path.unlink()
    write(root, {f"policies/{one}.yaml": RULE.format(id=one, effect=effect, paths=paths) + more for one in ids})


def landed_rules(root: Path, *ids: str, effect: str = "deny", more: str = "") -> str:
    rules(root, *ids, effect=effect, more=more)
    return commit(root, {})


def here(folder: Path, home: Path) -> Here:
    return Here(folder, {"home": str(home)}, elsewhere="name one with --repo")


def ids(book: Rulebook) -> list[str]:
    """What is in force besides what is built in."""
    return sorted(named(rule.id for rule in book.rules))


def named(found: Iterable[str]) -> list[str]:
    return [one for one in found if not one.startswith("builtin.")]
