"""What two assertions about different things have in common: a value, a part of what they look at, a name."""

import re
from collections.abc import Sequence

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.losses import Gained
from loomstack_mcp.core.tampering.model import Assertion

_WORDS = re.compile(r"[^\W\d]\w+")
_SAID_BY_ALL = {"self", "str", "len", "int", "set", "list", "dict", "sorted", "repr", "type", "app", "result", "client"}


@record
class Likenesses:
    """Of several gained assertions those that have something in common with a lost one, each kind in their order."""

    same_value: list[Gained]
    around: list[Gained]
    """What one of them looks at is part of what the other looks at: `result` and `str(result)`."""
    related: list[Gained]
    """They share a name."""

    @property
    def same_value_alike(self) -> list[Gained]:
        """Those with the same value that also look at something alike: as good as the lost one."""
        return [one for one in self.same_value if one in self.around or one in self.related]


def likenesses(missing: Assertion, gained: Sequence[Gained]) -> Likenesses:
    """What each of the gained assertions has in common with the lost one."""
    around = [one for one in gained if _look_at_parts(missing, one.found)]
    return Likenesses(
        same_value=[one for one in gained if missing.expected and one.found.expected == missing.expected],
        around=[one for one in around if one.found.kind != "ne"],  # too little in common to call it the same, loosened
        related=[one for one in gained if _names(one.found) & _names(missing)],
    )


def same_thing_of_another(missing: Assertion, now: Assertion) -> bool:
    """The same kind of thing is said with the same value, about something that shares a name."""
    same = missing.kind == now.kind and missing.expected == now.expected != ""
    return same and bool(_names(now) & _names(missing))


def _look_at_parts(missing: Assertion, now: Assertion) -> bool:
    return any(_contains(one, other) for one in now.sides for other in missing.sides)


def _contains(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) > 2 and re.search(rf"(?<!\w){re.escape(shorter)}(?!\w)", longer) is not None


def _names(assertion: Assertion) -> set[str]:
    return set(_WORDS.findall(" ".join(assertion.sides))) - _SAID_BY_ALL
