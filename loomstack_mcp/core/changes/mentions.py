"""Mentions: what the message of a commit names, which anyone can type: runs, pull requests, other commits."""

import re

from loomstack_mcp.core.changes.trailers import TRAILER, named_runs
from loomstack_mcp.core.records import record

_MENTIONS_MAX = 20
"""Of each kind in one message."""
_ID = re.compile(r"\brun_[0-9A-HJKMNP-TV-Z]{8}\b")
_TRAILER_LINE = re.compile(r"[A-Za-z0-9-]+\s*:.*|\s+\S.*|\(cherry picked from commit [0-9a-f]+\)")
_PULLS = (
    re.compile(r"\A[^\n]*\([#!](\d{1,9})\)[ \t]*$", re.MULTILINE),  # GitHub's squash, and what others made of it
    re.compile(r"\AMerge pull request #(\d{1,9}) from "),
    re.compile(r"\AMerged PR (\d{1,9}): "),  # Azure
    re.compile(r"\AMerged in [^\n]* \(pull request #(\d{1,9})\)$", re.MULTILINE),  # Bitbucket
    re.compile(r"^See merge request [^\s!]*!(\d{1,9})$", re.MULTILINE),  # GitLab
)
_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_PICKS = re.compile(r"^\(cherry picked from commit ([0-9a-f]{7,64})\)$", re.MULTILINE)


@record
class Mentions:
    """What a message names."""

    trailers: tuple[str, ...] = ()
    """The runs of its `Loom-Run:` trailers, where git itself reads them as such."""
    runs: tuple[str, ...] = ()
    """The runs that stand elsewhere in it."""
    pulls: tuple[int, ...] = ()
    """The numbers of the pull requests, or merge requests, that it says it landed with."""
    reverts: tuple[str, ...] = ()
    """The commits that it says it takes back."""
    picks: tuple[str, ...] = ()
    """The commits that it says it was picked from."""


def mentions(message: str, /) -> Mentions:
    """What a whole message names, in its order."""
    trailers = named_runs(_last_paragraph(message))
    anywhere = dict.fromkeys((*named_runs(message), *_ID.findall(message)))
    pulls = dict.fromkeys(int(found) for pattern in _PULLS for found in pattern.findall(message))
    return Mentions(
        trailers=trailers,
        runs=tuple(run for run in anywhere if run not in trailers)[:_MENTIONS_MAX],
        pulls=tuple(pulls)[:_MENTIONS_MAX],
        reverts=tuple(dict.fromkeys(_REVERTS.findall(message)))[:_MENTIONS_MAX],
        picks=tuple(dict.fromkeys(_PICKS.findall(message)))[:_MENTIONS_MAX],
    )


def _last_paragraph(message: str) -> str:
    """The block of trailers at its end (git-interpret-trailers(1)); "" where that is none, or all there is."""
    body, blank, last = message.rstrip().rpartition("\n\n")
    lines = last.split("\n")
    is_block = bool(body and blank) and all(map(_TRAILER_LINE.fullmatch, lines))
    return "\n".join(line for line in lines if line.lower().startswith(f"{TRAILER.lower()}:")) if is_block else ""
