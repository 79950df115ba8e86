"""`ui`: the dashboard of one person, on loopback, for as long as its command runs."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine

import anyio
import click

from loomstack_mcp.adapters.client_shell import client_variable
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.errors import Invalid, LimitExceeded, NotFound
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.tracing import traced
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.server.hub.addresses import listening
from loomstack_mcp.server.hub.connections import HubConnections
from loomstack_mcp.server.hub.hosts import Arrival, Hosts
from loomstack_mcp.server.hub.pages import wants_page
from loomstack_mcp.server.hub.quiet import quiet_log
from loomstack_mcp.server.hub.replies import Receive, Refusal, Scope, Send, json_reply, refusal_reply, send_reply
from loomstack_mcp.server.hub.serving import connections_max, refuse_core_dumps, serve_hub
from loomstack_mcp.server.hub.standing import Standing
from loomstack_mcp.server.ui.dashboard import Dashboard
from loomstack_mcp.server.ui.deciding import LocalDeciders
from loomstack_mcp.server.ui.lists import THINGS, trace_list
from loomstack_mcp.server.ui.local_visits import Codes, LocalVisits
from loomstack_mcp.server.ui.opened import VisibleRepos
from loomstack_mcp.server.ui.requests import peer_of
from loomstack_mcp.server.ui.streams import EventStreams

_HOST = "127.0.0.1"
_NO_TERMINAL = "the dashboard was not started in a terminal of a person's: in one, `loomstack-mcp approve ID`"


class LocalDoor:
    """What a request on loopback meets before the pages have it."""

    def __init__(self, pages: Dashboard) -> None:
        self._pages, self._hosts = pages, Hosts(address=_HOST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _lifespan(receive, send)
            return
        try:
            arrival = self._hosts.refuse_foreign(scope)
            self._refuse_account(scope, arrival)
        except Refusal as refusal:
            await send_reply(refusal_reply(refusal, over_api=True), send)
            return
        if self._pages.takes(scope["raw_path"].decode("latin-1")):
            await self._pages.answer(scope, receive, send, arrival)
            return
        if wants_page(scope):
            await self._pages.tell_nothing_here(scope, send)
            return
        told = {"code": "not_found", "message": "there is no such page; the first is /"}
        await send_reply(json_reply(404, {"error": told}), send)

    def _refuse_account(self, scope: Scope, arrival: Arrival) -> None:
        """A browser sends its cookie to every port of this host, also to another account's, who comes with it here.

        Raises Refusal.
        """
        if peer_of(scope, arrival).is_foreign:
            raise Refusal(403, "this dashboard is another account's", code="unauthorized")


def run_ui(here: Here, *, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Raises Invalid where the port is taken, StoreUnavailable."""
    refuse_core_dumps()
    with open_loom(here.any_settings) as loom, listening(_HOST, port) as listener:
        quiet_log()
        port = listener.getsockname()[1]
        repo_id = _own_repo(here, loom)
        who = loom.tokens.whoami(Principal(name=principal(), role="admin"))
        why_not = "" if _is_persons_terminal() else _NO_TERMINAL
        visits = LocalVisits(who, port=port, codes=None if why_not else Codes(CodeTerminal().show), why_not=why_not)
        pages = Dashboard(
            loom,
            visits=visits,
            deciders=LocalDeciders(here, loom, repo_id=repo_id),
            repos=VisibleRepos(loom, own=repo_id),
            streams=EventStreams(loom),
            things={**THINGS, "trace": trace_list(lambda ref: traced(here, loom, ref), repo_id=repo_id)},
        )
        click.echo(f"The dashboard: http://{_HOST}:{port}/#key={visits.reading_key}")
        click.echo("It runs until Ctrl-C; whoever has this link reads it, and nobody else does.")
        sys.stdout.flush()
        ended_by = anyio.run(_serving(pages, listener))
    if ended_by != signal.SIGINT:  # which is how a person ends it
        signal.raise_signal(ended_by)


def _serving(pages: Dashboard, listener: socket.socket) -> Callable[[], Coroutine[None, None, signal.Signals]]:
    async def serve() -> signal.Signals:
        standing, connections = Standing(lambda: None), HubConnections(connections_max())
        return await serve_hub(
            LocalDoor(pages), listener, standing, connections, beside=pages.watch, on_end=pages.end
        )  # fmt: skip

    return serve


def _own_repo(here: Here, loom: Loom) -> str:
    try:
        return loom.repos.id_of(here.checkout())
    except (Invalid, NotFound):  # no repository is seen here: those of the store are shown
        return ""


def _is_persons_terminal() -> bool:
    return not client_variable(os.environ) and sys.stdin.isatty() and sys.stderr.isatty()


class CodeTerminal:
    """The person's terminal. It may stand still (Ctrl-S), and no page waits for it."""

    def __init__(self) -> None:
        self._writer: threading.Thread | None = None

    def show(self, code: str) -> None:
        """It is shown once the terminal goes on. Raises LimitExceeded where the last code still waits for that."""
        if self._writer and self._writer.is_alive():
            raise LimitExceeded(
                "the terminal in which the dashboard runs stands still; press Ctrl-Q there, and ask again"
            )
        self._writer = threading.Thread(target=_write_code, args=(code,), daemon=True)
        self._writer.start()


def _write_code(code: str) -> None:
    told = f"To decide in the dashboard, type there: {code}  (once, within 5 min)\n"
    os.write(sys.stderr.fileno(), told.encode())  # Python waits at its end for who is in its own buffer


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
