"""The operating system's word on who runs this process, where, and for which client's session."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.runs import FAR_LEFT, FAR_PROCESS

_PROCESS_WORDS = 4
"""Boot, pid namespace, pid and start time."""


def current_folder() -> Path:
    """The folder that the process stands in. Raises Invalid where somebody has deleted it."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise Invalid("the folder that this runs in is gone; cd to one that is there") from None


@functools.lru_cache(maxsize=16)
def session_process(session: str) -> str:
    """The process of a client's session, for `process_state`: boot, pid namespace, pid and start time; "" for unknown.

    The client is not always our parent: `npx`, `uvx` or a shell may stand between, and ends with us when the client
    reconnects. Claude Code hands its session's id down to all that it starts, and is the nearest process above that has
    not got it; Codex is known by its name. Where the system has no /proc, a name of this server stands for it.
    """
    client, _, name = session.partition(":")
    marker = f"CLAUDE_CODE_SESSION_ID={name}".encode()
    is_client: dict[str, Callable[[Path], bool]] = {
        "claude": lambda folder: marker not in (folder / "environ").read_bytes().split(b"\0"),
        "codex": lambda folder: (folder / "comm").read_text(encoding="utf-8", errors="replace").startswith("codex"),
    }
    if client not in is_client:
        return ""
    try:
        here = _namespace()
        pid = os.getppid()
        while pid and not is_client[client](Path(f"/proc/{pid}")):
            pid = int(_stat(pid)[1])
        return f"{here} {pid} {_stat(pid)[19]}" if pid else ""
    except OSError:
        return f"server {os.getpid()} {_server_number()}"


@functools.lru_cache(maxsize=16)
def through_server(process: str) -> str:
    """A session's process with this server before it, which a client may start anew while the session goes on."""
    if len(process.split(" ")) != _PROCESS_WORDS:
        return process
    return f"{os.getpid()}/{_stat(os.getpid())[19]} {process}"


def client_process(process: str) -> str:
    """A session's process alone, without the server before it."""
    return _server_and_client(process)[1]


def is_left(process: str, *, by: str) -> bool:
    """Whether a session that is in the process `by` now has left another one, or the server that it had there.

    One on another machine is left once that said so.
    """
    if process.startswith(FAR_PROCESS):
        return process == FAR_LEFT
    (server, client), (_, new_client) = _server_and_client(process), _server_and_client(by)
    if client == new_client:
        return process_state(server) == "gone"
    return process_state(client) != "alive"


def process_state(process: str) -> Literal["alive", "gone", "unknown"]:
    """Whether the process of a session is there still, as far as this one can see into its pid namespace."""
    client = _server_and_client(process)[1]
    here, _, rest = client.rpartition(" ")[0].rpartition(" ")
    started = client.rpartition(" ")[2]
    try:
        if not here or here != _namespace():
            return "unknown"
        os.kill(int(rest), 0)  # asks the kernel, which hides no process from it as /proc may (proc(5), hidepid)
        state, start = (_stat(int(rest))[at] for at in (0, 19))
    except ProcessLookupError:
        return "gone"
    except (OSError, ValueError):
        return "unknown"
    return "alive" if start == started and state not in "ZX" else "gone"


def words_of_process(process: str) -> tuple[str, ...]:
    """The command line of a session's process, as it was started; nothing where that cannot be read."""
    if process_state(process) != "alive":
        return ()
    try:
        line = Path(f"/proc/{_server_and_client(process)[1].split(' ')[2]}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(line.decode("utf-8", "replace").rstrip("\0").split("\0"))


def _server_and_client(process: str) -> tuple[str, str]:
    """Both as processes of their own, the server "" where none is named."""
    server, slash, rest = process.partition("/")
    start, _, client = rest.partition(" ")
    return (f"{client.rsplit(' ', 2)[0]} {server} {start}", client) if slash else ("", process)


def _namespace() -> str:
    """This boot and this pid namespace. Raises OSError where /proc is another's, or there is none."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    if os.readlink("/proc/self") != str(os.getpid()):  # noqa: PTH115 a number, not a path
        raise FileNotFoundError
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 it leads nowhere


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: state, parent, and, as the 20th, the start time (proc(5))."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


@functools.cache
def _server_number() -> str:
    return os.urandom(4).hex()
