"""The servers that clients know by URL: whether each answers, and lets the token in."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from loomstack_mcp.adapters.install.addresses import Address, address_of, answer_of
from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.doctor_files import Client, text_at
from loomstack_mcp.core.clients.files.own_names import COMMAND, NAME, TOKEN_VARIABLE

_ENDPOINT = "/mcp"
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# A bare GET is no MCP request, and the endpoint says so in one of these ways.
_SERVED = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_ACCEPTABLE}


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
        address = address_of(url)
        if "$" in url:
            found = "its URL was not asked: there is a variable in it, which only the client fills in"
            yield Check(check="server", status="warn", found=found, mend="claude mcp list")
        elif address is None:
            found = "its URL is none that can be asked: it has to start with https://, or be of this machine"
            yield _fails(found, f"{INIT} --url https://host{_ENDPOINT}")
        else:
            source = "TOKEN, as whoever runs the server gives it to you"
            if address.is_local and token_file.is_file():
                source = f'"$(cat {token_file})"'
            yield _not_asked(address) or _asked(address, token, is_approved=is_approved, source=source)


def _not_asked(address: Address) -> Check | None:
    """What is wrong with an address that must not be asked, or need not be."""
    if address.scheme == "http" and not address.is_local:
        found = f"{address} was not asked: without https anybody on the way reads the token"
        return _fails(found, f"{INIT} --url https://host{_ENDPOINT}")
    if not address.path.endswith(_ENDPOINT):
        mend = f"{INIT} --url {replace(address, path=address.path.rstrip('/') + _ENDPOINT)}"
        return _fails(f"{address} was not asked: the server serves {_ENDPOINT}", mend)
    return None


def _asked(address: Address, token: str, *, is_approved: bool, source: str) -> Check:
    """One server, asked; it gets the token only where a person approved it. `source` is where that comes from."""
    mend = "ask whoever runs it"
    if address.scheme == "http":
        mend = f"{COMMAND} serve --http --port {address.port or 80}"
    status, body = answer_of(address, f"{address.path.removesuffix(_ENDPOINT)}/health", "")
    if status is None:
        return _fails(f"{address} does not answer", mend)
    if status != HTTPStatus.OK or not _is_our_health(body):
        return _fails(f"{address} was not given the token: what answers there is not {COMMAND}", mend)
    export = f"export {TOKEN_VARIABLE}={source}, then restart the client"
    if not token:
        return _fails(f"{TOKEN_VARIABLE} is not set", export)
    if not is_approved:
        found = f"{address} answers; {TOKEN_VARIABLE} was not tried, as you have approved that server in no client"
        return Check(check="server", status="warn", found=found, mend=f"approve it, then {COMMAND} doctor")
    status, _ = answer_of(address, address.path, token)
    if status in _REFUSED:
        return _fails(f"{address} does not accept {TOKEN_VARIABLE}", export)
    if status not in _SERVED:
        return _fails(f"{address} is not served there: it answers with {status or 'nothing'}", mend)
    return Check(check="server", status="ok", found=f"{address} answers and accepts the token")


def _fails(found: str, mend: str) -> Check:
    return Check(check="server", status="fail", found=found, mend=mend)


def _is_our_health(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("name") == NAME
