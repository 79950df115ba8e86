"""The objects of a repository, read by one git process that lives until it is closed."""

import os
import re
import select
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, environment, run
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record

if TYPE_CHECKING:
    import subprocess

BLOB_BYTES_MAX = 5_000_000
"""A larger blob is known by its size alone."""
_CACHED_BYTES_MAX = 64_000_000
_PIECE_BYTES = 1 << 20
_HEADER = re.compile(rb"([0-9a-f]{40,64}) (blob|commit|tree|tag) (\d+)")


@record
class Object:
    """An object as git has it."""

    id: str
    kind: str
    """`blob`, `commit`, `tree` or `tag`."""
    content: bytes | None
    """None for more than BLOB_BYTES_MAX bytes."""


@record
class Entry:
    """What a tree has under a name."""

    mode: str
    id: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a tree of its own."""
        return self.mode == "040000"

    @property
    def is_file(self) -> bool:
        """Whether it is a file, which a link and a submodule are not."""
        return self.mode.startswith("100")


class _NotFetched(Invalid):
    """A partial clone has no such object, and git before 2.44 ends over it."""


class Objects:
    """`git cat-file --batch`, started when it is first asked. Not for two threads at once."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._known: dict[str, Object] = {}
        self._known_bytes = 0

    def object_named(self, name: str, /) -> Object | None:
        """The object of a name (gitrevisions(7)), or None where it is not here. Raises Invalid where git ended."""
        if "\n" in name or "\0" in name:
            return None  # it would be two questions
        with suppress(_NotFetched):
            if name not in self._known and (found := self._read(name)):
                self._keep(name, found)
        return self._known.get(name)

    def commit(self, name: str, /) -> str:
        """The commit that a name stands for, or ""."""
        found = self.object_named(f"{name}^{{commit}}") if name and not name.startswith("-") else None
        return found.id if found else ""

    def entries(self, name: str, /) -> dict[str, Entry] | None:
        """What stands in a folder, by name, in git's order; None where there is no such tree here."""
        found = self.object_named(name)
        if found is None or found.kind != "tree" or found.content is None:
            return None
        entries = {}
        rest = found.content
        while rest:
            meta, _, rest = rest.partition(b"\0")
            mode, _, called = meta.partition(b" ")
            id_bytes = len(found.id) // 2
            entries[os.fsdecode(called)] = Entry(mode=mode.decode().zfill(6), id=rest[:id_bytes].hex())
            rest = rest[id_bytes:]
        return entries

    def close(self) -> None:
        """End the process. It is started again if it is asked again."""
        if self._process:
            self._process.kill()
            self._process.communicate()
        self._process = None
        self._pending = b""

    def _keep(self, name: str, found: Object) -> None:
        self._known_bytes += len(found.content or b"")
        if self._known_bytes > _CACHED_BYTES_MAX:
            self._known.clear()
            self._known_bytes = len(found.content or b"")
        self._known[name] = found

    def _read(self, name: str) -> Object | None:
        try:
            _pipe(self._started().stdin).write(os.fsencode(name) + b"\n")
        except (BrokenPipeError, FileNotFoundError, NotADirectoryError, PermissionError):
            raise self._ended(name) from None
        while b"\n" not in self._pending:
            self._pending += self._more(name)
        line, _, self._pending = self._pending.partition(b"\n")
        if not (header := _HEADER.fullmatch(line)):
            return None
        return Object(id=header[1].decode(), kind=header[2].decode(), content=self._taken(name, int(header[3])))

    def _taken(self, name: str, size_bytes: int) -> bytes | None:
        """So many bytes, and the line feed behind them; a large object is read past, not kept."""
        left = size_bytes + 1 - len(self._pending)
        chunks = [self._pending]
        while left > 0:
            chunks.append(self._more(name))
            left -= len(chunks[-1])
            if size_bytes > BLOB_BYTES_MAX:
                chunks.clear()
        self._pending = b""  # git answers one question at a time: nothing comes behind the line feed
        return None if size_bytes > BLOB_BYTES_MAX else b"".join(chunks)[:size_bytes]

    def _more(self, name: str) -> bytes:
        pipe = _pipe(self._started().stdout)
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        found = os.read(pipe.fileno(), _PIECE_BYTES) if poll.poll(READ_SECONDS_MAX * 1_000) else b""
        if not found:
            raise self._ended(name)
        return found

    def _ended(self, name: str) -> Invalid:
        self.close()  # what it may still answer would be taken for the answer to the next question
        if not self._folder.is_dir():
            return Invalid(f"{self._folder} is gone, and what was checked out by it; go to a worktree that is there")
        for question in (("rev-parse", "--git-dir"), ("cat-file", "-t", name)):
            asked = run(self._folder, *question, variables=self._variables)
            if asked.code:
                break
        kind = _NotFetched if b"from promisor remote" in asked.complained else Invalid
        reason = f" ({asked.complaint}); mend that" if asked.code else "; try `git fsck` there"
        return kind(f"git ended when it was asked for {name[:100]} in {self._folder}{reason}")

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            import subprocess  # 4 ms, which a hook need not spend where files tell all

            self._process = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=self._folder,
                env=environment(os.environ) | dict(self._variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        return self._process


def _pipe(found: IO[bytes] | None) -> IO[bytes]:
    assert found is not None
    return found
