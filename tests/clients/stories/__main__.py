"""`python -m tests.clients.stories` plays the stories with the real clients, and writes what they did into the help.

The second and third are played both ways round, which the tests have no time for: each client undoes, and each agrees.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.clients.stories.claude_hands import Claude
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.page import PAGE, agreement_stories, chapter, rework_story
from tests.clients.stories.plays import Client, agreement_play, rework_play


def main() -> None:
    """Write the chapter. Fails where the clients do not tell the same."""
    with tempfile.TemporaryDirectory(prefix="stories-") as kept:
        os.environ.setdefault("HARNESS_TMP", kept)
        plays = (agreement_play(Path(kept) / f"{at}", bea, ana) for at, (bea, ana) in enumerate(_WAYS))
        first, *others = map(agreement_stories, plays)
        assert others == [first], "told otherwise where the clients change places"
        PAGE.write_text(chapter([rework_story(rework_play(Path(kept) / "rework", Claude)), *first]), "utf-8")


_WAYS: Sequence[tuple[Client, Client]] = ((Claude, Codex), (Codex, Claude))
if __name__ == "__main__":
    main()
