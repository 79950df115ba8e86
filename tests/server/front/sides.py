"""Two servers that are played the same session, each with a repository and a store of its own, and their answers."""

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from loomstack_mcp.server.front.messages import NotKnown
from loomstack_mcp.server.front.session import Session
from loomstack_mcp.server.front.wire import message_of
from tests.conftest import COMMAND, SDK_COMMAND, environment
from tests.deadlines import wait_until
from tests.wire import MODERN, Server

Json = dict[str, Any]

FRONT, SDK = COMMAND, SDK_COMMAND
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
"""What each request of the modern era carries."""
SHOP = "$SHOP"
"""Stands, in what is sent, for the repository of the side."""
_ID = re.compile(r"\b([a-z]+)_([0-9A-Z]{8})\b")
_TIMES = (
    (re.compile(r'((?:expires_in_s|ms)\\*": ?)\d+'), r"\g<1>0"),
    (re.compile(r"\b\d+ (?:ms|s|min|h|d)\b"), "0 s"),
)
"""What the clock alone makes different."""
_LATE = ("tools/call", "resources/read", "prompts/get")
_REFUSED = re.compile(r"invalid: (.*)\. (\w+ takes .*)")
_NAMED = re.compile(r"(?:^|; )([^:;]*):")


class Side:
    """One of the two: a server, and the names under which its ids are known to both."""

    def __init__(self, command: Sequence[str], home: Path, shop: Path, **env: str) -> None:
        self.home, self.shop = home, home / "shop"
        shutil.copytree(shop, self.shop)
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self.server = Server(list(command), env=environment(home, **env), cwd=self.shop)

    def events(self, kind: str) -> int:
        """How many events of a kind the store of this side holds."""
        store = self.home / "loomstack" / "loom.db"
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
            found: int = db.execute("SELECT count(*) FROM event WHERE kind = ?", (kind,)).fetchone()[0]
            return found

    def send(self, line: bytes) -> None:
        """Send a line that may name the ids of both sides, and the repository."""
        line = line.replace(SHOP.encode(), str(self.shop).encode())
        for name, own in self._ids.items():
            line = line.replace(name.encode(), own.encode())
        self.server.send_raw(line)

    def until(self, barrier: str, late: str | int | None) -> list[Json]:
        """The messages up to the answer to a barrier, and to what is answered late. Raises TimeoutError, EOFError."""
        found: list[Json] = []
        awaited = {barrier, late} - {None}
        while awaited:
            message = self.alike(self.server.line())
            if "method" not in message:
                awaited.discard(message.get("id"))
            if message.get("id") != barrier:
                found.append(message)
        return found

    def updates(self, id: str | int, count: int) -> list[Json]:  # noqa: A002
        """The next messages of a subscription, as many as are said, and whatever came among them, made alike."""
        found: list[Json] = []
        while len([one for one in found if _of_subscription(one, id)]) < count:
            found.append(self.alike(self.server.line()))
        return found

    def rest(self) -> list[Json]:
        """What comes after the end of its stdin, made alike and in one order."""
        self.server.close_stdin()
        found = []
        while line := self.server.line(at_end=b""):
            found.append(self.alike(line))
        return sorted(found, key=lambda message: json.dumps(message, sort_keys=True))

    def alike(self, line: bytes) -> Json:
        """The message with what must differ replaced: ids, ages, where the repository lies."""
        text = _ID.sub(lambda found: self._name(found[0], found[1]), line.decode())
        for pattern, same in _TIMES:
            text = pattern.sub(same, text)
        message: Json = json.loads(text.replace(str(self.home), "/home"))
        return _refusal(_uncut(message))

    def _name(self, own: str, kind: str) -> str:
        if own not in self._names:
            name = f"{kind}_{len([known for known in self._names if known.startswith(kind)]):08d}"
            self._names[own], self._ids[name] = name, own
        return self._names[own]


class Known:
    """Says of each line of a session whether the front answers it itself.

    After the first that it does not, both sides are the SDK, and whatever is compared proves nothing of the front.
    """

    def __init__(self) -> None:
        nowhere: Any = SimpleNamespace(send=lambda _: None, start=lambda *_: None, cancel=lambda _: True)
        nowhere.listening = SimpleNamespace(begin=lambda *_: None, cancel=lambda _: True)
        self._session = Session(nowhere, nowhere, lambda: nowhere)

    def is_known(self, line: bytes) -> bool:
        """Whether the front knows the next line."""
        try:
            if message := message_of(line):
                self._session.received(message)
        except NotKnown:
            return False
        return True


