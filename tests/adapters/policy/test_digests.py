"""What an approval is bound to: the same change is the same wherever it is asked about, and another is not."""

from pathlib import Path

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.policy import early, lines, situations
from loomstack_mcp.adapters.policy.situations import landing, pushed
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.edge.asked import Asking
from tests.adapters.git.support import ZERO, commit, write
from tests.conftest import git

MAIN = "refs/heads/main"


def test_a_change_is_the_same_to_a_tool_a_push_and_a_gate_and_another_head_is_not(shop: Path) -> None:
    old = git(shop, "rev-parse", "main")
    git(shop, "checkout", "--quiet", "-b", "work")
    head = commit(shop, {"src/new.py": "one\n"})
    worktree = worktree_at(shop)
    assert worktree
    with (
        Asking(worktree, shop, "").situation("land", [], command="", target="main", base="") as asked,
        Repository(place_at(shop)) as repo,
    ):
        gate, _ = landing(repo, MAIN, head, point="ci", branch="main", trunk=MAIN)
        push = pushed(repo, old, head, MAIN, point="pre-receive", trunk=MAIN)
        elsewhere = pushed(repo, ZERO, head, "refs/heads/next", point="pre-receive", trunk=MAIN)
    git(shop, "commit", "--quiet", "--amend", "-m", "again")
    again = git(shop, "rev-parse", "HEAD")
    with Repository(place_at(shop)) as repo:
        other, _ = landing(repo, MAIN, again, point="ci", branch="main", trunk=MAIN)

    assert asked.digest == gate.digest == push.digest != ""
    assert asked.shown == gate.shown == ("1 file, +1 -0", "A src/new.py +1 -0")
    assert len({gate.digest, elsewhere.digest, other.digest}) == 3


def test_a_commit_is_the_same_until_something_else_is_staged_or_said(shop: Path) -> None:
    def staged(text: str) -> tuple[list[Situation], list[Situation]]:
        write(shop, {"src/a.py": text})
        git(shop, "add", "--all")
        worktree = worktree_at(shop)
        assert worktree
        with Repository(place_at(shop)) as repo:
            found = situations.staged(repo)
            said = [situations.message(repo, words) for words in ("why", "why", "what")]
        with Asking(worktree, shop, "").situation("commit", [], command="", target="", base="") as asked:
            return [asked, found], said

    one, said = staged("one\n")
    other, _ = staged("two\n")
    git(shop, "checkout", "--quiet", "-b", "work")
    elsewhere, _ = staged("two\n")

    assert [len({each.digest for each in some}) for some in (one, other, elsewhere, said)] == [1, 1, 1, 2]
    assert len({each.digest for each in (*one, *other, *elsewhere, *said)}) == 5
    assert said[0].shown == ("why", *one[1].shown)


def test_an_edit_is_bound_to_its_text_and_a_command_to_its_folder(shop: Path) -> None:
    worktree = worktree_at(shop)
    assert worktree
    with Asking(worktree, shop, "").situation("edit", ["src/a.py"], command="", target="", base="") as announced:
        edits = [early.edit(shop, shop, ["src/a.py"], point="pretool", content=text) for text in ("a", "b")]
    commands = [
        lines.command(shop, folder, line, point="pretool")
        for folder, line in ((shop, "make x"), (shop / "src", "make x"), (shop, "make  x"))
    ]
    tools = [early.tool("mcp__db__drop", point="pretool", content=text) for text in ('{"a":1}', '{"a":2}')]
    deploys = [early.deploy("production", point="deploy", commit=sha) for sha in ("a" * 40, "b" * 40)]
    digests = [one.digest for one in (announced, *edits, *commands, *tools, *deploys)]

    assert len(set(digests)) == len(digests)
    assert announced.shown == ("edit src/a.py", "what it will say was not told")


def test_what_is_shown_breaks_where_a_shell_does_and_nowhere_else(shop: Path) -> None:
    """What a terminal, or Python, breaks a line at besides is a part of a word: `#` behind it begins no comment."""
    breaks = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    spelled = breaks.encode("unicode_escape").decode()
    line = f"rm -rf src {breaks}# ../other\nmake"
    with Repository(place_at(shop)) as repo:
        said = situations.message(repo, f"why{breaks}# what\n")

    assert lines.command(shop, shop, line, point="pretool").shown == (
        f"rm -rf src {spelled}# ../other", "make", f"in {shop}",
    )  # fmt: skip
    assert early.tool("mcp__db__run", point="pretool", content=line).shown[1:] == (
        f"rm -rf src {spelled}# ../other", "make",
    )  # fmt: skip
    assert said.shown[0] == f"why{spelled}# what"
