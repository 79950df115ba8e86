"""What the clients would start or call: whether it is ours, lets the token in, and opens one store for all."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.doctor_files import Client, Entries, text_at, words_at
from loomstack_mcp.adapters.settings import load_settings, sqlite_path
from loomstack_mcp.core.clients.files.project import COMMAND, NAME, TOKEN_VARIABLE
from loomstack_mcp.core.errors import LoomError

_ENDPOINT = "/mcp"
_OURS = {COMMAND, "loomstack", "loomstack_mcp"}
_STORE_FLAGS = ("home", "store")
_STORE_VARIABLES = {"LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME", "HOME"}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# A bare GET is no MCP request, and the endpoint says so in one of these ways.
_SERVED = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_ACCEPTABLE}
_ANSWER_SECONDS_MAX = 3
_ANSWER_BYTES_MAX = 10_000


def command_checks(clients: Sequence[Client], root: Path) -> Iterator[Check]:
    """Whether what a client starts is our program, and there."""
    for client in clients:
        if not client.entry or text_at(client.entry, "url"):
            continue
        name, command = f"{client.name} command", text_at(client.entry, "command")
        mend = f"call {COMMAND} in its entry, or take the entry out and run {INIT}"
        program = str(root / command) if "/" in command else command
        if shutil.which(program, path=client.environment.get("PATH")) is None:
            # That ours is not on PATH has been said already.
            if command != COMMAND or shutil.which(COMMAND):
                yield Check(
                    check=name,
                    status="fail",
                    found=f"starts {command or 'nothing'}, which is no program here",
                    mend=mend,
                )
        elif _OURS.isdisjoint((Path(command).name, *words_at(client.entry, "args"))):
            yield Check(check=name, status="warn", found=f"starts {command}, not {COMMAND}", mend=mend)


def same_store_checks(clients: Sequence[Client], environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether the clients' servers, and the hook in the environment of both, share one store."""
    places = {client.name: _place(client) for client in clients if client.entry}
    if any(client.entry and not text_at(client.entry, "url") for client in clients):
        places["this shell"] = _store({}, environment)
    if len(set(places.values())) > 1:
        found = "; ".join(f"{name} opens {place}" for name, place in places.items())
        mend = INIT
        if any(_chooses_a_store(client.entry) for client in clients):
            mend = "choose the store in your shell's environment or config.yaml alone, not in a client's entry"
        yield Check(check="same store", status="fail", found=found, mend=mend)


def http_server_checks(clients: Sequence[Client], token: str, token_file: Path) -> Iterator[Check]:
    """Of each server that a client knows by URL: whether it answers, and lets the token in.

    A repository names the URL, and whoever wrote it shall not get the token: it goes only where the
    user approved that server, over https or to this machine.
    """
    approved: dict[str, bool] = {}
    for client in clients:
        if url := text_at(client.entry, "url"):
            approved[url] = approved.get(url, False) or client.is_approved
    for url, is_approved in approved.items():
        address = _address(url)
        if "$" in url:
            found = "its URL was not asked: there is a variable in it, which only the client fills in"
            yield Check(check="server", status="warn", found=found, mend="claude mcp list")
        elif address is None:
            found = "its URL is none that can be asked: it has to start with https://, or be of this machine"
            yield _fails(found, f"{INIT} --url https://host{_ENDPOINT}")
        elif address.scheme == "http" and not address.is_local:
            found = f"{address} was not asked: without https anybody on the way reads the token"
            yield _fails(found, f"{INIT} --url https://host{_ENDPOINT}")
        elif not address.path.endswith(_ENDPOINT):
            mend = f"{INIT} --url {replace(address, path=address.path.rstrip('/') + _ENDPOINT)}"
            yield _fails(f"{address} was not asked: the server serves {_ENDPOINT}", mend)
        else:
            yield _asked(address, token if is_approved else "", is_set=bool(token), token_file=token_file)


@dataclass(frozen=True, kw_only=True)
class _Address:
    """The parts of a URL, without the name and password that may be in it."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def is_local(self) -> bool:
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}{self.path}"


def _asked(address: _Address, token: str, *, is_set: bool, token_file: Path) -> Check:
    """One server, asked; `token` is empty where it must not be sent."""
    mend = "ask whoever runs it"
    if address.scheme == "http":
        mend = f"{COMMAND} serve --http --port {address.port or 80}"
    status, body = _got(address, f"{address.path.removesuffix(_ENDPOINT)}/health", "")
    if status is None:
        return _fails(f"{address} does not answer", mend)
    if status != HTTPStatus.OK or not _is_our_health(body):
        return _fails(f"{address} was not given the token: what answers there is not {COMMAND}", mend)
    source = "TOKEN, as whoever runs the server gives it to you"
    if address.is_local and token_file.is_file():
        source = f'"$(cat {token_file})"'
    export = f"export {TOKEN_VARIABLE}={source}, then restart the client"
    if not is_set:
        return _fails(f"{TOKEN_VARIABLE} is not set", export)
    if not token:
        found = f"{address} answers; {TOKEN_VARIABLE} was not tried, as you have approved that server in no client"
        return Check(check="server", status="warn", found=found, mend=f"approve it, then {COMMAND} doctor")
    status, _ = _got(address, address.path, token)
    if status in _REFUSED:
        return _fails(f"{address} does not accept {TOKEN_VARIABLE}", export)
    if status not in _SERVED:
        return _fails(f"{address} is not served there: it answers with {status or 'nothing'}", mend)
    return Check(check="server", status="ok", found=f"{address} answers and accepts the token")


def _fails(found: str, mend: str) -> Check:
    return Check(check="server", status="fail", found=found, mend=mend)


def _address(url: str) -> _Address | None:
    """None where it is no URL of HTTP."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return _Address(scheme=parts.scheme, host=parts.hostname, port=port, path=parts.path)


def _got(address: _Address, path: str, token: str) -> tuple[int | None, bytes]:
    """Status and body of a GET, with this token; no status where nobody answers. Redirects are not followed."""
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection = kind(address.host, address.port, timeout=_ANSWER_SECONDS_MAX)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_ANSWER_BYTES_MAX)
    except (OSError, ValueError, HTTPException):
        return None, b""


def _is_our_health(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("name") == NAME


def _place(client: Client) -> str:
    if url := text_at(client.entry, "url"):
        return str(_address(url) or "a server at no URL")
    return _store(client.entry, client.environment)


def _store(entry: Entries, environment: Mapping[str, str]) -> str:
    """The store that a server with this environment and these arguments opens."""
    flags: dict[str, str | None] = {}
    arguments = words_at(entry, "args")
    for word, after in pairwise((*arguments, "")):
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in _STORE_FLAGS:
            flags[name] = value if equals else after
    try:
        return str(sqlite_path(load_settings(flags, environment=environment)))
    except (LoomError, OSError, ValueError, RuntimeError) as error:
        return f"nothing ({error})"


def _chooses_a_store(entry: Entries) -> bool:
    named = entry.get("env")
    arguments = {word.split("=")[0].removeprefix("--") for word in words_at(entry, "args")}
    return bool(isinstance(named, dict) and _STORE_VARIABLES & set(named)) or bool(arguments & set(_STORE_FLAGS))
