"""The landed changes of a window: who added each line that is still there, and who removed each that is gone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.nets import Net
from loomstack_mcp.core.changes.people import People

_CHURN_STEPS = 20
_CHURN_PERCENT = 70


class Piece:
    """One hunk of a landed change, and what has become of it."""

    def __init__(self, number: int, file: FileChange, net: Net) -> None:
        self.number = number
        """Of its change, in the order of landing."""
        self.path = file.path
        self.old_path = file.old_path
        self.created = file.creates
        self.net = net
        self.removed = weight(net.removed)
        self.added = weight(net.added)
        self.tells = bool(self.added or self.removed) or (bool(net.hunk.takes or net.hunk.gives) and not net.moved)
        """Whether it changed more than layout: words that weigh nothing, as `True` does, count at their place."""
        self.live = self.added
        """What those of its lines say that are still there."""
        self.heirs: dict[Piece, int] = {}
        """The hunks that replaced its lines, and how much of them."""
        self.lost_to: Counter[str] = Counter()
        self.back_by: Counter[str] = Counter()
        """What each author took out of it, and brought back of what it had removed."""
        self.undone = False
        self.undoes: tuple[Piece, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrailStep:
    """What one change did to one file."""

    number: int
    file: FileChange
    pieces: tuple[Piece, ...]


@dataclass
class Trail:
    """What happened to one file, under whatever name, and whose lines are in it."""

    steps: list[TrailStep] = field(default_factory=list)
    added: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    removed: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    worded: dict[tuple[int, int], list[Piece]] = field(default_factory=lambda: defaultdict(list))
    """By the words that a hunk takes and gives."""
    taken: int = 0
    taken_recent: int = 0
    """What the removed lines said, and those of them that had themselves replaced others within the window."""

    @property
    def churns(self) -> bool:
        """Whether the file is rewritten all the time, as version numbers and lock files are."""
        return len(self.steps) >= _CHURN_STEPS and 100 * self.taken_recent >= _CHURN_PERCENT * self.taken > 0


class Ledger:
    """Changes in an order in which parents come before children. The order of dates says nothing."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        """Those that changed files, by number."""
        self._numbers: dict[str, int] = {}
        self._reach: dict[str, int] = {}
        self._trails: dict[str, Trail] = {}
        self._people = People()

    def forebears(self, change: Change, /) -> int:
        """The changes that `change` was made on, as a set of bits by number."""
        found = 0
        for parent in change.parents:
            found |= self._reach.get(parent, 0)
        return found

    def know(self, authors: Iterable[tuple[str, str]], /) -> None:
        """Hear of authors, each an account and a name, whose changes are not added."""
        for account, name in authors:
            self._people.know(account, name)

    def number(self, change: Change, /) -> int:
        """Of a landed change that changed files, in the order of landing."""
        return self._numbers[change.sha]

    def trail(self, file: FileChange, /) -> Trail | None:
        """What happened to this file; None where nothing has yet."""
        return self._trails.get(file.old_path) or self._trails.get(file.path)

    def same_author(self, one: Change, other: Change, /) -> bool:
        """Whether two changes are one loop's of one developer, or of no loop and one person's.

        Developers whose loops bear one name are told apart by what git has for them, where it has that of both.
        """
        if one.signed is None and other.signed is None:
            return self._people.same(one.signer, other.signer)
        if one.signed is None or other.signed is None or one.author != other.author:
            return False
        is_unknown = not any(one.signed) or not any(other.signed)
        return is_unknown or self._people.same(one.signed, other.signed)

    def add(self, change: Change, nets: Sequence[Sequence[Net]], /) -> dict[Net, Piece]:
        """Land a change; returns the piece of each hunk."""
        number = len(self.changes)
        self._reach[change.sha] = self.forebears(change)
        if not change.files:
            return {}
        self._reach[change.sha] |= 1 << number
        self._numbers[change.sha] = number
        self.changes.append(change)
        self.know([(change.account, change.author)])
        landed = {}
        for file, hunks in zip(change.files, nets, strict=True):
            trail = self._trails[file.path] = self.trail(file) or Trail()  # the old name stays for parallel branches
            pieces = {net: Piece(number, file, net) for net in hunks}
            trail.steps.append(TrailStep(number=number, file=file, pieces=tuple(pieces.values())))
            for net, piece in pieces.items():
                trail.taken += piece.removed
                trail.worded[net.hunk.takes, net.hunk.gives].append(piece)
                for line in net.added:
                    trail.added[line].append(piece)
                for line in net.removed:
                    trail.removed[line].append(piece)
            landed.update(pieces)
        return landed
