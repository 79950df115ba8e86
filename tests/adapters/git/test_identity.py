"""Which repository a clone is: one for all that fetch from one another, and told for every origin that git takes."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.identity import clone_name, derived, identity, setting
from loomstack_mcp.core.errors import NotFound
from tests.conftest import commit_all, git


def identity_at(folder: Path) -> str:
    return identity(place_at(folder))


def root_of(folder: Path) -> str:
    return f"root:{git(folder, 'rev-list', '--max-parents=0', 'HEAD')[:16]}"


def with_origin(shop: Path, url: str) -> str:
    git(shop, "config", "remote.origin.url", url)
    return identity_at(shop)


@pytest.mark.parametrize(
    "url",
    [
        "hub.git",
        "./hub.git",
        "../{tmp}/hub.git",
        "{tmp}/hub",
        "{tmp}/link",
        "{tmp}/hub.git/../hub.git/",
        "file://{tmp}/hub.git",
        "file://{tmp}/h%75b",
        "{tmp}/work",
        "{tmp}/work/.git",
        "{tmp}/linked",
        "~/hub",
    ],
)
def test_a_local_origin_is_followed_however_git_lets_it_be_written(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "hub.git")
    git(tmp_path, "clone", "--quiet", str(shop), "work")
    git(tmp_path / "work", "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    (tmp_path / "link").symlink_to("hub.git")
    (shop / "hub.git").symlink_to(tmp_path / "hub.git")
    url = url.replace("../{tmp}", f"{'../' * 40}{tmp_path}").replace("{tmp}", str(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    commit_all(other, "Another root")
    (other / "hub.git").symlink_to(tmp_path / "hub.git")

    assert with_origin(other, url) == root_of(shop)
    assert git(other, "ls-remote", "origin", "HEAD").split()[0] == git(shop, "rev-parse", "HEAD")


def test_a_local_origin_whose_own_branch_is_not_there_is_known_by_its_folder(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "trunk", "hub.git")
    git(tmp_path, "clone", "--quiet", str(shop), "work")
    git(tmp_path / "work", "push", "--quiet", str(tmp_path / "hub.git"), "HEAD:refs/heads/main")

    assert with_origin(tmp_path / "work", "../hub.git") == with_origin(shop, "../hub.git")
    assert with_origin(shop, "../hub.git").startswith("folder:")


def test_a_file_called_head_hides_no_history(shop: Path) -> None:
    root = root_of(shop)
    (shop / "HEAD").write_text("x")

    assert identity_at(shop) == root


@pytest.mark.parametrize(
    "url",
    [
        "/gone/away",
        "{shop}/src",
        "{shop}/README.md",
        "{shop}/loop",
        "/" + "long" * 100,
        "~nobody-of-this-name/shop",
        "host:a path",
        "host:a\nb",
        "http://[::1/shop",
    ],
)
def test_an_origin_that_names_no_repository_is_a_name_all_the_same(shop: Path, url: str) -> None:
    (shop / "loop").symlink_to("loop")

    found = with_origin(shop, url.replace("{shop}", str(shop)))

    assert found.startswith("folder:")
    assert found == identity_at(shop)


def test_two_origins_that_are_no_repository_are_two_names(shop: Path) -> None:
    assert with_origin(shop, "host:a path") != with_origin(shop, "host:b path")


def test_a_long_address_of_a_host_is_an_address(shop: Path) -> None:
    assert with_origin(shop, f"git@host:{'a' * 300}") == f"host/{'a' * 300}"


def test_clones_of_each_other_in_a_circle_are_told(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(shop), "clone")

    assert with_origin(shop, str(tmp_path / "clone")) == identity_at(tmp_path / "clone") == root_of(shop)


def test_of_several_roots_the_first_by_name_counts(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--orphan", "other")
    commit_all(shop, "Another root")
    git(shop, "merge", "--quiet", "--allow-unrelated-histories", "--strategy=ours", "--message", "Both", "main")
    roots = git(shop, "rev-list", "--max-parents=0", "HEAD").split()

    assert len(roots) == 2
    assert identity_at(shop) == f"root:{min(roots)[:16]}"


def test_without_a_commit_the_folder_of_the_clone_counts(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "new")
    digest = hashlib.sha256(str(tmp_path / "new" / ".git").encode()).hexdigest()

    assert identity_at(tmp_path / "new") == f"folder:{digest[:16]}"


def test_all_worktrees_of_a_clone_are_that_clone(shop: Path, tmp_path: Path) -> None:
    git(shop, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    names = [clone_name(place_at(folder)) for folder in (shop, tmp_path / "linked", tmp_path / "clone")]

    assert (names[0] == names[1], names[0] == names[2]) == (True, False)


NAMES = {
    "https://github.com/acme/shop.git": "remote origin",
    "https://x-access-token:TOKEN@github.com/Acme/Shop/": "remote origin",
    "git@GitHub.com:ACME/shop": "remote origin",
    "ssh://git@ssh.github.com:443/acme/shop.git": "remote origin",
    "gh:acme/shop": "remote origin through url.insteadOf",
    "gh:private/shop": "remote origin through url.insteadOf and ssh_config",
    "work-github:acme/shop.git": "remote origin through ssh_config",
    "ssh://git@work-443/acme/shop.git": "remote origin through ssh_config",
    "git@github.com-work:acme/shop.git": "remote origin through ssh_config",
}
SSH = """\
Match exec "touch {home}/ran"
  HostName elsewhere
Host work-* !work-443
    HostName = github.com
Host github.com-*
    HostName github.com
Host github.com git.corp
    HostName 127.0.0.1
    Port 2222
