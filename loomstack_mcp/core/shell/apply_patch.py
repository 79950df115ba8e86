"""Codex's patches, whose headers name the files."""

import re

_HEADER = re.compile(r"\*\*\* (?:Add File|Update File|Delete File|Move to):(?P<path>.+)")


def patched(patch: str, /) -> tuple[str, ...]:
    """The files that a patch writes; a move writes both ends. Blanks around a header count for nothing."""
    headers = (_HEADER.fullmatch(line.strip()) for line in patch.split("\n"))
    return tuple(dict.fromkeys(path for header in headers if header and (path := header["path"].strip())))


def patched_text(patch: str, path: str, text: str, /) -> str | None:
    """What a file says after a patch; None where its lines are not found in it, or the patch deletes or moves it."""
    named, parts = "", [[]]  # type: tuple[str, list[list[str]]]
    for line in patch.split("\n"):
        if header := _HEADER.fullmatch(line.strip()) if line.lstrip().startswith("*** ") else None:
            named = header["path"].strip()
            if named == path and not line.strip().startswith("*** Update File"):
                return None
        elif named == path and line.startswith("@@"):
            parts.append([])
        elif named == path and line[:1] in {" ", "-", "+"}:
            parts[-1].append(line)
    for part in filter(None, parts):
        old = "\n".join(line[1:] for line in part if line[0] != "+")
        new = "\n".join(line[1:] for line in part if line[0] != "-")
        if not old or old not in text:
            return None
        text = text.replace(old, new, 1)
    return text
