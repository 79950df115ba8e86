"""Our lines in a text that others write too: a block between two marks, with the line ends of the text."""

import re

from loomstack_mcp.core.errors import Invalid

_OPEN = "# >>> loomstack"
_CLOSE = "# <<< loomstack <<<"
_OPENING = f"{_OPEN} (written by `loomstack-mcp init`, removed by `loomstack-mcp uninstall`) >>>"
# An open mark that lost its partner must not reach for the next block's: what lies between them is not ours.
_BLOCK = re.compile(rf"^{_OPEN} .*\n(?:(?!{_OPEN} ).*\n)*?{_CLOSE}[ \t\r]*(?:\n|\Z)", re.MULTILINE)
_MARK = re.compile(rf"^({_OPEN} |{_CLOSE})", re.MULTILINE)


def with_block(path: str, text: str, body: str) -> str:
    """The text with our block where it stands already, else at the end, after one line end that goes with it.

    Raises Invalid, naming `path`, as without_block does.
    """
    rest = without_block(path, text)
    found = list(_BLOCK.finditer(text))
    end = "\r\n" if "\r\n" in (found[0][0] if found else text) else "\n"
    block = f"{_OPENING}\n{body}{_CLOSE}\n".replace("\n", end)
    if len(found) == 1:
        return text[: found[0].start()] + block + text[found[0].end() :]
    return f"{rest}{end if rest else ''}{block}"


def block_body(text: str) -> str:
    """What stands between our two marks, with plain line ends; "" where there is no block, or more than one."""
    found = list(_BLOCK.finditer(text))
    return "".join(f"{line}\n" for line in found[0][0].splitlines()[1:-1]) if len(found) == 1 else ""


def without_block(path: str, text: str) -> str:
    """The text as it was before with_block. Raises Invalid, naming `path`, where a mark has lost its partner."""
    while found := _BLOCK.search(text):
        head, tail = text[: found.start()], text[found.end() :]
        shorter = head.removesuffix("\r\n" if "\r\n" in found[0] else "\n")
        joined = bool(tail and shorter) and not shorter.endswith("\n")
        text = (head if joined else shorter) + tail
    if lone := _MARK.search(text):
        lost = _OPENING if lone[1] == _CLOSE else _CLOSE
        raise Invalid(
            f"{path} has lost the line `{lost}` of our block; put it back, or take out the whole block; "
            "nothing was changed"
        )
    return text
