"""One repository has one identity, however its address is spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import identity_of

HOSTS = st.sampled_from(["github.com", "GitHub.com", "git.example", "127.0.0.1", "[::1]", "[2001:DB8::7]"])
PATHS = st.lists(st.from_regex(r"[a-z0-9_~-][a-z0-9._~-]{0,5}[a-z0-9]", fullmatch=True), min_size=1, max_size=3)
USERS = st.sampled_from(["", "git@", "user:word@"])
PORTS = {"ssh": 22, "git": 9418, "http": 80, "https": 443}


@given(
    HOSTS,
    PATHS.map("/".join).filter(lambda path: not path.endswith(".git")),
    USERS,
    st.sampled_from(["", "/"]),
    st.sampled_from(["", ".git", ".git/", "/"]),
)
def test_all_spellings_of_an_address_are_one(host: str, path: str, user: str, start: str, end: str) -> None:
    urls = [f"{scheme}://{user}{host}{port}/{path}{end}" for scheme, own in PORTS.items() for port in ("", f":{own}")]
    scp = [f"{user if ':' not in user else ''}{host}:{start}{path}{end}"]

    assert {identity_of(one) for one in [*urls, *scp]} == {f"{host.lower()}/{path}"}


@given(HOSTS, PATHS.map("/".join), st.integers(1, 65535).filter(lambda port: port not in PORTS.values()))
def test_another_port_is_another_repository(host: str, path: str, port: int) -> None:
    found = {identity_of(f"{scheme}://{host}:{port}/{path}") for scheme in PORTS}

    assert len(found) == 1
    assert found != {identity_of(f"ssh://{host}/{path}")}


@pytest.mark.parametrize("name", ["org", " org ", "/org/", "org.git", "file:///org", "https:///org.git"])
def test_no_repository_has_the_name_under_which_notes_hold_for_all(name: str) -> None:
    with pytest.raises(Invalid, match="every other"):
        identity_of(name)
