"""Ids that people can read out: a noun's prefix and eight characters of Crockford base32."""

from typing import Literal

Noun = Literal["run", "claim", "wait", "note", "out", "conf", "dec", "apr", "evid", "notice", "dep"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # https://www.crockford.com/base32.html: no I, L, O, U
BITS = 40
"""How many random bits an id spells."""


def spelled_id(noun: Noun, bits: int, /) -> str:
    """The id of `noun` for a number below 2**40, drawn by the caller; a collision is drawn again."""
    assert 0 <= bits < 1 << BITS
    letters = (_ALPHABET[bits >> shift & 31] for shift in range(BITS - 5, -1, -5))
    return f"{noun}_{''.join(letters)}"
