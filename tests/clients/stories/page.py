"""The chapter of the help that tells the stories: written from what the real clients did."""

import re
from collections.abc import Sequence

from tests.clients.stories.plays import Play
from tests.clients.stories.shop import ROOT
from tests.clients.stories.telling import told

PAGE = ROOT / "loomstack_mcp" / "help" / "stories.md"
_BLOCK = re.compile(r"^```text\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_CHAPTER = """\
# Stories

What agents do with the definitions and skills of this package, call by call: who, what it calls, and what of the
answer matters. Both clients really played them, with a scripted model in the place of their own, real files, real git
and real tests; Claude Code and Codex make the same calls. Ids and commits are numbered.

## A change is sent back once

You type `/loom-run amounts cents() reads amounts as customers type them` in Claude Code, or `$loom-run …` in Codex.
Your session leads; the agents `maker` and `checker` do the work. The repository has eight cases of what customers type,
and a rule by which only what another run has checked may land. All calls and answers of LoomStack in this round take
less than 800 tokens.

```text
{}
```

`loomstack-mcp runs` shows both runs with what came of them.

## A red test is not what it seems

Bea's loop changes a test on purpose, before the code. Ana's loop, in a worktree and a client of its own, finds the
trunk red. It is told why, and its claim is refused while Bea's run holds the test; so is the edit that its session
tries all the same, which no definition tells. It is stopped before it lands what takes Bea's change back: git sees no
conflict there, and all tests pass.

```text
{}
```

## They agree

A stop is not the end. Ana's `resolver` asks Bea's loop, which hears of it with its next step. What Bea's loop agrees
to may land, once, and nothing else.

```text
{}
```
"""


def rework_story(rework: Play) -> str:
    """The text of the first story."""
    return told(rework.steps, folders=rework.folders)


def agreement_stories(agreement: Play) -> list[str]:
    """The texts of the second story and the third, which are one play."""
    whole = told(agreement.steps, folders=agreement.folders)
    at = whole.index("\nana's lead      to resolver:")
    return [whole[:at], whole[at + 1 :]]


def chapter(texts: Sequence[str]) -> str:
    """The chapter that tells these."""
    return _CHAPTER.format(*texts)


def shown() -> list[str]:
    """The stories as the chapter tells them now."""
    return _BLOCK.findall(PAGE.read_text("utf-8"))
