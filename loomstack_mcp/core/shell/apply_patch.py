"""Codex's patches, whose headers name the files."""

import re

_HEADER = re.compile(r"\*\*\* (?:Add File|Update File|Delete File|Move to):(?P<path>.+)")


def patched(patch: str, /) -> tuple[str, ...]:
    """The files that a patch writes; a move writes both ends. Blanks around a header count for nothing."""
    headers = (_HEADER.fullmatch(line.strip()) for line in patch.split("\n"))
    return tuple(dict.fromkeys(path for header in headers if header and (path := header["path"].strip())))
