"""`audit` in any repository: what it finds, how it tells it, and what it says of what it cannot read."""

import base64
import hashlib
import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, commit_all, git
from tests.eval import undone
from tests.eval.history import History, written


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, History, dict[int, str]]:
    """A history in which Ana takes back Bea's work, bounces over her, and overwrites two others with an old copy."""
    history = History(random.Random(3))
    history.start()
    for scene in (undone.whole, undone.ping_pong, undone.old_copy):
        scene(history)
        history.noise(2)
    folder = tmp_path / "made"
    shas = written(history, folder)
    git(folder, "reset", "--quiet", "--hard", "main")
    return folder, history, shas


def audited(loomstack: Run, cwd: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(loomstack("audit", "--json", *options, cwd=cwd).stdout)
    return found


def told_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Its cases: who only puts back what was taken from them is part of one."""
    return [one for one in found["reversals"] if one["verdict"] != "clear"]


def test_every_undo_is_found_with_what_it_undid(made: tuple[Path, History, dict[int, str]], loomstack: Run) -> None:
    folder, history, shas = made
    found = audited(loomstack, folder)
    told = {(one["commit"], other["undone"]) for one in told_of(found) for other in one["undoes"]}
    kinds = {one["kind"] for one in found["reversals"] if one["verdict"] == "stop"}

    assert told == {(shas[one.mark], shas[mark]) for one in history.commits for mark in one.undoes}
    assert kinds == {"undo", "ping_pong", "stale_base"}
    assert found["commits"] == len(history.commits)


def test_the_json_has_the_shape_that_scripts_rely_on(
    made: tuple[Path, History, dict[int, str]], loomstack: Run
) -> None:
    found = audited(loomstack, made[0])
    [one, *_] = found["reversals"]

    assert found.keys() == {"schema", "commits", "seconds", "totals", "reversals", "unchecked"}
    assert found["schema"] == 1
    assert found["totals"].keys() == {"stop", "warn", "agreed", "lost", "missing"}
    assert one.keys() == {
        *("commit", "author", "title", "day", "age_h", "verdict", "kind", "state", "bot", "manifests"),
        *("lost", "missing", "repairs", "undoes", "paths", "line", "show", "page"),
    }
    assert one["undoes"][0].keys() == {"undone", "author", "bot", "hunks", "share", "agreed"}
    assert one["line"].keys() == {"text", "path", "returned"}
    assert len(one["commit"]) == len(one["undoes"][0]["undone"]) == 40


def test_the_text_names_who_what_and_how_long_ago(made: tuple[Path, History, dict[int, str]], loomstack: Run) -> None:
    told = loomstack("audit", cwd=made[0]).stdout

    assert "STOP  " in told
    assert "ana: Make the tests green" in told
    assert "an old copy over" in told
    assert "bounces back over" in told
    assert "Who undid whom" in told
    assert "×  ana → bea" in told


def test_only_the_commits_that_are_asked_for_are_judged(
    made: tuple[Path, History, dict[int, str]], loomstack: Run
) -> None:
    assert audited(loomstack, made[0], "--last", "3")["commits"] == 3
    assert loomstack("audit", "--last", "3", "--since", "3d", cwd=made[0]).returncode == 64
    assert loomstack("audit", "--since", "soon", cwd=made[0]).returncode == 64


def test_the_page_stands_alone_and_shows_each_case(
    made: tuple[Path, History, dict[int, str]], loomstack: Run, tmp_path: Path
) -> None:
    loomstack("audit", "--html", str(tmp_path / "page.html"), cwd=made[0])
    text = (tmp_path / "page.html").read_text()
    tags: list[str] = []
    links: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            links.extend(str(value) for name, value in attrs if name in ("src", "href"))

    Reader().feed(text)

    [script] = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    [policy] = re.findall('Content-Security-Policy" content="(.*?)"', text)
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert (tags.count("script"), links) == (1, [])
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{hashed}'" in policy
    assert "unsafe" not in policy
    assert "undone by ana" in text
    assert tags.count("figure") % 3 == 0
    assert tags.count("figure") > 0


def test_names_and_titles_cannot_escape_from_the_page(shop: Path, loomstack: Run, tmp_path: Path) -> None:
    lines = [f"value_{number} = {number * 7}\n" for number in range(6)]
    changed = [*lines[:2], "value_2 = 'changed by bea'\n", *lines[3:]]
    for author, content in (("x", lines), ("&bea", changed), ("ana", lines)):
        (shop / "<img>.py").write_text("".join(content))
        git(shop, "add", "--all")
        git(shop, "commit", "--quiet", "--author", f"{author} <{author[-3:]}@x>", "-m", "<script>alert(1)</script>")
    loomstack("audit", "--html", str(tmp_path / "page.html"), cwd=shop)
    text = (tmp_path / "page.html").read_text()

    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    assert text.count("<script>") == 1
    assert "<img>" not in text


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: shutil.rmtree(folder / ".git"), "is in no git repository"),
        (lambda folder: git(folder, "checkout", "--quiet", "--orphan", "empty"), "has no commit yet"),
    ],
)
def test_where_there_is_no_history_it_says_so(
    shop: Path, loomstack: Run, prepare: Callable[[Path], object], said: str
) -> None:
    prepare(shop)
    done = loomstack("audit", cwd=shop)

    assert (done.returncode, said in done.stderr) == (1, True)


def test_a_detached_head_is_a_head(made: tuple[Path, History, dict[int, str]], loomstack: Run) -> None:
    git(made[0], "checkout", "--quiet", "--detach", "HEAD~2")

    assert audited(loomstack, made[0])["commits"] == len(made[1].commits) - 2


def test_a_shallow_clone_says_what_it_cannot_know(
    made: tuple[Path, History, dict[int, str]], loomstack: Run, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=3", f"file://{made[0]}", "shallow")
    found = audited(loomstack, tmp_path / "shallow")

    assert found["commits"] == 3
    assert "shallow" in found["unchecked"][0]


def test_missing_objects_are_counted_and_the_rest_is_judged(
    made: tuple[Path, History, dict[int, str]], loomstack: Run, tmp_path: Path
) -> None:
    git(made[0], "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{made[0]}", "partial")
    shutil.rmtree(made[0])
    found = audited(loomstack, tmp_path / "partial")

    assert found["commits"] == len(made[1].commits)
    assert "could not be read" in found["unchecked"][0]


def test_odd_contents_do_no_harm(shop: Path, loomstack: Run) -> None:
    """Binary, huge and non-UTF-8 files, a submodule, a link in the place of a file, names with quotes and newlines."""
    path = shop / "src"
    for content in (b"\0\1\2" * 1000, b"\0\3\4" * 1000, b"\0\1\2" * 1000):
        (path / "binary.bin").write_bytes(content)
        (path / "huge.txt").write_bytes(content[:1] + b"x" * 2_000_000)
        (path / b"caf\xe9.txt".decode("utf-8", "surrogateescape")).write_bytes(b"\xff\xfe" + content)
        (path / 'new\n"line.txt').write_bytes(content[:5])
        commit_all(shop)
    (path / "a.py").unlink()
    (path / "a.py").symlink_to("b.py")
    commit_all(shop)
    git(shop, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shop), "sub")
    commit_all(shop)
    found = audited(loomstack, shop)

    assert (found["commits"], found["unchecked"]) == (6, [])
    assert loomstack("audit", "--html", str(shop / "page.html"), cwd=shop).returncode == 0


def test_a_rebase_in_progress_is_said(shop: Path, loomstack: Run) -> None:
    git(shop, "checkout", "--quiet", "-b", "side")
    (shop / "README.md").write_text("side\n")
    commit_all(shop)
    git(shop, "checkout", "--quiet", "main")
    (shop / "README.md").write_text("main\n")
    commit_all(shop)
    with pytest.raises(subprocess.CalledProcessError):
        git(shop, "rebase", "--quiet", "side")

    assert "a rebase is in progress here" in audited(loomstack, shop)["unchecked"][0]


def test_it_needs_no_store_and_leaves_nothing_behind(
    made: tuple[Path, History, dict[int, str]], loomstack: Run, tmp_path: Path
) -> None:
    loomstack("audit", cwd=made[0])

    assert not (tmp_path / "loomstack").exists()
    assert git(made[0], "status", "--porcelain", "--ignored") == "?? marks"


def prices(folder: Path, text: str, *, author: str) -> str:
    (folder / "prices.py").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", f"{author} <{author}@shop>", "-m", f"Prices of {author}")
    return git(folder, "rev-parse", "HEAD")


OLD = "".join(f"def price_{number}(item):\n    return item.price * {number}00\n" for number in range(1, 7))
NEW = OLD.replace("00", "95")


def test_what_came_in_one_branch_landed_at_once(shop: Path, loomstack: Run) -> None:
    prices(shop, OLD, author="root")
    git(shop, "checkout", "--quiet", "-b", "side")
    prices(shop, NEW, author="bea")
    prices(shop, OLD + "# reviewed\n", author="ana")
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "--no-ff", "side")

    assert {one["verdict"] for one in audited(loomstack, shop)["reversals"]} == {"clear"}


def test_reformatting_that_the_repository_names_is_nobodys(shop: Path, loomstack: Run) -> None:
    prices(shop, OLD, author="root")
    sha = prices(shop, NEW, author="bea")
    (shop / ".git-blame-ignore-revs").write_text(f"# tabs\n{sha}\n")
    prices(shop, OLD, author="ana")

    assert {one["verdict"] for one in audited(loomstack, shop)["reversals"]} == {"clear"}


def test_a_merge_that_takes_the_other_copy_of_the_same_lines_takes_nothing_back(shop: Path, loomstack: Run) -> None:
    more = OLD + "def price_7(item):\n    return item.price * 777\n"
    git(shop, "checkout", "--quiet", "-b", "side")
    prices(shop, more + "# and more\n", author="ana")
    git(shop, "checkout", "--quiet", "main")
    prices(shop, OLD.replace("\n", "\r\n"), author="root")
    prices(shop, more.replace("\n", "\r\n"), author="bea")
    with pytest.raises(subprocess.CalledProcessError):
        git(shop, "merge", "--quiet", "side")
    prices(shop, more + "# and more\n", author="ana")

    assert audited(loomstack, shop)["reversals"] == []
