"""Which identity provider counts, and who says so."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.jwt import JwtIssuer, KeySet
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import open_loom
from tests.adapters.test_jwt import ADMIN, Provider, provider, settings

__all__ = ["provider"]


@pytest.mark.parametrize("url", ["http://idp.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/", "keys"])
def test_keys_come_over_https_or_loopback(url: str) -> None:
    with pytest.raises(Invalid, match="https://"):
        KeySet(url)


@pytest.mark.parametrize("name", ["jwt_issuer", "jwt_audience", "jwt_jwks"])
def test_half_the_settings_are_none(provider: Provider, name: str) -> None:
    with pytest.raises(Invalid, match=name):
        JwtIssuer(settings(provider, **{name: ""}))


def test_the_settings_are_the_users_and_no_repositorys(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("jwt_issuer: https://idp\njwt_algorithms: [ES256]\njwt_repos: a/*,b\n")
    found = load_settings({"home": str(tmp_path)}, environment={}, in_repo="jwt_issuer: https://evil.example\n")

    assert (found.jwt_issuer, found.jwt_algorithms, found.jwt_repos) == (
        "https://idp",
        ("ES256",),
        ("a/*", "b"),
    )
    assert [one.partition(" ")[0] for one in found.ignored] == ["jwt_issuer"]


@pytest.mark.parametrize("value", ["none", "HS256", "RS256, HS256", ""])
def test_no_other_way_of_signing_can_be_set(tmp_path: Path, value: str) -> None:
    (tmp_path / "config.yaml").write_text(f"jwt_algorithms: '{value}'\n")
    with pytest.raises(Invalid, match="jwt_algorithms"):
        load_settings({"home": str(tmp_path)}, environment={})


def test_a_hub_takes_them_beside_its_own_and_an_admin_names_their_owner(provider: Provider, tmp_path: Path) -> None:
    with open_loom(settings(provider, store=f"sqlite:///{tmp_path / 'loom.db'}")) as loom:
        before = loom.tokens.checked(provider.token())
        loom.tokens.map_subject(ADMIN, f"{provider.url}|ana", owner="ana", repos=["github.com/zoo/*"])
        after = loom.tokens.checked(provider.token(scope="loom:decide"))
        own = loom.tokens.create(ADMIN, owner="bea", role="agent")

        assert before == Principal(name=f"{provider.url}|ana", role="agent", repos=("github.com/acme/*",), token="jwt")
        assert after == Principal(name="ana", role="developer", repos=("github.com/zoo/*",), token="jwt")
        assert loom.tokens.checked(own.text).name == "bea"
        with pytest.raises(Unauthorized):
            loom.tokens.checked(provider.token(aud="x"))
        with pytest.raises(Unauthorized, match="no admin"):
            loom.tokens.map_subject(Principal(name="x", role="developer"), "a|b", owner="x")
