"""`init` and `uninstall` on agents and skills: what is ours comes and goes, what a person wrote or changed stays."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.install.definitions import found_definitions
from loomstack_mcp.adapters.install.files import planned
from loomstack_mcp.adapters.install.journal import write_journal
from loomstack_mcp.adapters.install.scopes import project_scope
from loomstack_mcp.adapters.install.shipped import shipped_definitions, shipped_folder
from loomstack_mcp.adapters.install.writing import carried_out
from loomstack_mcp.core.clients.files.definitions import ClientDefinition, definition_folder, definition_path
from loomstack_mcp.core.clients.files.project import ClientPlaces, client_files
from tests.cli.test_cli import on_terminal
from tests.cli.test_uninstall import done, refused
from tests.conftest import Run, commit_all, environment, git
from tests.processes import SCRIPT

MAKER, CODEX_MAKER = ".claude/agents/maker.md", ".codex/agents/maker.toml"
RUN_SKILL, CODEX_RUN_SKILL = ".claude/skills/loom-run/SKILL.md", ".agents/skills/loom-run/SKILL.md"
MINE = "---\nname: maker\ndescription: mine\n---\nMine.\n"
AGENTS = ("checker", "maker", "resolver", "triager")
ONLY_MAKER = ("--agents", "maker", "--skills", "none")


def path_of(definition: ClientDefinition) -> str:
    folder = definition_folder(ClientPlaces(), definition.client, definition.kind)
    return f"{folder}/{definition_path(definition.client, definition.kind, definition.name)}"


ALL = tuple(sorted(path_of(each) for each in shipped_definitions(__version__)))


def below(shop: Path) -> dict[str, bytes | None]:
    """Every file and folder of the clients in the worktree, with what is in it; a link as where it leads."""
    found: dict[str, bytes | None] = {}
    for path in shop.rglob("*"):
        name = str(path.relative_to(shop))
        if name.startswith((".mcp.json", ".claude", ".codex", ".agents")):
            is_link = path.is_symlink()
            found[name] = str(path.readlink()).encode() if is_link else path.read_bytes() if path.is_file() else None
    return found


def installed(shop: Path) -> list[str]:
    return sorted(name for name in below(shop) if name in ALL)


def put(shop: Path, name: str, text: str | bytes) -> Path:
    path = shop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def other_package(path: str, *, version: str = "0.0.9", text: str = "---\nname: x\n---\nOlder.\n") -> str:
    """What another package would have written there."""
    [definition] = [each for each in shipped_definitions(__version__) if path_of(each) == path]
    return replace(definition, text=text, version=version).marked


def test_all_come_and_go_without_a_trace_and_the_plan_can_be_read(shop: Path, loomstack: Run) -> None:
    before = below(shop)
    shown = done(loomstack, "init")
    with_us = below(shop)
    again = done(loomstack, "init")
    after_again = below(shop)
    done(loomstack, "uninstall")

    assert [name for name in ALL if f"new     {name}  " not in shown] == []
    assert f"{MAKER}  agent, " in shown
    assert "Make one change" not in shown
    assert sorted(ALL) == [name for name in sorted(with_us) if name in ALL]
    assert "nothing to change" in again
    assert after_again == with_us
    assert below(shop) == before


def test_each_is_the_package_s_text_with_one_comment_more(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")

    for definition in shipped_definitions(__version__):
        lines = (shop / path_of(definition)).read_text().splitlines(keepends=True)
        [mark] = [line for line in lines if line.startswith("# loomstack-mcp ")]
        assert "".join(line for line in lines if line != mark) == definition.text
        assert lines.index(mark) == (0 if path_of(definition).endswith(".toml") else 1)


def test_one_chooses_by_name_and_the_choice_is_kept(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init", *ONLY_MAKER)
    first = installed(shop)
    again = done(loomstack, "init")
    done(loomstack, "init", "--agents", "checker", "--skills", "loom-run")
    more = installed(shop)
    done(loomstack, "uninstall")

    assert first == [MAKER, CODEX_MAKER]
    assert "nothing to change" in again
    assert more == sorted(
        [MAKER, CODEX_MAKER, ".claude/agents/checker.md", ".codex/agents/checker.toml", RUN_SKILL, CODEX_RUN_SKILL]
    )
    assert below(shop) == {}


@pytest.mark.parametrize("option", ["--agents", "--skills"])
def test_an_unknown_name_teaches_which_there_are(shop: Path, loomstack: Run, option: str) -> None:
    said = refused(loomstack, "init", option, "maker,loom-run,builder")

    assert ("'loom-run'" if option == "--agents" else "'maker'") in said
    assert ("checker, maker, resolver, triager" if option == "--agents" else "loom-handoff, loom-resolve") in said
    assert below(shop) == {}


def test_on_a_terminal_it_asks_which_and_again_after_a_slip(shop: Path, tmp_path: Path) -> None:
    status, shown = on_terminal(
        [SCRIPT, "init"],
        cwd=shop,
        env=environment(tmp_path),
        question="[all]",
        answer=lambda: "builder\nmaker, checker\n\ny\n",
    )
    agents = {Path(name).stem for name in installed(shop) if "/agents/" in name}

    assert status == 0
    assert "Agents: all, none, or some of checker, maker, resolver, triager [all]:" in shown
    assert "there is no agent 'builder'" in shown
    assert agents == {"maker", "checker"}
    assert RUN_SKILL in installed(shop)


def test_a_checkout_with_windows_line_ends_is_ours_still(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    commit_all(shop)
    git(shop, "config", "core.autocrlf", "true")
    git(shop, "rm", "-r", "--quiet", "--cached", ".")
    git(shop, "reset", "--quiet", "--hard")
    is_windows = b"\r\n" in (shop / MAKER).read_bytes()
    again = done(loomstack, "init")
    done(loomstack, "uninstall")

    assert is_windows
    assert "nothing to change" in again
    assert installed(shop) == []


@pytest.mark.parametrize("is_old", [False, True])
def test_a_colleague_takes_out_what_came_by_git_with_its_folders(
    shop: Path, tmp_path: Path, loomstack: Run, is_old: bool
) -> None:
    before = below(shop)
    done(loomstack, "init")
    if is_old:
        put(shop, RUN_SKILL, other_package(RUN_SKILL))
    commit_all(shop)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(shop), str(clone))
    colleague = {"LOOMSTACK_HOME": str(tmp_path / "colleague")}
    ended = loomstack("uninstall", "--yes", cwd=clone, **colleague)

    assert ended.returncode == 0, ended.stderr
    assert installed(clone) == []
    assert below(clone) == before


def test_folders_that_were_there_stay_though_empty(shop: Path, loomstack: Run) -> None:
    for name in (".claude/skills", ".agents"):
        (shop / name).mkdir(parents=True)
    before = below(shop)
    done(loomstack, "init")
    done(loomstack, "uninstall")

    assert below(shop) == before


def test_folders_that_a_first_init_made_go_after_a_second_one_and_a_hand(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init", *ONLY_MAKER)
    done(loomstack, "init", "--agents", "checker", "--skills", "loom-run")
    (shop / MAKER).unlink()
    done(loomstack, "uninstall")

    assert below(shop) == {}


def test_a_journal_of_an_older_package_counts(shop: Path, loomstack: Run, journal: Path) -> None:
    done(loomstack, "init", "--agents", "none", "--skills", "none")
    text = journal.read_text()
    journal.write_text(
        text.replace('"own_folder": 1', '"own_folder": true').replace('"own_folder": 0', '"own_folder": false')
    )
    done(loomstack, "init", "--agents", "all")
    done(loomstack, "uninstall")

    assert '"own_folder": 1' in text
    assert below(shop) == {}


@pytest.mark.parametrize("link", [(".agents/skills", "../.claude/skills"), (".agents", ".claude")])
def test_folders_that_are_one_are_written_once(shop: Path, loomstack: Run, link: tuple[str, str]) -> None:
    (shop / ".claude").mkdir()
    (shop / link[0]).parent.mkdir(exist_ok=True)
    (shop / link[0]).symlink_to(link[1])
    before = below(shop)
    shown = done(loomstack, "init")
    is_there = (shop / CODEX_RUN_SKILL).is_file()
    again = done(loomstack, "init")
    done(loomstack, "uninstall")

    assert is_there
    assert shown.count("loom-run/SKILL.md") == 1
    assert "nothing to change" in again
    assert below(shop) == before


def test_a_folder_behind_a_link_is_said_where_it_lies(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "dotfiles").mkdir()
    (shop / ".claude").symlink_to(tmp_path / "dotfiles")
    shown = done(loomstack, "init", *ONLY_MAKER)
    done(loomstack, "uninstall")

    assert f"new     {MAKER} ({tmp_path}/dotfiles/agents/maker.md)" in shown
    assert list((tmp_path / "dotfiles").iterdir()) == []


@pytest.mark.parametrize("place", [".claude/agents", ".agents"])
def test_where_one_cannot_be_written_none_is(shop: Path, loomstack: Run, place: str) -> None:
    put(shop, place, "a file where a folder should be\n")
    before = below(shop)
    said = refused(loomstack, "init")

    assert f"{shop / place} is no folder; move it away, nothing was changed" in said
    assert below(shop) == before


def test_no_folder_is_made_where_a_link_leads_to_nothing(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    (shop / ".claude").symlink_to(tmp_path / "not/yet")
    said = refused(loomstack, "init")

    assert f"{shop / '.claude'} is a link to nothing; move it away, nothing was changed" in said
    assert not (tmp_path / "not").exists()


def test_what_a_killed_init_left_goes_with_its_folders(shop: Path, loomstack: Run) -> None:
    before = below(shop)
    done(loomstack, "init")
    for name in ALL:
        shutil.rmtree((shop / name).parent, ignore_errors=True)
    put(shop, ".claude/skills/loom-run/.SKILL.md.loomstack-new", "half")
    (shop / ".claude/agents").mkdir()
    done(loomstack, "uninstall")

    assert below(shop) == before


def test_a_dry_run_changes_nothing_and_asks_nothing(shop: Path, tmp_path: Path) -> None:
    status, shown = on_terminal([SCRIPT, "init", "--dry-run"], cwd=shop, env=environment(tmp_path))

    assert status == 0
    assert f"new     {MAKER}  agent" in shown
    assert below(shop) == {}


def test_what_is_next_names_one_thing_to_try_and_what_to_share(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    for name in ("claude", "codex"):
        put(tmp_path, f"bin/{name}", "#!/bin/sh\n").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    shown = loomstack("init", "--yes", PATH=path).stdout

    assert "/loom-run refactor <what to change> in Claude Code" in shown
    assert "$loom-run refactor <what to change> in `codex --add-dir .git`" in shown
    assert "commit .mcp.json, .claude/settings.json, .claude/agents/, .claude/skills/, .agents/ and .codex/" in shown
    assert "who pulls them installs loomstack-mcp first" in shown


def test_the_texts_can_be_known_again_whatever_a_linter_does_at_line_ends() -> None:
    assert shipped_folder().is_dir()
    for each in shipped_definitions(__version__):
        assert each.text.endswith("\n")
        assert not each.text.endswith("\n\n")
        assert [line for line in each.text.splitlines() if line != line.rstrip()] == []
    assert {each.name for each in shipped_definitions(__version__) if each.kind == "agents"} == set(AGENTS)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 15, 24])
@pytest.mark.parametrize("command", ["init", "uninstall"])
def test_a_kill_between_two_files_leaves_nothing_that_is_not_undone(
    shop: Path, loomstack: Run, journal: Path, count: int, command: str
) -> None:
    put(shop, ".claude/agents/mine.md", MINE)
    before = below(shop)
    worktree = worktree_at(shop)
    assert worktree
    scope = project_scope(worktree, home=journal.parent.parent)
    wanted = (*client_files(scope.places), *(each.file for each in found_definitions(scope, __version__)))
    steps = planned(scope.root, wanted)
    write_journal(scope.journal, scope.root, wanted, steps)
    carried_out(steps[:count])
    done(loomstack, command)
    done(loomstack, "uninstall")

    assert journal == scope.journal
    assert below(shop) == before


def test_worktrees_and_folders_below_are_set_up_at_the_top(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    tree = tmp_path / "other tree"
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(tree))
    ended = loomstack("init", "--yes", cwd=tree / "src")
    both = installed(tree), installed(shop)
    taken = loomstack("uninstall", "--yes", cwd=tree / "tests")

    assert (ended.returncode, taken.returncode) == (0, 0)
    assert both == (list(ALL), [])
    assert below(tree) == {}
