"""Hubs in processes of their own over either database, edges that joined them, and the CPU that both cost."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.loom import open_loom
from loomstack_mcp.remote.line import Line
from loomstack_mcp.remote.opening import services_of
from loomstack_mcp.services.offered import Services
from tests.bench.over_http import OURS, started
from tests.hubs import ADMIN

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class BenchHub:
    """A replica that runs."""

    port: int
    store: str
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def started_hub(home: Path, store: str, ending: ExitStack) -> BenchHub:
    """A hub over a store, as a person starts it, until the end."""
    home.mkdir(parents=True, exist_ok=True)
    port, pid = started(OURS, home, ending, LOOMSTACK_STORE=store)
    return BenchHub(port, store, pid)


def made_tokens(store: str, owners: Sequence[str]) -> list[str]:
    """A token for each, made where the store is."""
    with open_loom(Settings(store=store)) as loom:
        return [loom.tokens.create(ADMIN, owner=owner, role="developer").text for owner in owners]


def joined_home(folder: Path, url: str, token: str) -> Path:
    """A home whose person has joined the hub; for `environment`, which adds the folder's name."""
    home = folder / "loomstack"
    home.mkdir(parents=True)
    file = home / "hub-tokens.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps([{"origin": url, "token": token}]))
    (home / "config.yaml").write_text(f"store: {url}\n")
    return folder


class Edge(Services):
    """The services of a hub over a line of its own, as on a machine of its own. Nothing is remembered there."""

    def __init__(self, hub: BenchHub, token: str, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.line = Line(hub.url, token, home=str(home))
        super().__init__(services_of(self.line, str(home), None))


def cpu_s(pid: int) -> float:
    """User and system time of a process, and of its children with all that they waited for."""
    own = _spent_s(pid)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_spent_s(int(child)) for child in children)


def _spent_s(pid: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has ended; whoever waited for it has its time
        return 0
    return sum(map(int, words[11:15])) / _TICKS_PER_S
