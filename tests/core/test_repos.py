"""One repository has one identity, however its address is spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import earlier_identities, identity_of, named_identity

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


@pytest.mark.parametrize(
    ("spelled", "identity"),
    [
        ("git@GitHub.com:Org/Shop.git", "github.com/org/shop"),
        ("GitHub.com/Org/Shop", "github.com/org/shop"),
        ("ssh://git@ssh.github.com:443/Org/Shop.git/", "github.com/org/shop"),
        ("ssh://git@altssh.gitlab.com:443/a/b", "gitlab.com/a/b"),
        ("ssh://git@altssh.bitbucket.org:443/a/b", "bitbucket.org/a/b"),
        ("git+ssh://git@host:22/A", "host/A"),
        ("ssh+git://host/A", "host/A"),
        ("Git.Example:Org/Shop", "git.example/Org/Shop"),
        ("git@ssh.dev.azure.com:v3/Org/Project/Shop", "dev.azure.com/org/project/_git/shop"),
        ("org@vs-ssh.visualstudio.com:v3/Org/Project/Shop", "dev.azure.com/org/project/_git/shop"),
        ("https://org.visualstudio.com/Project/_git/Shop", "dev.azure.com/org/project/_git/shop"),
        ("https://org.visualstudio.com/DefaultCollection/Project/_git/Shop", "dev.azure.com/org/project/_git/shop"),
        ("https://www.github.com/a/b", "github.com/a/b"),
        ("https://Org@dev.azure.com/Org/Project/_git/Shop", "dev.azure.com/org/project/_git/shop"),
        (
            "https://git-codecommit.eu.amazonaws.com/v1/repos/Shop",
            "git-codecommit.eu.amazonaws.com/v1/repos/Shop",
        ),
        ("codecommit::eu-west-1://me@Shop", "codecommit::eu-west-1://Shop"),
        ("codecommit://me@Shop", "codecommit://Shop"),
        ("git@host:2222/a", "host/2222/a"),
        ("ssh://git@host:2222/a", "host:2222/a"),
        ("file:///srv/shop.git", "srv/shop"),
    ],
)
def test_an_address_of_a_forge_or_helper_is_told(spelled: str, identity: str) -> None:
    assert identity_of(spelled) == identity


TOKENS = [
    *("https://TOKEN@github.com/o/r", "https://x-access-token:TOKEN@github.com/o/r.git", "https://x:TOKEN@host:99/o/r"),
    *("x:TOKEN@github.com:o/r", "TOKEN@github.com/o/r", "codecommit::eu://TOKEN@r", "gcrypt::rsync://u:TOKEN@host/r"),
    *(
        "https://host/o/r?private_token=TOKEN",
        "https://host/o/r#TOKEN",
        "https://u:TO/KEN@host/o/r",
        "https://u:[TOKEN@h/r",
    ),
]


@pytest.mark.parametrize("name", TOKENS)
def test_no_identity_and_no_error_holds_what_stands_before_the_host(name: str) -> None:
    try:
        shown = f"{identity_of(name)} {named_identity(name)}"
    except Invalid as error:
        shown = str(error)

    assert "TO" not in shown
    assert "TO" not in "".join(earlier_identities(name))


@pytest.mark.parametrize(
    "printed", ["host:2222/a", "[::1]:2222/a", "root:0123456789abcdef", "folder:0123456789abcdef", "github.com/o/r"]
)
def test_what_was_printed_names_the_same_repository(printed: str) -> None:
    assert named_identity(printed) == printed


@given(HOSTS, PATHS.map("/".join), st.integers(1, 65535))
def test_an_identity_names_itself(host: str, path: str, port: int) -> None:
    for address in (f"ssh://{host}:{port}/{path}", f"{host}:{path}", f"https://{host}/{path}", path):
        identity = identity_of(address)

        assert named_identity(identity) == identity


def test_an_address_with_a_user_is_git_s_own() -> None:
    assert named_identity("git@host:2222/a") == "host/2222/a"


@pytest.mark.parametrize("name", ["org", " org ", "/org/", "org.git", "file:///org", "https:///org.git"])
def test_no_repository_has_the_name_under_which_notes_hold_for_all(name: str) -> None:
    with pytest.raises(Invalid, match="every other"):
        identity_of(name)


@pytest.mark.parametrize(
    "letter", ["\u200b", "\u202e", "\u2066", "\ufeff", "\x9b", "\xad", "\u061c", "\u3164", "\ufe0f", "\U000e0041"]
)
def test_no_repository_is_called_as_another_by_letters_that_nobody_sees(letter: str) -> None:
    with pytest.raises(Invalid, match="no name of a repository"):
        identity_of(f"https://github.com/acme/shop{letter}")
