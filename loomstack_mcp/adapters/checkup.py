"""What may be wrong with an installation, each found out by looking, and the command that mends it."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from loomstack_mcp.adapters.gitcli import Worktree
from loomstack_mcp.core.clientfiles import COMMAND, HOOK, NAME, TOKEN_VARIABLE

Status = Literal["ok", "warn", "fail"]

_GIT_OLDEST = (2, 31)  # rev-parse --path-format
_SQLITE_OLDEST = (3, 37)  # STRICT tables
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "lustre"}
_STORE_VARIABLES = ("LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME")
_LOCAL = ".claude/settings.local.json"
_PROGRAM_SECONDS_MAX = 10
_ANSWER_SECONDS_MAX = 3
_INIT = f"{COMMAND} init"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    check: str
    status: Status
    found: str
    mend: str = ""
    """A command, or what to do; empty where nothing is wrong."""


def programs(version: str) -> Iterator[Check]:
    """Git, SQLite, and whether clients find our scripts, in this version."""
    for name in (COMMAND, HOOK):
        place = shutil.which(name)
        if place is None:
            folder = Path(sys.executable).parent
            mend = f'add it: export PATH="{folder}:$PATH"' if (folder / name).exists() else f"pip install {COMMAND}"
            yield Check(check=name, status="fail", found="not on PATH, so that no client can start it", mend=mend)
        else:
            yield Check(check=name, status="ok", found=place)
    if shutil.which(COMMAND) and version not in (printed := _printed(COMMAND, "--version")):
        found = f"PATH has {printed.strip() or 'one that does not answer'}, this is {version}"
        yield Check(check="version", status="warn", found=found, mend=f"pip install --upgrade {COMMAND}")
    yield _at_least("git", _printed("git", "--version"), _GIT_OLDEST)
    yield _at_least("sqlite", sqlite3.sqlite_version, _SQLITE_OLDEST)


def store_folder(path: Path) -> Check:
    """Whether the store's folder is on this machine: SQLite's locks cannot be trusted on a network file system."""
    kind = _file_system(path)
    if kind in _NETWORK:
        mend = "export LOOMSTACK_HOME=/a/folder/on/this/machine"
        return Check(check="file system", status="fail", found=f"{path} is on {kind}, a network file system", mend=mend)
    return Check(check="file system", status="ok", found=kind or "not known on this system")


def http_server(root: Path, environment: Mapping[str, str], token_file: Path) -> Iterator[Check]:
    """Where the project names a server by URL: whether it answers, and lets this environment's token in."""
    entry = _object(_object(_json(root / ".mcp.json"), "mcpServers"), NAME)
    url = entry.get("url")
    if not isinstance(url, str):
        return
    token = environment.get(TOKEN_VARIABLE, "")
    status = _answered(url, token)
    if status is None:
        yield Check(check="server", status="fail", found=f"{url} does not answer", mend=f"{COMMAND} serve --http")
    elif status == HTTPStatus.UNAUTHORIZED:
        found = f"{url} does not accept {TOKEN_VARIABLE}" if token else f"{TOKEN_VARIABLE} is not set"
        mend = f'export {TOKEN_VARIABLE}="$(cat {token_file})", then restart the client'
        yield Check(check="server", status="fail", found=found, mend=mend)
    else:
        yield Check(check="server", status="ok", found=f"{url} answers")


def claude_code(worktree: Worktree, home: Path) -> Iterator[Check]:
    """Whether Claude Code knows the server in this worktree, and may start it."""
    name, root = "Claude Code", worktree.root
    if shutil.which("claude") is None:
        yield Check(check=name, status="ok", found="not installed")
        return
    own = _json(home / ".claude.json")
    here = _object(_object(own, "projects"), str(root))
    answers = [here, _json(root / _LOCAL), _json(home / ".claude" / "settings.json")]
    if NAME in _object(own, "mcpServers") or NAME in _object(here, "mcpServers"):
        yield Check(check=name, status="ok", found="knows the server from your own settings")
    elif NAME not in _object(_json(root / ".mcp.json"), "mcpServers"):
        yield Check(check=name, status="warn", found="does not know the server here", mend=_INIT)
        return
    elif any(NAME in source.get("disabledMcpjsonServers", ()) for source in answers):
        mend = "start `claude` here and enable it with /mcp"
        yield Check(check=name, status="fail", found="the server is switched off for this folder", mend=mend)
    elif not any(_accepts(source) for source in answers):
        mend = "start `claude` here and accept it (`claude -p` does not ask)"
        yield Check(check=name, status="warn", found="the server waits for your approval", mend=mend)
    else:
        yield Check(check=name, status="ok", found="knows the server and may start it")
    if worktree.tracks(_LOCAL):
        found = f"{_LOCAL} is in git, so that its permissions do not count"
        yield Check(check=f"{name} rules", status="warn", found=found, mend=f"git rm --cached {_LOCAL}")
    if f"{HOOK} claude" not in json.dumps(_json(root / ".claude" / "settings.json")):
        found = "no hook: edits are not checked against claims"
        yield Check(check=f"{name} hook", status="warn", found=found, mend=_INIT)


def codex(root: Path, home: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether Codex knows the server in this worktree, trusts the folder, and would open the same store."""
    name = "Codex"
    if shutil.which("codex") is None:
        yield Check(check=name, status="ok", found="not installed")
        return
    own = _toml(Path(environment.get("CODEX_HOME") or home / ".codex") / "config.toml")
    project = _object(_object(_toml(root / ".codex" / "config.toml"), "mcp_servers"), NAME)
    server = project or _object(_object(own, "mcp_servers"), NAME)
    trusted = _object(_object(own, "projects"), str(root)).get("trust_level") == "trusted"
    if not server:
        yield Check(check=name, status="warn", found="does not know the server here", mend=_INIT)
        return
    if project and not trusted:
        mend = "start `codex` here and trust the folder"
        yield Check(
            check=name, status="warn", found="the folder is not trusted, so its settings do not count", mend=mend
        )
    else:
        yield Check(check=name, status="ok", found="knows the server")
    passed = {*server.get("env_vars", ()), *_object(server, "env")}
    lost = [variable for variable in _STORE_VARIABLES if environment.get(variable) and variable not in passed]
    if lost and "command" in server:
        found = f"would open another store: it does not pass {', '.join(lost)} on"
        yield Check(check=f"{name} store", status="fail", found=found, mend=_INIT)


def _accepts(answers: Mapping[str, Any]) -> bool:
    """Whether the answers that a person gave Claude Code let a project's server start."""
    return NAME in answers.get("enabledMcpjsonServers", ()) or answers.get("enableAllProjectMcpServers") is True


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


def _answered(url: str, token: str) -> int | None:
    """The status that a GET of the endpoint has with this token; None where nobody answers."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=_ANSWER_SECONDS_MAX)
        connection.request("GET", parts.path or "/", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    except (OSError, ValueError, HTTPException):
        return None


def _file_system(path: Path) -> str:
    """The type of the file system that holds the path, where Linux says it; else ""."""
    real = os.path.realpath(path)
    try:
        mounts = [line.split(" ")[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return ""
    around = [(point, kind) for point, kind in mounts if real == point or real.startswith(f"{point.rstrip('/')}/")]
    return max(around, key=lambda mount: len(mount[0]), default=("", ""))[1]


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _object(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tree.get(name)
    return found if isinstance(found, Mapping) else {}
