"""The content of blobs, and the files of a tree, for whoever judges them."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.policy.delta import LINK
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.core.records import record

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@record
class FileTree:
    """All files of a tree: path → mode, id."""

    entries: Mapping[str, tuple[str, str]]

    def holds(self, path: str, /) -> bool:
        """Whether a file or a folder is there."""
        return path in self.entries or path in self.folders

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that a file lies in."""
        found: set[str] = set()
        for path in self.entries:
            while "/" in path:
                path = path.rpartition("/")[0]
                if path in found:
                    break
                found.add(path)
        return frozenset(found)


def tree_of(repo: Repository, name: str) -> FileTree:
    """All files of a tree, or of a commit's, by its id. Raises Unknown where it is not here."""
    ran = repo.run_plain("ls-tree", "-r", "-z", "--full-tree", name)
    if ran.code:
        raise Unknown(f"the tree that would land ({ran.complaint})")
    entries = {}
    for entry in as_text(ran.printed).split("\0")[:-1]:
        meta, _, path = entry.partition("\t")
        mode, _, blob = meta.split(" ")
        entries[path] = (mode, blob)
    return FileTree(entries=entries)


def lacking(repo: Repository, blobs: Iterable[str]) -> frozenset[str]:
    """Those of the blobs, by their whole ids, that are not in this clone; the blob of zeros is none."""
    wanted = sorted(blob for blob in set(blobs) if blob.strip("0"))
    ran = repo.run_plain(
        "cat-file", "--batch-check=%(objectname)", stdin="".join(f"{one}\n" for one in wanted).encode()
    )
    return frozenset(wanted) - frozenset(as_text(ran.printed).split("\n"))


class Blobs:
    """Blobs by their ids."""

    def __init__(self, repo: Repository) -> None:
        self._objects = repo.aside.objects

    def content(self, blob: str, /) -> bytes | None:
        """The content; None where it has more than BLOB_BYTES_MAX bytes. Raises Unknown where it is not here."""
        if not _ID.fullmatch(blob) or not blob.strip("0"):
            raise Unknown(f"the content of {blob[:12]!r}, which is no object")
        try:
            found = self._objects.object_named(blob)
        except Invalid:
            raise Unknown(f"the content of {blob[:12]}: git has ended") from None
        if found is None:
            raise Unknown(f"the content of {blob[:12]}, which is not in this clone")
        if found.kind != "blob":
            raise Unknown(f"the content of {found.id[:12]}, which is a {found.kind}")
        return found.content

    def links(self, within: FileTree, /) -> dict[str, str]:
        """Where the symbolic links of a tree lead: path → target as written."""
        named = ((path, blob) for path, (mode, blob) in within.entries.items() if mode == LINK)
        return {path: as_text(self.content(blob) or b"") for path, blob in named}
