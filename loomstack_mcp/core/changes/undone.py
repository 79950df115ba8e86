"""What one change takes back of another, and what it only touches, as facts."""

from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.records import record


@record
class UndonePlace:
    """A landed hunk, and the hunks that take it back; none where the whole file is as it was."""

    path: str
    old_path: str
    hunk: Hunk
    by_path: str
    by: tuple[Hunk, ...]


@record
class Undone:
    """How much of one landed change is taken back."""

    change: Change
    hunks: int
    hunks_before: int = 0
    """Those that the same author took back of it before, and that are still gone."""
    restored: int
    """How many of these hunks brought old lines back; the others only took new ones out."""
    share: float
    """The part of what it said, from 0 to 1."""
    turned: int = 0
    """How much of it is turned round for certain, in letters and digits: old lines back in the place of the new."""
    out: int = 0
    """How much of it, that was inserted, is taken out for certain, with nothing in its place."""
    before: int = 0
    """How much of it the same author had taken back, that is still gone."""
    fresh: int = 0
    """How much the new change adds to these files that was not there before."""
    lost: tuple[int, ...] = ()
    """The lines that it had added, and that go."""
    returned: tuple[int, ...] = ()
    """The lines that it had removed, and that return."""
    places: tuple[UndonePlace, ...]
    same_author: bool
    named: bool
    """The new change says openly that it takes this one back, or that it brings back what this one took."""
    again: bool
    """It was itself meant to take back somebody else's change, or put it back: this one bounces back."""
    repairs: str = ""
    """The change that it had silently taken back, and that the new one puts back."""
    is_routine: bool = False
    """Whether changes of the same title land again and again, as those of a job do that writes files anew."""
    own_repair: bool = False
    """Whether whose change that was puts it back, or the new one says openly that it does."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is taken back, by today's names."""
        return tuple(sorted({place.path for place in self.places}))


@record
class TouchedChange:
    """A landed change some of whose lines go, or return, without it being undone."""

    change: Change
    paths: tuple[str, ...]
    """Where the new change does so."""
    places: tuple[UndonePlace, ...]
    same_author: bool
    restored: bool
    """Whether a line that it had removed comes back in the place of one that it had added."""
    overridden: bool
    """Whether most of what stood of one of its hunks goes."""
