"""Behind a proxy: whose word counts for where a request came from, and under which name."""

from typing import Any

import pytest

from loomstack_mcp.server.hub.hosts import Arrival, Hosts, proxy_networks
from loomstack_mcp.server.hub.replies import Refusal

_PROXIED = Hosts(address="0.0.0.0", public_url="https://loom.example", proxies=proxy_networks("10.0.0.5, fd00::/8"))


def arrival(peer: str, headers: dict[str, str], *, hosts: Hosts = _PROXIED, scheme: str = "http") -> Arrival:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"client": (peer, 1), "scheme": scheme, "headers": told}
    found = hosts.refuse_foreign(scope)
    assert not any(name.startswith((b"x-forwarded", b"forwarded")) for name, _ in scope["headers"])
    return found


@pytest.mark.parametrize(
    "told",
    [
        {"x_forwarded_host": "loom.example", "x_forwarded_proto": "https", "host": "10.0.0.9:8420"},
        {"x_forwarded_host": "loom.example:443", "x_forwarded_proto": "https", "host": "hub"},
        {"forwarded": 'for=192.0.2.9;host="loom.example";proto=https', "host": "hub"},
        {"host": "loom.example", "x_forwarded_proto": "https"},
        {"host": "LOOM.example"},
    ],
)
@pytest.mark.parametrize("peer", ["10.0.0.5", "::ffff:10.0.0.5", "fd00::1"])
def test_a_listed_proxy_is_believed(peer: str, told: dict[str, str]) -> None:
    assert (arrival(peer, told).scheme, arrival(peer, told).is_proxied) == ("https", True)


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ({"x_forwarded_for": "6.6.6.6, 192.0.2.9"}, "192.0.2.9"),
        ({"x_forwarded_for": "192.0.2.9, fd00::2"}, "192.0.2.9"),
        ({"x_forwarded_for": "6.6.6.6, unknown"}, "10.0.0.5"),
        ({"forwarded": 'for=6.6.6.6, for="[2001:db8::9]:4711"'}, "2001:db8::9"),
        ({}, "10.0.0.5"),
    ],
)
def test_the_client_is_the_nearest_that_is_no_proxy(told: dict[str, str], client: str) -> None:
    assert arrival("10.0.0.5", {"host": "loom.example", **told}).client == client


@pytest.mark.parametrize(
    ("peer", "told", "status"),
    [
        ("10.0.0.5", {"host": "loom.example", "x_forwarded_proto": "http"}, 403),
        ("10.0.0.5", {"host": "evil.example"}, 421),
        ("10.0.0.5", {"host": "loom.example", "x_forwarded_host": "evil.example"}, 421),
        ("10.0.0.5", {"host": "loom.example", "forwarded": "host=x", "x_forwarded_for": "192.0.2.9"}, 400),
        ("10.0.0.5", {"host": "0.0.0.0"}, 421),
        ("10.0.0.5", {"host": "loom.example:8420"}, 421),
        ("10.0.0.6", {"host": "loom.example"}, 403),
        ("10.0.0.6", {"host": "loom.example", "x_forwarded_proto": "https"}, 403),
        ("127.0.0.1", {"host": "evil.example", "x_forwarded_host": "loom.example"}, 421),
    ],
)
def test_everybody_else_comes_by_the_name_and_the_way_that_are_meant(
    peer: str, told: dict[str, str], status: int
) -> None:
    with pytest.raises(Refusal) as refused:
        arrival(peer, told)

    assert refused.value.status == status


def test_with_a_certificate_of_its_own_it_needs_no_proxy() -> None:
    hosts = Hosts(address="0.0.0.0", public_url="https://loom.example:8420")

    assert arrival("192.0.2.9", {"host": "loom.example:8420"}, hosts=hosts, scheme="https").client == "192.0.2.9"


def test_on_loopback_nobody_listens() -> None:
    hosts = Hosts(address="::1")

    assert arrival("::1", {"host": "[::1]:8420"}, hosts=hosts).scheme == "http"
