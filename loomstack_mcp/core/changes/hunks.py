"""Changes as facts: what each did to each file, hunk by hunk."""

from loomstack_mcp.core.changes.mentions import Mentions
from loomstack_mcp.core.records import record

MESSAGE_CHARS_MAX = 1_000


@record
class Hunk:
    """Consecutive lines that were replaced. Lines that say nothing are counted but not listed."""

    before: int
    """The first line it took in the old file, from 1; where it took none, the line it was put behind."""
    before_lines: int
    after: int
    after_lines: int
    removed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    takes: int = 0
    gives: int = 0
    kept_percent: int = 0
    """See `Lines.words`."""

    @property
    def reflows(self) -> bool:
        """Whether it only breaks the same words into other lines."""
        return bool(self.removed and self.added) and self.takes == self.gives == 0


@record
class FileChange:
    """One file before and after, by keyed hashes of its blobs; zeros where the file is not there."""

    path: str
    old_path: str
    before: str
    after: str
    hunks: tuple[Hunk, ...] = ()
    """Of a file without lines that could be compared (binary, very large, a submodule) one, which names its blobs."""
    unread: bool = False
    """Whether its content is not here, so that nothing is known of its lines. A hunk may name its blobs."""

    @property
    def creates(self) -> bool:
        """Whether there was no such file before."""
        return not self.before.strip("0")

    @property
    def deletes(self) -> bool:
        """Whether there is no such file afterwards."""
        return not self.after.strip("0")


@record
class Change:
    """A commit, or what a worktree would land."""

    sha: str
    parents: tuple[str, ...] = ()
    author: str = ""
    account: str = ""
    """A keyed hash of the author's address."""
    also: tuple[str, ...] = ()
    """Names under which the same hands land changes: to count pieces together, not to agree."""
    signed: tuple[str, str] | None = None
    """Of what a loop made, which `author` names: name and account that git has for it. None where it is no loop's."""
    at_ms: int = 0
    """When it landed; of a change that was only read, when it was committed."""
    written_ms: int = 0
    """When its author wrote it, which a rebase keeps. 0 where it is not known."""
    message: str = ""
    """Its first MESSAGE_CHARS_MAX characters."""
    run: str = ""
    """The run that made it, as far as a store knows."""
    hints: tuple[str, ...] = ()
    """The runs that its message names, which anyone can type."""
    mentions: Mentions = Mentions()
    """All that its whole message names."""
    files: tuple[FileChange, ...] = ()
    lists: tuple[FileChange, ...] = ()
    """Those that only list what changed: nobody loses anything there, and yet a landed change is known by them."""
    unread: bool = False
    """Whether some of its files are `unread`, or, where it names none, all that it changed is unknown."""
    said: int = 0
    """What all its lines say together, where `files` are not all of it."""

    @property
    def signer(self) -> tuple[str, str]:
        """Name and account that git has for it, whoever made it."""
        return self.signed or (self.author, self.account)

    @property
    def title(self) -> str:
        """The first line of its message."""
        return self.message.split("\n", 1)[0]
