"""What would land, file by file, and whether it is more than the limits allow."""

from collections.abc import Iterator
from typing import Literal

from loomstack_mcp.core.policy.rules import Limits
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.records import record

LINK = "120000"
SUBMODULE = "160000"
NO_MODE = "000000"
"""Of a file that is not there."""

FileStatus = Literal["A", "D", "M", "R", "T"]
"""Added, deleted, modified, renamed, or of another type (a link in the place of a file), as git spells it."""


@record
class FileDelta:
    """One file before and after. Paths that are not UTF-8 hold surrogates (PEP 383)."""

    path: str
    old_path: str
    """The same as `path` where it was not renamed."""
    status: FileStatus
    mode_before: str = NO_MODE
    """As git writes it, in octal: `100644`, `100755`, `120000`, `160000`, and NO_MODE for none."""
    mode_after: str = NO_MODE
    blob_before: str = ""
    """Its id, all zeros where there is none; of a submodule, the commit."""
    blob_after: str = ""
    lines_added: int = 0
    """Lines of text: none of a binary file, none of a submodule; the target of a link is one line."""
    lines_removed: int = 0
    bytes_after: int = 0
    """0 for a submodule and a deleted file."""
    is_binary: bool = False
    """As its content shows, NUL in its first 8,000 bytes; what `.gitattributes` says does not count."""

    @property
    def is_file(self) -> bool:
        """Whether a regular file stands there afterwards."""
        return self.mode_after not in (LINK, SUBMODULE, NO_MODE)

    @property
    def is_submodule(self) -> bool:
        """Whether a submodule is there, before or after."""
        return SUBMODULE in (self.mode_before, self.mode_after)

    @property
    def has_new_content(self) -> bool:
        """Whether something stands there afterwards that did not before, under whatever name."""
        return self.mode_after != NO_MODE and (
            self.blob_after != self.blob_before or (self.mode_after == LINK) != (self.mode_before == LINK)
        )


@record
class Subject:
    """What would land, in the order of the paths."""

    files: tuple[FileDelta, ...] = ()


def limits_exceeded(subject: Subject, limits: Limits) -> tuple[Violation, ...]:
    """Which of the limits on the size of a change it exceeds; those on rework and cost are not looked at.

    A submodule and a binary file count as files, not as lines; a renamed file is one file. The size is
    that of each file whose content is new: a large file that only moves is not held against the change.
    """
    return tuple(_exceeded(subject, limits))


def _exceeded(subject: Subject, limits: Limits) -> Iterator[Violation]:
    added = sum(file.lines_added for file in subject.files)
    changed = added + sum(file.lines_removed for file in subject.files)
    counts = (
        ("files_max", "changes", len(subject.files), "files", limits.files_max),
        ("lines_added_max", "adds", added, "lines", limits.lines_added_max),
        ("lines_changed_max", "adds and removes", changed, "lines", limits.lines_changed_max),
    )
    for name, does, count, what, most in counts:
        if most is not None and count > most:
            yield Violation(text=f"{does} {count} {what}, {most} is the most ({name})")
    most = limits.blob_bytes_max
    for file in subject.files:
        if most is not None and file.bytes_after > most and file.has_new_content:
            text = f"has {file.bytes_after} bytes, {most} is the most (blob_bytes_max)"
            yield Violation(text=text, path=file.path)
