"""What may be wrong with an installation, each found out by looking, and the command that mends it."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from loomstack_mcp.adapters.handovers import Handover
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.clients.files.own_names import COMMAND, HOOK
from loomstack_mcp.core.records import record

CheckStatus = Literal["ok", "warn", "fail"]

INIT = f"{COMMAND} init"
"""What mends most."""
INSTALL = f"uv tool install --force ., in a clone of {COMMAND}'s repository"
"""No package index has it yet."""
_GIT_OLDEST = (2, 31)  # rev-parse --path-format
_SQLITE_OLDEST = (3, 37)  # STRICT tables
_NETWORK = re.compile(r"nfs.*|cifs|smb3|smbfs|9p|afs|beegfs|ceph|gpfs|lustre|(fuse\.)?(ceph|glusterfs|sshfs)", re.ASCII)
_ESCAPED = re.compile(r"\\([0-7]{3})")
_ELSEWHERE = "export LOOMSTACK_HOME=/a/folder/on/this/machine"
_PROGRAM_SECONDS_MAX = 10
_MEGABYTE = 1_000_000
_LARGE_BYTES = 500 * _MEGABYTE
_LONG_LOG_BYTES = 64 * _MEGABYTE
_PRUNE = f"{COMMAND} db prune --keep 90d --dry-run says what nothing needs; or set keep_days in your settings"


@record
class Check:
    """One thing that was looked at."""

    check: str
    status: CheckStatus
    found: str
    mend: str = ""
    """A command, or what to do; empty where nothing is wrong, or `found` says it."""


def program_checks(version: str) -> Iterator[Check]:
    """Git, SQLite, and whether clients find our scripts, in this version."""
    for name in (COMMAND, HOOK):
        place = shutil.which(name)
        if place is None:
            mend = _own_folder_first(name) or INSTALL
            yield Check(check=name, status="fail", found="not on PATH, so that no client can start it", mend=mend)
        else:
            yield Check(check=name, status="ok", found=place)
    if shutil.which(COMMAND) and version not in (printed := _printed(COMMAND, "--version")):
        found = f"PATH has {printed.strip() or 'one that does not answer'}, this is {version}"
        yield Check(check="version", status="warn", found=found, mend=_own_folder_first(COMMAND) or INSTALL)
    yield _at_least("git", _printed("git", "--version"), _GIT_OLDEST)
    yield _at_least("sqlite", sqlite3.sqlite_version, _SQLITE_OLDEST)


def store_folder_check(path: Path) -> Check:
    """Whether the store's folder is on this machine: SQLite's locks cannot be trusted on a network file system."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        mounts = ""
    kind = file_system(mounts, os.path.realpath(path))
    if _NETWORK.fullmatch(kind):
        found = f"{path} is on {kind}, a network file system"
        return Check(check="file system", status="fail", found=found, mend=_ELSEWHERE)
    return Check(check="file system", status="ok", found=kind or "not known on this system")


def kernels_check(boots_alternate: bool) -> Iterator[Check]:
    """Where several kernels use one store in turns, each judges the leases of the others by the wall clock."""
    if boots_alternate:
        found = "used under several kernels in turns (containers, VMs, a shared home): their clocks decide on leases"
        mend = f"keep those clocks in step (NTP); where they share no work, {_ELSEWHERE}"
        yield Check(check="kernels", status="warn", found=found, mend=mend)


def store_size_checks(path: Path, settings: Settings) -> Iterator[Check]:
    """Whether the store is so large that somebody should say how long things are kept; and whether that can be done."""
    if settings.keep_days and settings.keep_days < settings.window_days:
        found = f"keep_days {settings.keep_days} is less than window_days {settings.window_days}, so nothing is removed"
        yield Check(check="store size", status="warn", found=found, mend="keep as many days as the window has, or more")
    log = path.with_name(f"{path.name}-wal")
    sizes = [file.stat().st_size if file.exists() else 0 for file in (path, log)]
    if not settings.keep_days and sizes[0] > _LARGE_BYTES:
        found = f"{sizes[0] / _MEGABYTE:,.0f} MB, and all of it is kept for ever"
        yield Check(check="store size", status="warn", found=found, mend=_PRUNE)
    if sizes[1] > _LONG_LOG_BYTES:
        found = f"its log has {sizes[1] / _MEGABYTE:,.0f} MB: somebody has read the store for long, or does"
        yield Check(check="store log", status="warn", found=found, mend="end that; whoever writes next gives it back")


def start_checks(found: Sequence[Handover]) -> Iterator[Check]:
    """Clients whose sessions do without the quick start, as they ask for what it does not know."""
    for one in found:
        said = f"sessions of {one.client or 'a client'} load the MCP SDK ({one.asked}): about a second and 50 MiB each"
        yield Check(check="start", status="warn", found=said, mend=f"bring {COMMAND} up to date: {INSTALL}")


def new_store_check(path: Path) -> Check:
    """Whether a store can be made at a path where there is none."""
    around = next(place for place in path.parents if os.path.lexists(place))
    try:
        # Tried, since permissions say nothing about root, /proc and read-only file systems.
        with tempfile.TemporaryDirectory(dir=around, prefix=f".{COMMAND}-"):
            return Check(check="store", status="ok", found=f"none yet at {path}; the first session makes it")
    except OSError as error:
        found = f"cannot be made at {path}: {around}: {error.strerror}"
        return Check(check="store", status="fail", found=found, mend=_ELSEWHERE)


def file_system(mounts: str, path: str) -> str:
    """The type of the file system that holds a real path, by the text of /proc/mounts (proc(5)); "" where none does."""
    found = ""
    for line in mounts.split("\n"):
        fields = line.split(" ")
        if len(fields) > 2:
            point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[1])
            # The last one, not the longest: a later mount of a folder hides what was mounted inside it.
            found = fields[2] if f"{path}/".startswith(f"{point.rstrip('/')}/") else found
    return found


def _own_folder_first(name: str) -> str:
    """What puts the folder of this installation's programs at the front of PATH; "" where `name` is not in it."""
    folder = Path(sys.executable).parent
    return f'export PATH="{folder}:$PATH"' if (folder / name).exists() else ""


def _at_least(name: str, printed: str, oldest: tuple[int, int]) -> Check:
    numbers = re.search(r"(\d+)\.(\d+)[\d.]*", printed)
    wanted = ".".join(map(str, oldest))
    if numbers is None:
        return Check(check=name, status="fail", found="does not answer", mend=f"install {name} {wanted} or newer")
    if (int(numbers[1]), int(numbers[2])) < oldest:
        return Check(check=name, status="fail", found=f"{numbers[0]} is too old", mend=f"install {wanted} or newer")
    return Check(check=name, status="ok", found=numbers[0])


def _printed(*command: str) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PROGRAM_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
