"""Spellings of one name: in Unicode's form C, and folded as the eye and some file systems see it."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt, 16.0): shown as nothing, and skipped by HFS+.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

Fold = Callable[[str], str]
"""What is done to a name before it is compared: nothing (`str`), or `folded_name`."""


def composed(text: str, /) -> str:
    """The text in Unicode's form C, as most systems write names."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=16_384)
def folded(path: str, /) -> str:
    """The path without what the eye, or a file system that ignores case, does not tell apart."""
    return path.lower() if path.isascii() else "/".join(map(_folded_to_some, path.split("/")))


def folded_name(name: str, /) -> str:
    """One name, or a part of one, folded; "" for nothing but characters that do not show."""
    if name.isascii():
        return name.lower()
    # Canonical caseless matching (The Unicode Standard, D145), in form C again, without the ignorable.
    visible = _IGNORABLE.sub("", unicodedata.normalize("NFD", name))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", visible).casefold())


def _folded_to_some(name: str) -> str:
    """Never empty: a name of nothing but zero-width characters is still a name below its folder."""
    return folded_name(name) or name
