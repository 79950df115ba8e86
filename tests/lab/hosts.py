"""Hosts as network namespaces behind a bridge: each with an address, a name, a wall clock and a boot of its own."""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NET = f"10.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
"""Of this process, so that two suites at once do not meet."""
_UP_SINCE = ("unshare", "--mount", "--time", f"--boottime={40 * 86_400}")
_BOOTED = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'


@dataclass(frozen=True)
class Host:
    """A machine of its own, as far as network and clock go."""

    name: str
    address: str
    clock: str = ""
    """How its wall clock differs, as `faketime` has it: `+2h`."""
    boot: Path | None = None
    """The id of its boot; None for that of this machine, where no other can be had."""

    def command(self, argv: Sequence[str]) -> list[str]:
        """What runs a command there, as the process that is started."""
        booted = [*_UP_SINCE, "sh", "-c", _BOOTED, self.boot] if self.boot else []
        return ["ip", "netns", "exec", self.name, *map(str, booted), *clocked(self.clock), *argv]

    def cut(self) -> None:
        """Its cable is pulled: whoever waits for it is told nothing."""
        _ip("link", "set", _end_of(self), "down")

    def mend(self) -> None:
        """The cable is back."""
        _ip("link", "set", _end_of(self), "up")


@dataclass(frozen=True)
class Network:
    """Hosts, and the address at which they find what runs on the machine itself."""

    address: str
    hosts: tuple[Host, ...]


def why_no_hosts() -> str:
    """Why this machine can have none; "" where it can."""
    if not sys.platform.startswith("linux") or os.geteuid() or not shutil.which("ip"):
        return "network namespaces need Linux, root and iproute2"
    made = subprocess.run(["ip", "netns", "add", name := f"loom-try-{os.getpid()}"], capture_output=True, text=True)
    if made.returncode:
        return f"ip netns add: {made.stderr.strip()}"
    _ip("netns", "del", name)
    return "" if shutil.which("faketime") else "clocks that differ need faketime"


def why_no_boots() -> str:
    """Why hosts of this machine have its own boot; "" where each has one of its own."""
    tried = subprocess.run([*_UP_SINCE, "sh", "-c", _BOOTED, "/dev/null", "true"], capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


def clocked(clock: str) -> list[str]:
    """What a command begins with whose wall clock differs; its process is the command's own, which can be killed."""
    if not clock:
        return []
    # Times of files stay: git tells by them what was written since it looked.
    return ["env", "NO_FAKE_STAT=1", f"LD_PRELOAD={_faketime_library()}", f"FAKETIME={clock}"]


@functools.cache
def _faketime_library() -> str:
    told = ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"]
    for _ in range(5):  # it fails where one of the same process id was killed before it took away what it shared
        done = subprocess.run(told, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    raise OSError(done.stderr)


@contextlib.contextmanager
def network(*clocks: str) -> Iterator[Network]:
    """A host for each of these clocks, on one bridge."""
    bridge = f"lm{os.getpid()}"
    with contextlib.ExitStack() as made:
        folder = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="loom-boots-")))
        has_boots = not why_no_boots()
        _ip("link", "add", bridge, "type", "bridge")
        made.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{_NET}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        hosts = []
        for number, clock in enumerate(clocks, start=2):
            boot = folder / str(number)
            boot.write_text(f"{uuid.uuid4()}\n")
            host = Host(
                name=f"loom-{os.getpid()}-{number}",
                address=f"{_NET}.{number}",
                clock=clock,
                boot=boot if has_boots else None,
            )
            _ip("netns", "add", host.name)
            made.callback(_ip, "netns", "del", host.name)
            _ip("link", "add", _end_of(host), "type", "veth", "peer", "name", "eth0", "netns", host.name)
            _ip("link", "set", _end_of(host), "master", bridge, "up")
            for words in (("link", "set", "lo", "up"), ("addr", "add", f"{host.address}/24", "dev", "eth0"),
                          ("link", "set", "eth0", "up")):  # fmt: skip
                _ip("-n", host.name, *words)
            hosts.append(host)
        yield Network(address=f"{_NET}.1", hosts=tuple(hosts))


def _end_of(host: Host) -> str:
    """This machine's end of its cable."""
    return f"v{host.name.removeprefix('loom-')}"


def _ip(*words: str) -> Any:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
