"""`python -m tests.clients.stories` plays the stories with the real clients, and writes what they did into the help."""

import os
import tempfile
from pathlib import Path

from tests.clients.stories.hands import Claude, Codex
from tests.clients.stories.page import PAGE, agreement_stories, chapter, rework_story
from tests.clients.stories.plays import agreement_play, rework_play

with tempfile.TemporaryDirectory(prefix="stories-") as kept:
    folder = Path(kept)
    os.environ.setdefault("HARNESS_TMP", kept)
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    first = rework_story(rework_play(folder / "one", Claude))
    PAGE.write_text(chapter([first, *agreement_stories(agreement_play(folder / "two", Claude, Codex))]), "utf-8")
