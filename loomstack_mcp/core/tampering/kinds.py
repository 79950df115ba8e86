"""The kinds of test weakening, and one finding of such a kind."""

from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.records import record

TAMPER = frozenset(
    {
        "skip_added",
        "assert_dead",
        "assert_loosened",
        "tolerance_loosened",
        "not_collected",
        "subject_mocked",
        "runner_config",
        "runner_step_removed",
        "coverage_lowered",
        "coverage_off",
        "coverage_omit",
        "coverage_pragma",
        "unparseable",
    }
)
"""A test stays, or seems to, but no longer tells: to be denied."""
REDUCTION = frozenset(
    {
        "test_removed",
        "assert_removed",
        "cases_removed",
        "expected_changed",
        "assert_replaced",
        "snapshot_changed",
        "unchecked",
    }
)
"""Less is tested; there may be a good reason, which a diff does not show: to be approved."""


@record
class Weakening:
    """One way in which a change tests less."""

    kind: str
    """One of `TAMPER` or `REDUCTION`."""
    text: str
    path: str
    line: int = 0
    hard: bool = True
    """False where it is only to be shown: conditional, or explained by the rest of the change."""

    @property
    def tampers(self) -> bool:
        """Whether it is to be denied; a soft finding never is."""
        return self.hard and self.kind in TAMPER

    def violation(self) -> Violation:
        """The same as policy checks have it; `kind_of` reads the kind back."""
        return Violation(text=f"{self.kind}: {self.text}", path=self.path, line=self.line, hard=self.hard)


def kind_of(violation: Violation) -> str:
    """The kind that a violation's text starts with."""
    return violation.text.partition(":")[0]


def is_tamper(violation: Violation) -> bool:
    """Whether it belongs to the class that is to be denied; a soft finding never does."""
    return violation.hard and kind_of(violation) in TAMPER
