"""Where a forge shows a commit, by the address of a remote as people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.forges import commit_pages

GITHUB = "https://github.com/ana/shop/commit/"
GITLAB = "https://gitlab.com/team/sub/shop/-/commit/"


@pytest.mark.parametrize(
    ("url", "pages"),
    [
        ("https://github.com/ana/shop.git", GITHUB),
        ("https://ana:ghp_secret@github.com/ana/shop", GITHUB),
        ("git@github.com:ana/shop.git", GITHUB),
        ("ssh://git@ssh.github.com:443/ana/shop.git", GITHUB),
        ("git://github.com/ana/shop", GITHUB),
        ("http://github.com/ana/shop", GITHUB),
        ("https://gitlab.com/team/sub/shop.git", GITLAB),
        ("git@gitlab.com:team/sub/shop.git", GITLAB),
        ("ssh://git@gitlab.mill.example:2222/Team/Shop.git", "https://gitlab.mill.example/Team/Shop/-/commit/"),
        ("https://gitlab.mill.example:8443/team/shop", "https://gitlab.mill.example:8443/team/shop/-/commit/"),
        ("https://github.mill.example/team/shop", "https://github.mill.example/team/shop/commit/"),
        ("https://mill.ghe.com/team/shop", "https://mill.ghe.com/team/shop/commit/"),
        ("git@bitbucket.org:team/shop.git", "https://bitbucket.org/team/shop/commits/"),
        ("https://codeberg.org/team/shop", "https://codeberg.org/team/shop/commit/"),
        ("http://gitea.mill.example:3000/team/shop", "http://gitea.mill.example:3000/team/shop/commit/"),
        ("ssh://git@git-forgejo.mill.example/team/shop", "https://git-forgejo.mill.example/team/shop/commit/"),
        ("git@ssh.dev.azure.com:v3/mill/team/shop", "https://dev.azure.com/mill/team/_git/shop/commit/"),
    ],
)
def test_a_forge_has_a_page_for_each_commit(url: str, pages: str) -> None:
    assert commit_pages(url) == pages


@pytest.mark.parametrize(
    "url",
    ["", "/srv/git/shop.git", "../shop", "https://git.mill.example/team/shop", "git@mill.example:shop.git",
     "https://notgithub.example/a/b", "https://bitbucket.mill.example/scm/team/shop", "codecommit://shop",
     "https://github.com/shop", 'https://github.com/a/b"onclick=x', "https://gitlab.mill.example/a/<b>",
     "https://github.com/a b/c"],
)  # fmt: skip
def test_what_is_no_known_forge_has_none(url: str) -> None:
    assert commit_pages(url) == ""


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_remote_says_the_address_is_plain(host: str, path: str) -> None:
    found = commit_pages(f"https://github.{host}/{path}/x")

    assert found.isascii()
    assert set(found).isdisjoint("\"'<> \\`")
