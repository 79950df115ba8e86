"""Where a repository is: what its own files tell is what git tells, in every layout."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.discovery import Unreadable, no_worktree, place_at
from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.core.errors import NotFound
from tests.conftest import commit_all, git

OTHER = 12_345
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
ODD_NAMES = ["a\nb", "a\nb\n", "a\rb", "ends\r", "a\x0bb", "a\u2028b", "a\x85b", os.fsdecode(b"\xff\xfe"), " a "]


def told(folder: Path) -> tuple[str | None, ...]:
    """Root, git folder and common folder, as we tell them; three times None where there is no repository."""
    try:
        place = place_at(folder)
    except NotFound:
        return None, None, None
    return os.fspath(place.root) if place.root else None, os.fspath(place.git_dir), os.fspath(place.common_dir)


def asked(folder: Path) -> tuple[str | None, ...]:
    """The same of git, one question at a time."""
    return tuple(_answer(folder, what) for what in ("--show-toplevel", "--git-dir", "--git-common-dir"))


def _answer(folder: Path, what: str) -> str | None:
    ran = subprocess.run(["git", "rev-parse", "--path-format=absolute", what], cwd=folder, capture_output=True)
    return os.path.realpath(os.fsdecode(ran.stdout.removesuffix(b"\n"))) if ran.returncode == 0 else None


def made(folder: Path) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("x\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder)
    return folder


def moved(root: Path, *, by: Callable[[Path, Path], None]) -> None:
    """The git folder elsewhere, and what leads to it."""
    elsewhere = root.with_name("elsewhere")
    (root / ".git").rename(elsewhere)
    by(root / ".git", elsewhere)


def test_a_clone_of_each_layout_is_where_git_finds_it(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--separate-git-dir", "apart.git", str(shop), "apart")
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "--quiet", str(tmp_path / "of-bare"), "main")
    git(shop, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    git(shop, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "apart"), "sub")
    (tmp_path / "contained").mkdir()
    git(tmp_path / "contained", "clone", "--quiet", "--bare", str(shop), ".bare")
    (tmp_path / "contained" / ".git").write_text("gitdir: ./.bare\n")
    git(tmp_path / "contained", "worktree", "add", "--quiet", "main")
    (tmp_path / "link").symlink_to(shop / "src")
    folders = (
        *("shop", "shop/src", "shop/app/[id]", "link", "shop/.git", "shop/.git/objects", "shop/.git/worktrees/linked"),
        *("apart/src", "apart.git", "apart.git/refs", "bare.git", "bare.git/refs", "of-bare/src", "linked/src"),
        *("shop/sub/src", "shop/.git/modules/sub", "contained", "contained/.bare", "contained/main/src"),
    )

    assert {name: told(tmp_path / name) for name in folders} == {name: asked(tmp_path / name) for name in folders}
    assert None not in told(tmp_path / "contained/main/src")


@pytest.mark.parametrize(
    "by", [lambda mark, git_dir: mark.symlink_to(git_dir), lambda mark, git_dir: mark.write_text(f"gitdir: {git_dir}")]
)
def test_a_git_folder_may_lie_elsewhere(shop: Path, by: Callable[[Path, Path], None]) -> None:
    moved(shop, by=by)

    assert (
        told(shop / "src") == asked(shop / "src") == (str(shop), f"{shop.parent}/elsewhere", f"{shop.parent}/elsewhere")
    )


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("beside", ["README", "HEAD"])  # which makes that only git can tell
def test_a_name_may_hold_any_byte(tmp_path: Path, name: str, beside: str) -> None:
    root = made(tmp_path / name)
    (root / beside).touch()

    assert told(root / "src") == asked(root / "src") == (str(root), f"{root}/.git", f"{root}/.git")
    assert told(root / ".git") == asked(root / ".git")


def test_a_worktree_s_own_folder_may_have_a_line_feed_where_the_clone_has_none(shop: Path) -> None:
    git(shop, "worktree", "add", "--quiet", "--detach", str(shop.parent / "a\nb"))
    own = Path(git(shop.parent / "a\nb", "rev-parse", "--absolute-git-dir"))

    assert told(own) == asked(own) == (None, str(own), str(shop / ".git"))


@pytest.mark.parametrize(
    "setting",
    [
        ("core.worktree", "../../elsewhere"),
        ("include.path", "../more"),
        ("core.bare", "true"),
        ("core.bare", "no"),
        ("core.repositoryformatversion", "1"),
        ("core.repositoryformatversion", "7"),
        ("extensions.worktreeConfig", "true"),
        ("extensions.fromLater", "true"),
        ("branch.bare.remote", "origin"),
    ],
)
def test_what_a_clone_s_settings_say_of_its_worktree_counts(shop: Path, setting: tuple[str, str]) -> None:
    (shop.parent / "elsewhere").mkdir()
    (shop / "more").write_text(f"[core]\n\tworktree = {shop.parent}/elsewhere\n")
    git(shop, "worktree", "add", "--quiet", "--detach", str(shop.parent / "linked"))
    git(shop, "config", "core.repositoryformatversion", "1")
    git(shop, "config", *setting)

    assert told(shop / "src") == asked(shop / "src")
    assert told(shop) == asked(shop)
    assert told(shop.parent / "linked") == asked(shop.parent / "linked")


def no_folder(git_dir: Path) -> Path:
    """The git folder, which is elsewhere now."""
    git_dir.rename(git_dir.with_name("gone"))
    return git_dir


@pytest.mark.parametrize(
    "broken",
    [
        lambda git_dir: (git_dir / "HEAD").write_text(""),
        lambda git_dir: (git_dir / "HEAD").write_text("ref: elsewhere\n"),
        lambda git_dir: (git_dir / "HEAD").write_text("ref:refs/heads/main"),
        lambda git_dir: (git_dir / "HEAD").unlink(),
        lambda git_dir: (git_dir / "refs").rename(git_dir / "sfer"),
        lambda git_dir: (git_dir / "objects").rename(git_dir / "stcejbo"),
        lambda git_dir: (git_dir / "config").unlink(),
        lambda git_dir: (no_folder(git_dir), git_dir.mkdir()),
        lambda git_dir: (no_folder(git_dir), git_dir.symlink_to("nowhere")),
        lambda git_dir: (no_folder(git_dir), git_dir.write_text("")),
        lambda git_dir: (no_folder(git_dir), git_dir.write_text("gitdir: nowhere\n")),
        no_folder,
    ],
)
def test_a_broken_repository_within_another_is_what_git_makes_of_it(
    shop: Path, broken: Callable[[Path], object]
) -> None:
    inner = made(shop / "inner")
    broken(inner / ".git")

    assert told(inner / "src") == asked(inner / "src")


@ROOT
@pytest.mark.parametrize("name", ["", ".git"])
@pytest.mark.parametrize(
    "by",
    [
        lambda mark, git_dir: git_dir.rename(mark),
        lambda mark, git_dir: mark.symlink_to(git_dir),
        lambda mark, git_dir: mark.write_text(f"gitdir: {git_dir}"),
    ],
)
def test_what_another_user_owns_is_not_trusted_before_git_does(
    shop: Path, by: Callable[[Path, Path], None], name: str
) -> None:
    moved(shop, by=by)
    os.lchown(shop / name, OTHER, OTHER)

    assert told(shop / "src") == asked(shop / "src") == (None, None, None)


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES", "GIT_WORK_TREE"])
@pytest.mark.parametrize("name", ["shop/src", "bare.git"])
def test_no_inherited_variable_moves_it(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")
    expected = asked(tmp_path / name)
    monkeypatch.setenv(variable, str(shop if variable != "GIT_DIR" else made(tmp_path / "other") / ".git"))

    assert told(tmp_path / name) == expected


def test_where_there_is_none_git_s_complaint_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match="in no git repository; go to one"):
        place_at(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFound, match="no git"):
        place_at(made_without_git(tmp_path))


def leading_nowhere(git_dir: Path) -> None:
    no_folder(git_dir).symlink_to("nowhere")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "HEAD is empty": (lambda git_dir: (git_dir / "HEAD").write_text(""), "takes .*/shop/.git for no repository"),
    "objects are gone": (lambda git_dir: (git_dir / "objects").rename(git_dir / "gone"), "for no repository"),
    "HEAD and all are gone": (lambda git_dir: [child.rename(git_dir / f"no-{child.name}") for child in
                              list(git_dir.iterdir())], "for no repository"),
    "a link to nothing": (leading_nowhere, "for no repository"),
    "a mark of nothing": (lambda git_dir: no_folder(git_dir).write_text("gitdir: x"), "not a git repository"),
    "another format": (lambda git_dir: (git_dir / "config").write_text("[extensions]\nnew = 1\n[core]\n"
                       "repositoryformatversion = 1\n"), "unknown repository extension"),
    "settings that do not parse": (lambda git_dir: (git_dir / "config").write_text("[core\nbare"), "bad config line"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_repository_that_git_will_not_read_is_told_from_none_with_git_s_word(shop: Path, name: str) -> None:
    broken, word = BROKEN[name]
    broken(shop / ".git")

    with pytest.raises(Unreadable, match=word):
        worktree_at(shop / "src")


@ROOT
def test_whose_repository_it_is_and_how_to_trust_it_is_told(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(shop, OTHER, OTHER)

    with pytest.raises(Unreadable, match=f"dubious ownership .*git config --global --add safe.directory {shop}$"):
        worktree_at(shop / "src")

    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(shop))
    assert told(shop / "src") == asked(shop / "src") == (str(shop), f"{shop}/.git", f"{shop}/.git")


def test_a_worktree_whose_clone_has_moved_is_told_from_none_and_one_that_has_moved_itself_is_read(
    shop: Path, tmp_path: Path
) -> None:
    git(shop, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    (tmp_path / "linked").rename(tmp_path / "moved")
    read = told(tmp_path / "moved/src")
    shop.rename(tmp_path / "elsewhere")

    assert read == (f"{tmp_path}/moved", f"{shop}/.git/worktrees/linked", f"{shop}/.git")
    with pytest.raises(Unreadable, match=f"fatal: not a git repository: {shop}/.git/worktrees/linked"):
        worktree_at(tmp_path / "moved/src")


def test_a_bare_repository_names_its_worktrees(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    git(tmp_path / "all", "clone", "--quiet", "--bare", str(shop), ".bare")
    (tmp_path / "all" / ".git").write_text("gitdir: ./.bare\n")
    before = no_worktree(tmp_path / "all")
    git(tmp_path / "all", "worktree", "add", "--quiet", "main")
    git(tmp_path / "all", "worktree", "add", "--quiet", "-b", "feat", "feat")
    (tmp_path / "all" / "feat").rename(tmp_path / "gone")

    assert worktree_at(tmp_path / "all") is None
    assert before == f"{tmp_path}/all is in no git worktree"
    assert no_worktree(tmp_path / "all") == f"{before}; those of {tmp_path}/all/.bare are {tmp_path}/all/main"


def test_an_empty_folder_of_its_name_above_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "plain").mkdir()

    assert worktree_at(tmp_path / "plain") is None


def test_a_folder_that_is_gone_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="/gone is gone; go to a folder that is there"):
        place_at(tmp_path / "gone")


def made_without_git(folder: Path) -> Path:
    for name in ("objects", "refs"):
        (folder / ".git" / name).mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text("[core]\n\tbare = false\n")
    return folder
