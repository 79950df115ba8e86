"""A hub that takes the tokens of an identity provider: a real process, a made provider on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from tests.adapters.test_jwt import AUDIENCE, Provider
from tests.hubs import Hub, running_hub

SHOP, ZOO = Checkout(identity="github.com/acme/shop"), Checkout(identity="github.com/zoo/cage")


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def hub(provider: Provider, tmp_path: Path) -> Iterator[Hub]:
    said = {"jwt_issuer": provider.url, "jwt_audience": AUDIENCE, "jwt_jwks": f"{provider.url}/keys"}
    (tmp_path / "loomstack").mkdir(mode=0o700)
    (tmp_path / "loomstack" / "config.yaml").write_text(json.dumps({**said, "jwt_repos": ["github.com/acme/*"]}))
    with running_hub(tmp_path) as running:
        yield running


def test_who_comes_with_a_providers_token_is_its_subject(hub: Hub, provider: Provider) -> None:
    asked = {"caller": Caller(principal="root", session="s"), "loop": "l", "goal": "g", "budget_tokens": 800}
    agent, reader = provider.token(), provider.token(scope="loom:read")
    started = hub.ask(agent, "runs.start", checkout=SHOP, **asked)
    refused = [
        (hub.ask(agent, "runs.start", checkout=ZOO, **asked), 404),
        (hub.ask(reader, "runs.start", checkout=SHOP, **asked), 403),
        (hub.ask(provider.token(aud="another"), "runs.start", checkout=SHOP, **asked), 401),
        (hub.ask(provider.token(exp=1), "repos.ids"), 401),
    ]

    assert started.body["answer"]["run"]["principal"] == f"{provider.url}|ana"
    assert [answer.status for answer, _ in refused] == [status for _, status in refused]
    assert hub.ask(reader, "repos.ids").body["answer"] == [SHOP.identity]
    log = hub.stop()
    assert [text for text in (agent, reader) if text in log] == []
