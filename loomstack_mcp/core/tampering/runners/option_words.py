"""Values of settings taken apart: options with their values, lists in words or lines."""

import re
import shlex
from collections.abc import Iterator

_OF_TWO_WORDS = {"-k", "-m", "-p", "-W", "--deselect", "--ignore", "--ignore-glob", "--cov-fail-under", "--maxfail"}
_GLUED = re.compile(r"^(-[kmpW])(?=[^=-])")


def option_words(value: object) -> Iterator[str]:
    """The words of `addopts`, a text or a list; an option and its value are one: both `-k x` and `-kx` are `-k=x`."""
    words = [str(one) for one in value] if isinstance(value, list) else _shell_words(str(value))
    held = ""
    for word in words:
        if held:
            yield f"{held}={word}"
            held = ""
        elif word in _OF_TWO_WORDS:
            held = word
        else:
            yield _GLUED.sub(r"\1=", word)


def space_words(value: object) -> list[str]:
    """The parts of a list, or of a text that spaces part."""
    return [str(one) for one in value] if isinstance(value, list) else str(value or "").split()


def comma_words(value: object) -> list[str]:
    """The parts of a list, or of a text that commas and line ends part, without those that are empty."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [one.strip() for one in re.split(r"[\n,]", str(value or "")) if one.strip()]


def _shell_words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=False)
    except ValueError:  # a quote that is not closed
        return text.split()
