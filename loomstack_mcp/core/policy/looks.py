"""Looks: what can only be found out of an action by reading files, taken when first a rule asks."""

from collections.abc import Sequence
from typing import Protocol

from loomstack_mcp.core.policy.rules import Boundaries, Limits, WeakeningScope
from loomstack_mcp.core.policy.violations import Unknown, Violation

Violations = tuple[Violation, ...]


class Looks(Protocol):
    """What is wrong with an action, in one respect each, by the rule's own settings.

    A look that cannot be taken raises Unknown, which names it; only `below` then sees nothing. One that
    costs more than a comparison is taken at most once for the same settings.
    """

    def at(self, paths: frozenset[str], /) -> "Looks":
        """The same looks at these of the touched paths alone, as if nothing else were touched."""

    def limits(self, limits: Limits, /) -> Violations:
        """Bounds on the size of the change that it exceeds; raises Unknown."""

    def secrets(self) -> Violations:
        """Secrets that it adds; raises Unknown."""

    def links(self) -> Violations:
        """Links that lead out of the repository; raises Unknown."""

    def submodules(self) -> Violations:
        """Submodules that it points elsewhere; raises Unknown."""

    def added(self, patterns: tuple[str, ...], /) -> Violations:
        """Added lines that match one of these expressions; raises Unknown."""

    def weakening(self, which: WeakeningScope, /) -> Violations:
        """Tests that it weakens, on purpose by the looks of it (`tamper`) or in any way; raises Unknown."""

    def crossings(self, boundaries: Boundaries, /) -> Violations:
        """Imports that cross one of the boundaries; raises Unknown."""

    def message(self, pattern: str, /) -> Violations:
        """A message that does not match the expression; raises Unknown."""

    def below(self, folder: str, patterns: Sequence[str], /) -> tuple[tuple[str, str], ...]:
        """What the patterns cover of the files in a folder, each path with its pattern; "" is the root."""


class NoLooks:
    """Of an action whose files nobody can read: it is not known of any respect whether something is wrong."""

    def at(self, paths: frozenset[str], /) -> Looks:  # noqa: ARG002
        """Nor of some of them."""
        return self

    def limits(self, limits: Limits, /) -> Violations:  # noqa: ARG002 no look can be taken, whatever the settings
        """Raises Unknown."""
        raise Unknown("limits")

    def secrets(self) -> Violations:
        """Raises Unknown."""
        raise Unknown("secrets")

    def links(self) -> Violations:
        """Raises Unknown."""
        raise Unknown("links")

    def submodules(self) -> Violations:
        """Raises Unknown."""
        raise Unknown("submodules")

    def added(self, patterns: tuple[str, ...], /) -> Violations:  # noqa: ARG002
        """Raises Unknown."""
        raise Unknown("added")

    def weakening(self, which: WeakeningScope, /) -> Violations:  # noqa: ARG002
        """Raises Unknown."""
        raise Unknown("weakening")

    def crossings(self, boundaries: Boundaries, /) -> Violations:  # noqa: ARG002
        """Raises Unknown."""
        raise Unknown("crossings")

    def message(self, pattern: str, /) -> Violations:  # noqa: ARG002
        """Raises Unknown."""
        raise Unknown("message")

    def below(self, folder: str, patterns: Sequence[str], /) -> tuple[tuple[str, str], ...]:  # noqa: ARG002
        """Nothing is seen there."""
        return ()