class Pair:
    """The front and the reference."""

    def __init__(self, folder: Path, shop: Path, *, modern: bool = False, **env: str) -> None:
        self.modern = modern
        self.sides = (Side(FRONT, folder / "one", shop, **env), Side(SDK, folder / "two", shop, **env))
        self._numbers = iter(range(1_000_000, 1 << 30))
        self._env = env
        self._known = Known()

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *_: object) -> None:
        for side in self.sides:
            side.server.__exit__(None, None, None)

    def request(self, method: str, params: object = None, **more: Any) -> Json:
        """The answer of the front to a request that both understand, once it is that of the reference."""
        number = next(self._numbers)
        message: Json = {"jsonrpc": "2.0", "id": number, "method": method, "params": params, **more}
        return self.line(json.dumps(message).encode() + b"\n")[-1]

    def call(self, tool: str, /, **arguments: object) -> Json:
        """The structured content of a tool call that succeeds on both."""
        params: Json = {"name": tool, "arguments": arguments}
        answer = self.request("tools/call", {**params, "_meta": META} if self.modern else params)
        content: Json = answer["result"]["structuredContent"]
        return content

    def knows(self, method: str, params: object = None) -> bool:
        """Whether the front would answer a request itself, in the session as it is."""
        return self._known.is_known(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        )

    def known_first(self, lines: Sequence[bytes]) -> list[bytes]:
        """The lines, those that the front hands over at the end."""
        return sorted(lines, key=lambda line: not self._known.is_known(line))

    def line(self, line: bytes) -> list[Json]:
        """What the front sends back to a line, once both sent the same: nothing, an answer, notifications."""
        barrier = f"barrier-{next(self._numbers)}"
        after: Json = {
            "jsonrpc": "2.0",
            "id": barrier,
            "method": "resources/templates/list" if self.modern else "ping",  # which either era of the front knows
            "params": {"_meta": META} if self.modern else {},
        }
        for side in self.sides:
            side.send(line)
            side.send(json.dumps(after).encode() + b"\n")
        self._known.is_known(line)
        late = _late(line)
        found = [side.until(barrier, late) for side in self.sides]
        return _same(line, found[0], found[1])

    def initialize(self, protocol: str = "2025-11-25") -> Json:
        """Open the older era."""
        info = {"name": "test", "version": "1"}
        answer = self.request("initialize", {"protocolVersion": protocol, "capabilities": {}, "clientInfo": info})
        self.line(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        return answer

    def start(self, method: str, params: Json, id: str | int) -> None:  # noqa: A002
        """Ask both for what is not answered soon."""
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})

    def send(self, message: Json) -> None:
        """Send both a message without waiting for what it brings."""
        for side in self.sides:
            side.send(json.dumps(message).encode() + b"\n")

    def happened(self, kind: str, count: int = 1) -> None:
        """Returns once the team was told of so many events of a kind, on either side."""
        for side in self.sides:
            wait_until(lambda side=side: side.events(kind) >= count)  # type: ignore[misc]

    def updates(self, id: str | int, count: int) -> list[Json]:  # noqa: A002
        """The next messages of a subscription on both sides."""
        found = [side.updates(id, count) for side in self.sides]
        return _same(b"a subscription", found[0], found[1])

    def env(self, home: Path) -> dict[str, str]:
        """What another process on a side's store is started with."""
        return environment(home, **self._env)

    def ended(self, line: bytes = b"") -> list[Json]:
        """What both sent since, once their stdin ended and they ended well."""
        rest = [side.rest() for side in self.sides]
        assert [side.server.process.wait(30) for side in self.sides] == [0, 0]
        return _same(line, rest[0], rest[1])


def session(folder: Path, shop: Path, lines: Sequence[bytes]) -> list[Json]:
    """What both sent in a session of these lines and the end of stdin, in no order."""
    with Pair(folder, shop) as pair:
        for line in lines:
            for side in pair.sides:
                side.send(line)
        return pair.ended(b"".join(lines))


def _same(sent: bytes, front: list[Json], sdk: list[Json]) -> list[Json]:
    assert front == sdk, f"the front answers otherwise to {sent[:2000]!r}"
    return front


def _uncut(message: Json) -> Json:
    """Without what a budget of tokens cut: how many characters an age takes depends on the clock."""
    result = message.get("result", {})
    told = result.get("structuredContent", {})
    briefing = told.get("briefing", told)
    if not briefing.get("more"):
        return message
    kept = {name: value for name, value in briefing.items() if not isinstance(value, list) and name != "more"}
    told = {**told, "briefing": kept} if "briefing" in told else kept
    text = [{"type": "text", "text": json.dumps(told)}]
    return {**message, "result": {**result, "content": text, "structuredContent": told}}


def _late(line: bytes) -> str | int | None:
    """The id of a request that is answered when a thread is done with it, and so after a barrier that follows it."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    late = isinstance(message, dict) and message.get("method") in _LATE
    return message.get("id") if late else None


def _of_subscription(message: Json, id: str | int) -> bool:  # noqa: A002
    meta = (message.get("params") or {}).get("_meta") or {}
    return bool(meta.get("io.modelcontextprotocol/subscriptionId") == id)


def _refusal(message: Json) -> Json:
    """Arguments that no schema takes: which are named must be the same, the words need not."""
    result = message.get("result")
    if not (isinstance(result, dict) and result.get("isError") and result.get("content")):
        return message
    text = result["content"][0]["text"]
    if not (found := _REFUSED.fullmatch(text)):
        return message
    named = {"invalid": _NAMED.findall(found[1]), "told": found[2]}
    return {**message, "result": {**result, "content": named}}
