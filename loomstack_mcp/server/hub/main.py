"""`serve --http`: the hub of one person on their own machine, or of a team."""

import gc
import ipaddress
import signal
import sys
from pathlib import Path

import anyio

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.hub.addresses import listening, refuse_open_address
from loomstack_mcp.server.hub.api import Api
from loomstack_mcp.server.hub.certificates import Certificate
from loomstack_mcp.server.hub.connections import HubConnections
from loomstack_mcp.server.hub.door import Door
from loomstack_mcp.server.hub.hosts import Hosts, checked_url, is_loopback, proxy_networks
from loomstack_mcp.server.hub.keys import Keys, own_token
from loomstack_mcp.server.hub.open_questions import OpenQuestions
from loomstack_mcp.server.hub.pages import PagesMaker
from loomstack_mcp.server.hub.quiet import quiet_log
from loomstack_mcp.server.hub.serving import connections_max, refuse_core_dumps, serve_hub
from loomstack_mcp.server.hub.standing import Standing
from loomstack_mcp.server.hub.tidying import tidy_daily
from loomstack_mcp.server.principals import loom_as_opened
from loomstack_mcp.server.sdk.app import build_server
from loomstack_mcp.server.sdk.bus import Bus
from loomstack_mcp.server.sdk.http import mcp_app


@record
class HubOptions:
    """The flags of `serve --http`."""

    host: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: str = ""
    public_url: str = ""
    grace: float = 0

    @property
    def is_open(self) -> bool:
        """Whether others than the person of this process are to come."""
        return not is_loopback(self.host) or bool(self.tls_cert or self.behind_proxy or self.public_url)


def run_hub(here: Here, settings: Settings, options: HubOptions, *, make_pages: PagesMaker) -> None:
    """Serve until SIGINT or SIGTERM. Raises Invalid for options that leave it open to anybody."""
    if bool(options.tls_cert) != bool(options.tls_key):
        raise Invalid("--tls-cert and --tls-key belong together: name both files")
    if settings.store.startswith(("https:", "http:")):
        raise Invalid(f"the store here is a hub ({settings.store}), and a hub needs one of its own: give it --store")
    proxies = proxy_networks(options.behind_proxy)
    public_url = checked_url(options.public_url) if options.public_url else ""
    certificate = Certificate(options.tls_cert, options.tls_key) if options.tls_cert and options.tls_key else None
    refuse_core_dumps()
    with open_loom(settings, full_sync=True, is_told=True) as loom:
        keys = _keys(loom, settings, options)
        with listening(options.host, options.port) as listener:
            address, port = listener.getsockname()[:2]
            hosts = Hosts(address=address, public_url=public_url, proxies=proxies)
            listens = _place(address, port)
            url = public_url or f"http{'s' if certificate else ''}://{listens}"
            face = Face(here, loom_as_opened(loom))
            changes = Bus(face)
            questions = OpenQuestions(face.near_waits)
            standing = Standing(lambda: loom.events.cursor(""))
            pages = make_pages(loom, keys)
            door = Door(
                mcp_app(build_server(face, changes)),
                Api(loom, home=settings.home),
                keys=keys,
                hosts=hosts,
                standing=standing,
                questions=questions,
                pages=pages,
            )

            connections = HubConnections(connections_max(), certificate=certificate)
            quiet_log()
            _say(options, url, listens, settings)

            def end_waits() -> None:
                face.end_waits()
                questions.end()
                pages.end()

            async def look() -> None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(changes.watch)
                    tasks.start_soon(pages.watch)
                    tasks.start_soon(tidy_daily, loom.tidy)

            async def serve() -> int:
                return await serve_hub(
                    door, listener, standing, connections, beside=look, on_end=end_waits,
                    grace_s=options.grace,
                )  # fmt: skip

            gc.freeze()  # what is loaded stays: to look through it for garbage stopped all calls for 40 ms
            ended_by = anyio.run(serve)
    signal.raise_signal(ended_by)  # whoever started us sees what ended us, once everything is put away


def _keys(loom: Loom, settings: Settings, options: HubOptions) -> Keys:
    """Where others may come, only tokens that were made open it. Raises Invalid where it is not made for others."""
    if not options.is_open:
        return Keys(own=own_token(Path(settings.home) / "token"), tokens=loom.tokens)
    refuse_open_address(
        options.host,
        is_secured=bool(options.tls_cert or options.behind_proxy),
        is_named=bool(options.public_url) or not (options.behind_proxy or _is_any(options.host)),
        has_tokens=bool(settings.jwt_issuer) or _has_tokens(loom),
    )
    return Keys(tokens=loom.tokens)


def _has_tokens(loom: Loom) -> bool:
    found, now_ms = loom.tokens.listed(Principal(name=principal(), role="admin"))
    return any(token.revoked_at_ms is None and token.expires_at_ms > now_ms for token in found)


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _say(options: HubOptions, url: str, listens: str, settings: Settings) -> None:
    """What a person needs who has just started it: the address, who may come in, and how others get there."""
    lines = [
        f"LoomStack serves {url}/mcp, its dashboard at {url}/; its bearer token is in {Path(settings.home) / 'token'}",
        "for other people and machines it needs tokens and TLS: see `loomstack-mcp help http`",
    ]
    if options.is_open:
        lines = [
            f"LoomStack serves {url}: MCP at /mcp, machines at /api, the dashboard at /; it listens on {listens}",
            "whoever has a token comes in; `loomstack-mcp token create --for NAME --role developer` makes one",
            f"on each machine: `loomstack-mcp init --hub {url}`",
        ]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()
