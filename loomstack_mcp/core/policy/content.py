"""What must not be in a change: secrets, links that lead out, other submodules, lines that match a pattern."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, islice

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, FileDelta, Subject
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.secrets import secrets_in

TRIED_BYTES_MAX = 4_096
"""Of a line, which patterns are tried on."""
VIOLATIONS_MAX = 100
"""Of one check; one more then says how many are left out."""
_HOPS_MAX = 40
"""Links behind links; Linux follows as many."""
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")

Contents = Callable[[str], bytes | None]
"""The content of a blob by its id; None where it is too large to be read."""
Matches = Callable[[bytes], str]
"""The first pattern that matches a line; "" for none."""


def secrets_added(subject: Subject, contents: Contents) -> tuple[Violation, ...]:
    """Secrets in what the change adds: in added lines, and anywhere in a binary file whose content is new."""
    return _limited(told for file in _new(subject) for told in _secrets(file, contents))


def lines_forbidden(subject: Subject, contents: Contents, matches: Matches) -> tuple[Violation, ...]:
    """Added lines that match a pattern, and those too long to try.

    Of a binary file the beginning of each line is tried, so that a NUL hides no text, and no line is too long.
    """
    return _limited(told for file in _new(subject) for told in _forbidden(file, contents, matches))


def links_escaping(subject: Subject, links: Mapping[str, str]) -> tuple[Violation, ...]:
    """Symbolic links that lead out of the repository, or into its `.git`, and have to do with the change.

    `links` are all links afterwards, path → target: an old link that only now leads out, through a link that
    the change brings, is told as well. One that runs in circles cannot be followed, which is a violation.
    """
    touched = {path for file in subject.files for path in (file.path, file.old_path)}
    found = []
    for path, target in links.items():
        wrong, through = _followed(path, links)
        if wrong and not touched.isdisjoint(through):
            found.append(Violation(text=f"links to {target[:200]}, {wrong}", path=path))
    return _limited(iter(found))


def submodules_changed(subject: Subject) -> tuple[Violation, ...]:
    """Submodules that come, go or point to another commit, and a change of where they come from."""
    return _limited(told for file in subject.files for told in _submodule(file))


def added_lines(before: bytes | None, after: bytes, /) -> list[tuple[int, bytes]]:
    """The lines, with their numbers from 1, of which `after` has more than `before`.

    A linear difference of multisets, not git's: a line that only moves within its file is not added, and
    of equal lines the last ones are. Line feeds, and a carriage return before them, are not part of a line.
    """
    had = Counter(_lines(before or b""))
    added = []
    for number, line in enumerate(_lines(after), start=1):
        if had.get(line, 0):
            had[line] -= 1
        else:
            added.append((number, line))
    return added


def _limited(found: Iterator[Violation]) -> tuple[Violation, ...]:
    told = tuple(islice(found, VIOLATIONS_MAX))
    more = sum(1 for _ in found)
    return (*told, Violation(text=f"{more} more like these")) if more else told


def _new(subject: Subject) -> Iterator[FileDelta]:
    return (file for file in subject.files if file.is_file and file.has_new_content)


def _added(file: FileDelta, contents: Contents) -> list[tuple[int, bytes]] | None:
    """The added lines; all lines of a binary file, with number 0; None where the file is too large."""
    after = contents(file.blob_after)
    if after is None:
        return None
    if file.is_binary:
        return [(0, line) for line in _lines(after)]
    was_file = file.blob_before.strip("0") and file.mode_before not in (LINK, SUBMODULE)
    return added_lines(contents(file.blob_before) if was_file else None, after)


def _too_large(file: FileDelta) -> Violation:
    return Violation(text=f"is too large to scan ({counted(file.bytes_after, 'byte')})", path=file.path)


def _secrets(file: FileDelta, contents: Contents) -> Iterator[Violation]:
    added = _added(file, contents)
    if added is None:
        yield _too_large(file)
        return
    joined = b"\n".join(line for _, line in added)
    starts = list(accumulate((len(line) + 1 for _, line in added), initial=0))
    found = {(added[bisect_right(starts, at) - 1][0], what) for at, what in secrets_in(joined)}
    if b"\0" in joined:  # as every second byte of UTF-16
        known = {what for _, what in found}
        found |= {(0, what) for _, what in secrets_in(joined.replace(b"\0", b"")) if what not in known}
    yield from (Violation(text=f"shows {what}", path=file.path, line=line) for line, what in sorted(found))


def _forbidden(file: FileDelta, contents: Contents, matches: Matches) -> Iterator[Violation]:
    added = _added(file, contents)
    if added is None:
        yield _too_large(file)
        return
    for number, line in added:
        if pattern := matches(line[:TRIED_BYTES_MAX]):
            yield Violation(text=f"an added line matches {pattern}", path=file.path, line=number)
        elif len(line) > TRIED_BYTES_MAX and not file.is_binary:
            yield Violation(text=f"line too long to scan ({counted(len(line), 'byte')})", path=file.path, line=number)


def _followed(path: str, links: Mapping[str, str]) -> tuple[str, set[str]]:
    """What is wrong with where a link leads, and every path on the way there."""
    through = {path}
    folder = path.split("/")[:-1]
    left = links[path].split("/")[::-1]
    if _ABSOLUTE.match(links[path]):
        return "an absolute path", through
    hops = 0
    while left:
        part = left.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not folder:
                return "out of the repository", through
            folder.pop()
            continue
        folder.append(part)
        if folder[0].casefold() == ".git":
            return "into the folder of git", through
        here = "/".join(folder)
        through.add(here)
        if here in links:
            hops += 1
            if hops > _HOPS_MAX:
                return "which runs in circles", through
            if _ABSOLUTE.match(links[here]):
                return f"an absolute path through {here}", through
            folder.pop()
            left += links[here].split("/")[::-1]
    return "", through


def _submodule(file: FileDelta) -> Iterator[Violation]:
    if file.is_submodule:
        was = file.blob_before[:10] if file.mode_before == SUBMODULE else "none"
        becomes = file.blob_after[:10] if file.mode_after == SUBMODULE else "none"
        yield Violation(text=f"points a submodule from {was} to {becomes}", path=file.path)
    elif ".gitmodules" in (file.path, file.old_path):
        yield Violation(text="changes where submodules come from", path=file.path)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines] if b"\r" in content else lines
