"""This machine as others are told of it: worktrees, clones and folders by names that say nothing of where they lie."""

import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.beside_store import read_entries, write_entries
from loomstack_mcp.adapters.user import WORKTREES_FILE
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import FAR_PROCESS, FAR_PROCESS_DIGITS, PROCESS_SESSION
from loomstack_mcp.core.texts import encodable

_KEY_FILE = "machine-key"
_KEY_BYTES = 32
_KNOWN_MAX = 2_000
_ELSEWHERE = "elsewhere:"
_PLACED = ("clone:", "folder:")
"""Names that are digests of a path, so that two machines may have the same."""


class Machine:
    """The names under one key, which never leaves. Two machines with the same path have two names for it."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._host = socket.gethostname().split(".")[0]
        self._key = b""

    def outward(self, checkout: Checkout, /) -> Checkout:
        """A checkout as others are told of it."""
        return replace(
            checkout,
            identity=self._placed(checkout.identity),
            clone=self._placed(checkout.clone),
            others=tuple(map(self._placed, checkout.others)),
            worktree=self.worktree_name(checkout.worktree),
        )

    def session_name(self, session: str, /) -> str:
        """A session; one that is named by a process here, by a hash instead of that."""
        if not session.startswith(PROCESS_SESSION):
            return session
        return f"{PROCESS_SESSION}{self._hashed(session, 16)}"

    def process_name(self, process: str, /) -> str:
        """A session's process, by a hash: enough to tell two of them apart."""
        return process and f"{FAR_PROCESS}{self._hashed(process, FAR_PROCESS_DIGITS)}"

    def worktree_name(self, path: str, /) -> str:
        """`HOST:NAME~HASH`, remembered so that its path is found again."""
        if not path:
            return ""
        path = encodable(path)
        name = f"{self._host}:{Path(path).name}~{self._hashed(path, 8)}"
        entries = read_entries(self._home, WORKTREES_FILE)
        if not any(each.get("name") == name for each in entries):
            write_entries(self._home, WORKTREES_FILE, [*entries, {"name": name, "path": path}][-_KNOWN_MAX:])
        return name

    def outward_told(self, told: Any, /) -> Any:
        """What others are told, with the worktrees of this machine by their names."""
        if isinstance(told, list):
            return [self.outward_told(one) for one in told]
        if not isinstance(told, Mapping):
            return told
        return {
            name: self.worktree_name(one)
            if name == "worktree" and isinstance(one, str) and one.startswith("/")
            else self.outward_told(one)
            for name, one in told.items()
        }

    def without_places(self, text: str, /) -> str:
        """A text for people, which says of this machine's worktrees how they are called, not where they lie."""
        known = sorted(read_entries(self._home, WORKTREES_FILE), key=lambda each: -len(str(each.get("path", ""))))
        for each in known:
            text = text.replace(str(each.get("path")), str(each.get("name")))
        home = os.environ.get("HOME", "")
        return text.replace(f"{home}/", "~/") if home.startswith("/") and len(home) > 1 else text

    def inward(self, told: Any, /) -> Any:
        """What others told, with the worktrees of this machine by their paths."""
        if isinstance(told, list):
            return [self.inward(one) for one in told]
        if not isinstance(told, Mapping):
            return told
        return {
            name: self._path_of(one) if name == "worktree" and isinstance(one, str) else self.inward(one)
            for name, one in told.items()
        }

    def _path_of(self, name: str) -> str:
        """Of a worktree of this machine; whatever others call theirs is no path here, where it would be opened."""
        if not name.startswith((f"{self._host}:", "/")):
            return name
        entries = read_entries(self._home, WORKTREES_FILE)
        known = (each for each in entries if name in (each.get("name"), each.get("path")))
        foreign = f"{_ELSEWHERE}{name}" if name.startswith("/") else name
        return next((str(each["path"]) for each in known if "path" in each), foreign)

    def _placed(self, name: str) -> str:
        kind = next((kind for kind in _PLACED if name.startswith(kind)), "")
        return f"{kind}{self._hashed(name, 16)}" if kind else name

    def _hashed(self, text: str, digits: int) -> str:
        self._key = self._key or _own_key(Path(self._home) / _KEY_FILE)
        return blake2b(text.encode("utf-8", "surrogateescape"), key=self._key, digest_size=16).hexdigest()[:digits]


def _own_key(file: Path) -> bytes:
    """The key of this machine, made where there is none. Whoever makes it first has made it for all."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = file.with_name(f".{file.name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_bytes(os.urandom(_KEY_BYTES))
        try:
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
        return file.read_bytes()
