"""What a pattern is made of where it is no text: sets of characters, names with gaps, and paths with gaps.

Records by hand: a hook reads patterns at a file's first edit, and `dataclasses` alone costs it 10 ms.
"""

from collections.abc import Sequence


class _Told:
    """Equal where all that they say is."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))


class Letters(_Told):
    """A set of characters of a name, or, negated, every character outside of it."""

    def __init__(self, *, members: frozenset[str], negated: bool) -> None:
        self.members, self.negated = members, negated


Letter = str | Letters
Reading = str | tuple[Sequence[Letter], ...]
"""A literal name, or the parts of a pattern of names, with a gap between each two."""


class Readings(_Told):
    """A pattern of names that can be read in more than one way, and covers what any of them covers."""

    def __init__(self, *, readings: tuple[Reading, ...]) -> None:
        self.readings = readings


Name = Reading | Readings
Route = tuple[tuple[Name, ...], ...]
"""The parts of a pattern of paths, with a gap for any number of names between each two."""

ANY_LETTER = Letters(members=frozenset(), negated=True)
ANY_NAME: Reading = ((ANY_LETTER,), "")


def leading_names(part: Sequence[Name], /) -> list[str]:
    """The literal names that a part of a route begins with."""
    names: list[str] = []
    for name in part:
        if not isinstance(name, str):
            break
        names.append(name)
    return names
