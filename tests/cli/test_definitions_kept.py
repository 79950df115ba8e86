"""Agents and skills of a person, of another package, or changed: told apart from ours, and kept."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.adapters.install.shipped import shipped_definitions
from loomstack_mcp.core.clients.files.definitions import ClientDefinition
from tests.cli.test_definitions import (
    CODEX_MAKER,
    MAKER,
    MINE,
    ONLY_MAKER,
    RUN_SKILL,
    below,
    installed,
    other_package,
    path_of,
    put,
)
from tests.cli.test_uninstall import done
from tests.conftest import Run


@pytest.mark.parametrize("mine", [MINE, MINE.replace("\n", "\r\n"), "\ufeff" + MINE, "", b"\xff\xfe no text"])
def test_a_person_s_own_file_stays_and_is_named(shop: Path, loomstack: Run, mine: str | bytes) -> None:
    put(shop, MAKER, mine)
    before = below(shop)
    shown = done(loomstack, "init", *ONLY_MAKER)
    with_us = below(shop)
    done(loomstack, "uninstall")

    assert f"kept    {MAKER}  yours" in shown
    assert with_us[MAKER] == before[MAKER]
    assert installed(shop) == [MAKER]
    assert below(shop) == before


@pytest.mark.parametrize("kind", ["file", "link"])
def test_whatever_else_is_in_the_place_of_a_skill_s_folder_stays(
    shop: Path, tmp_path: Path, loomstack: Run, kind: str
) -> None:
    folder = put(shop, ".claude/skills/loom-run", "mine")
    if kind == "link":
        folder.unlink()
        folder.symlink_to(put(tmp_path, "elsewhere/SKILL.md", other_package(RUN_SKILL)).parent)
    before = below(shop)
    shown = done(loomstack, "init", "--agents", "none", "--skills", "loom-run")
    done(loomstack, "uninstall")

    assert f"kept    {RUN_SKILL}  yours" in shown
    assert below(shop) == before
    assert kind == "file" or (tmp_path / "elsewhere/SKILL.md").read_text() == other_package(RUN_SKILL)


def test_what_another_set_up_wrote_behind_a_link_stays(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    done(loomstack, "init", "--user")
    own = {path: path.read_bytes() for path in (tmp_path / ".claude").rglob("*") if path.is_file()}
    (shop / ".claude").mkdir()
    for name in ("agents", "skills"):
        (shop / ".claude" / name).symlink_to(tmp_path / ".claude" / name)
    done(loomstack, "init")
    done(loomstack, "uninstall")

    assert {path: path.read_bytes() for path in (tmp_path / ".claude").rglob("*") if path.is_file()} == own


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "broken link"])
def test_whatever_else_is_in_the_place_stays(shop: Path, tmp_path: Path, loomstack: Run, kind: str) -> None:
    path = shop / MAKER
    path.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text(other_package(MAKER))
    made: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to(elsewhere),
        "broken link": lambda: path.symlink_to(tmp_path / "nowhere"),
    }
    made[kind]()
    before = below(shop)
    shown = done(loomstack, "init", *ONLY_MAKER)
    done(loomstack, "uninstall")

    assert f"kept    {MAKER}  yours" in shown
    assert below(shop) == before
    assert elsewhere.read_text() == other_package(MAKER)
    assert not (tmp_path / "nowhere").exists()


def test_what_a_person_changed_stays_through_init_and_uninstall_and_is_named(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    path = shop / MAKER
    path.write_text(path.read_text() + "Never on Fridays.\n")
    changed = path.read_bytes()
    again = done(loomstack, "init")
    taken = done(loomstack, "uninstall")

    assert f"kept    {MAKER}  changed by you" in again
    assert f"kept    {MAKER}  changed by you" in taken
    assert installed(shop) == [MAKER]
    assert path.read_bytes() == changed


def test_a_copy_under_another_name_is_its_person_s(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    copied = put(shop, ".claude/agents/builder.md", (shop / MAKER).read_bytes())
    skill = put(shop, ".claude/skills/my-run/SKILL.md", (shop / RUN_SKILL).read_bytes())
    done(loomstack, "uninstall")

    assert sorted(name for name, text in below(shop).items() if text) == sorted(
        str(path.relative_to(shop)) for path in (copied, skill)
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_older_package_s_text_is_brought_up_to_date_in_its_line_ends(
    shop: Path, loomstack: Run, end: str, mark: str
) -> None:
    put(shop, MAKER, mark + other_package(MAKER).replace("\n", end))
    shown = done(loomstack, "init")
    text = (shop / MAKER).read_bytes().decode()
    [shipped] = [each for each in shipped_definitions(__version__) if path_of(each) == MAKER]
    agents = {name for name in installed(shop) if "/agents/" in name}
    done(loomstack, "uninstall")

    assert f"change  {MAKER}  agent" in shown
    assert text == mark + shipped.marked.replace("\n", end)
    assert agents == {MAKER, CODEX_MAKER}
    assert below(shop) == {}


def test_a_newer_package_s_text_is_not_set_back_by_an_older_one(shop: Path, loomstack: Run) -> None:
    newer = other_package(MAKER, version="99.10.0")
    put(shop, MAKER, newer)
    shown = done(loomstack, "init")
    kept = (shop / MAKER).read_text()
    done(loomstack, "uninstall")

    assert f"kept    {MAKER}  of a newer version" in shown
    assert kept == newer
    assert below(shop) == {}


def test_a_version_that_nobody_can_count_is_only_a_newer_one(shop: Path, loomstack: Run) -> None:
    put(shop, MAKER, other_package(MAKER, version="9" * 5_000))
    before = below(shop)
    shown = done(loomstack, "init", *ONLY_MAKER)

    assert f"kept    {MAKER}  of a newer version than this" in shown
    assert below(shop)[MAKER] == before[MAKER]


def test_what_no_package_has_any_more_goes_unless_a_person_changed_it(shop: Path, loomstack: Run) -> None:
    gone = ClientDefinition(client="Claude Code", kind="agents", name="planner", text="---\n---\nx\n", version="0.0.9")
    old = ClientDefinition(client="Codex", kind="skills", name="loom-old", text="---\n---\nx\n", version="0.0.9")
    put(shop, ".claude/agents/planner.md", gone.marked)
    put(shop, ".claude/agents/keeper.md", gone.marked + "mine")
    put(shop, ".agents/skills/loom-old/SKILL.md", old.marked)
    shown = done(loomstack, "init")
    between = below(shop)
    done(loomstack, "uninstall")

    assert "remove  .claude/agents/planner.md  agent" in shown
    assert ".agents/skills/loom-old" not in between
    assert [name for name, text in below(shop).items() if text] == [".claude/agents/keeper.md"]
