"""Codex's patches, whose headers name the files."""

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\*\*\* (?:Add File|Update File|Delete File|Move to):(?P<path>.+)")


def patched(patch: str, /) -> tuple[str, ...]:
    """The files that a patch writes; a move writes both ends. Blanks around a header count for nothing."""
    headers = (_HEADER.fullmatch(line.strip()) for line in patch.split("\n"))
    return tuple(dict.fromkeys(path for header in headers if header and (path := header["path"].strip())))


def patched_text(patch: str, path: str, text: str, /) -> str | None:
    """What a file says after a patch; None where its lines are not found in it, or the patch does not update it."""
    for part in _parts(patch, path):
        old = "\n".join(line[1:] for line in part if line[0] != "+")
        new = "\n".join(line[1:] for line in part if line[0] != "-")
        if not old or old not in text:
            return None
        text = text.replace(old, new, 1)
    return text


def _parts(patch: str, path: str) -> Iterator[list[str]]:
    """The lines of each place in a file that a patch updates."""
    for section in patch.split("*** Update File:")[1:]:
        name, _, rest = section.partition("\n")
        if name.strip() == path:
            for part in re.split(r"^@@.*$", rest.partition("\n*** ")[0], flags=re.MULTILINE):
                if lines := [line for line in part.split("\n") if line[:1] in (" ", "-", "+") and line]:
                    yield lines
