"""The texts that the braces of a pattern spell out, nested ones too."""

import re
from collections.abc import Sequence

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_BRACES_MAX, SPELLED_CHARS_MAX

_UNIT = re.compile(r"\\.|\[[!^]?\]?(?:\\.|[^\]/\\])*\]|[{},]|[^\\\[{},]+|.", re.DOTALL)


def alternatives(text: str, /) -> list[str]:
    """Each text that the braces stand for, once; the text itself where it has none.

    Raises Invalid for a brace that is not closed or holds one choice alone, LimitExceeded for too many alternatives.
    """
    if "{" not in text:
        return [text]
    outer: list[tuple[list[str], list[str]]] = []
    done, current = list[str](), [""]
    for unit in _UNIT.findall(text):
        if unit == "{":
            outer.append((done, current))
            done, current = [], [""]
        elif unit == "," and outer:
            done, current = done + current, [""]
        elif unit == "}" and outer:
            choices = _choices(done, current, text)
            done, before = outer.pop()
            current = [start + choice for start in before for choice in choices]
        else:
            current = [start + unit for start in current]
        # Checked at each step: `{a,b}{a,b}…` doubles with every pair, and would be spelled out before it is refused.
        _admit(len(done) + len(current), current, text)
    if outer:
        raise Invalid(f"{{ is never closed in {text}; write \\{{ for that character")
    return list(dict.fromkeys(current))


def without_false_braces(text: str, /) -> str:
    """The text with a backslash before both braces of each pair that holds no choice: `{-$lang}` is a name, as in bash.

    A brace that is never closed is left for `alternatives` to refuse.
    """
    units: list[str] = _UNIT.findall(text)
    outer: list[tuple[int, bool]] = []
    for number, unit in enumerate(units):
        if unit == "{":
            outer.append((number, False))
        elif unit == "," and outer:
            outer[-1] = (outer[-1][0], True)
        elif unit == "}" and outer:
            opened, is_choice = outer.pop()
            if not is_choice:
                units[opened], units[number] = r"\{", r"\}"
    return "".join(units)


def _choices(done: Sequence[str], current: Sequence[str], text: str) -> list[str]:
    choices = list(dict.fromkeys([*done, *current]))
    if not done:
        raise Invalid(f"{{{choices[0]}}} in {text} is no choice; write {{a,b}}, or \\{{ for a brace")
    return choices


def _admit(count: int, current: Sequence[str], text: str) -> None:
    if count > PATTERN_BRACES_MAX or sum(map(len, current)) > SPELLED_CHARS_MAX:
        raise LimitExceeded(
            f"{text[:80]} spells out more than {PATTERN_BRACES_MAX} patterns or {SPELLED_CHARS_MAX} "
            "characters; name the folder above them"
        )
