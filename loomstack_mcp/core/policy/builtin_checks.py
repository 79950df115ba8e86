"""What the rules of the built-in layer ask that no check of the schema can say."""

from collections.abc import Callable, Iterator, Mapping

from loomstack_mcp.core.policy.loading import RULES_LOAD, loading_violations
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.shell import guarded

_Found = Iterator[Violation]


def _outside(situation: Situation) -> _Found:
    yield from _unread(situation)
    yield from (Violation(text=f"path {path} is outside the repository", path=path) for path in situation.outside)


def _bypasses(situation: Situation) -> _Found:
    yield from _unread(situation)
    if situation.reading is not None:
        yield from (Violation(text=f"bypasses the hooks: {what}") for what in guarded.bypasses(situation.reading))


def _decides(situation: Situation) -> _Found:
    yield from _unread(situation)
    if situation.reading is not None:
        yield from (Violation(text=f"is for people to run: {what}") for what in guarded.decides(situation.reading))


def _unread(situation: Situation) -> _Found:
    """Of a line beyond what is read nobody can say that it does none of this."""
    if situation.reading is not None and situation.reading.is_cut:
        yield Violation(text=f"the command is not read whole: {situation.reading.opaque[-1]}; run its parts one by one")


BUILTIN: Mapping[str, Callable[[Situation], _Found]] = {
    "builtin.outside-repo": _outside,
    "builtin.no-hook-bypass": _bypasses,
    "builtin.decider": _decides,
    RULES_LOAD.id: loading_violations,
}
"""By the id of the rule."""