Host work-443
    HostName ssh.github.com
    Port 443
"""
SETTINGS = """\
[url "https://github.com/"]
    insteadOf = gh:
[url "git@work-github:acme/"]
    insteadOf = gh:private/
[url "ssh://git@mirror.example/"]
    pushInsteadOf = https://github.com/
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own settings of git and of SSH."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(SSH.format(home=tmp_path))
    (tmp_path / ".gitconfig").write_text(SETTINGS)
    return tmp_path


@pytest.mark.parametrize("url", NAMES)
def test_one_repository_has_one_name_however_a_person_gets_there(shop: Path, home: Path, url: str) -> None:
    git(shop, "remote", "add", "origin", url)
    found = derived(place_at(shop))

    assert (found.identity, found.source) == ("github.com/acme/shop", NAMES[url])
    assert "TOKEN" not in str(found)
    assert not (home / "ran").exists()


def test_it_is_also_known_by_what_was_written_and_by_where_it_is_pushed(shop: Path, home: Path) -> None:
    git(shop, "remote", "add", "origin", "https://github.com/Acme/shop")
    pushed = derived(place_at(shop)).others
    git(shop, "remote", "set-url", "origin", "work-github:Acme/shop")

    assert set(pushed) == {"github.com/Acme/shop", "mirror.example/Acme/shop"}
    assert set(derived(place_at(shop)).others) == {"work-github/Acme/shop", "github.com/Acme/shop"}


def test_a_tunnel_is_no_name(shop: Path, home: Path) -> None:
    assert with_origin(shop, "git@git.corp:acme/shop") == "git.corp/acme/shop"


def test_a_local_folder_may_be_what_git_rewrites_a_url_to(shop: Path, home: Path) -> None:
    git(home, "clone", "--quiet", "--bare", str(shop), "hub.git")
    git(shop, "remote", "add", "origin", "corp:hub")
    git(shop, "config", f"url.file://{home}/.insteadOf", "corp:")

    assert derived(place_at(shop)).identity == root_of(shop)
    assert derived(place_at(shop)).source == "remote origin through url.insteadOf, a folder here: its first commit"


@pytest.mark.parametrize(
    ("urls", "settings", "expected"),
    [
        ({"up": "host:a"}, {}, "host/a"),
        ({"up": "host:a", "mine": "host:b"}, {}, "root"),
        ({"up": "host:a", "mine": "host:b"}, {"branch.main.remote": "up"}, "host/a"),
        ({"upstream": "host:a", "mine": "host:b"}, {"branch.work.remote": "mine"}, "host/a"),
        ({"upstream": "host:a", "origin": "host:b"}, {"branch.main.remote": "upstream"}, "host/b"),
    ],
)
def test_a_clone_is_of_one_repository_whatever_its_remotes_and_branches(
    shop: Path, urls: dict[str, str], settings: dict[str, str], expected: str
) -> None:
    for name, url in urls.items():
        git(shop, "remote", "add", name, url)
    for name, value in settings.items():
        git(shop, "config", name, value)
    on_main = identity_at(shop)
    git(shop, "checkout", "--quiet", "-b", "work")

    assert on_main == identity_at(shop) == expected.replace("root", root_of(shop))


def test_of_several_urls_git_fetches_from_the_first(shop: Path) -> None:
    git(shop, "remote", "add", "origin", "host:first")
    git(shop, "remote", "set-url", "--add", "origin", "host:second")

    assert identity_at(shop) == "host/first"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[core]\n\tignorecase = true\n",
        "[CORE]\n\tIGNORECASE\n",
        "[core]\n\tignoreCase = yes\n\tignorecase = off\n",
        "[core]\n\tignorecase = neither\n",
        "[other]\n\tignorecase = true\n",
        "[include]\n\tpath = ../more\n",
        '[includeIf "gitdir:**"]\n\tpath = ../more\n',
        "# [core]\n#\tignorecase = true\n",
        "[core]\n\tignorecase = 1 ; as a comment says\n",
    ],
)
def test_a_setting_is_what_git_says_it_is(shop: Path, text: str) -> None:
    (shop / "more").write_text("[core]\n\tignorecase = true\n")
    (shop / ".git/config").write_text(f"[core]\n\tbare = false\n{text}")
    ran = subprocess.run(
        ["git", "config", "--type=bool", "--get", "core.ignorecase"], cwd=shop, capture_output=True, text=True
    )

    assert setting(place_at(shop), "core.ignorecase", kind="bool") == ran.stdout.strip()


def test_a_setting_of_one_worktree_is_of_that_one(shop: Path, tmp_path: Path) -> None:
    git(shop, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    git(shop, "config", "extensions.worktreeConfig", "true")
    git(tmp_path / "linked", "config", "--worktree", "core.ignorecase", "true")
    found = [setting(place_at(folder), "core.ignorecase", kind="bool") for folder in (tmp_path / "linked", shop)]

    assert found == ["true", ""]


def test_a_clone_that_git_cannot_read_is_no_other_repository(shop: Path) -> None:
    """It would hold nothing of what the real one holds, and grant what others have."""
    git(shop, "remote", "add", "origin", "https://github.com/acme/shop.git")
    with (shop / ".git/config").open("a") as config:
        config.write("[core\n")

    with pytest.raises(NotFound, match=r"cannot be read \(fatal: bad config line"):
        identity(place_at(shop))


def test_nor_is_one_without_an_origin(shop: Path) -> None:
    with (shop / ".git/config").open("a") as config:
        config.write("[core\n")

    with pytest.raises(NotFound, match="bad config line"):
        identity(place_at(shop))
