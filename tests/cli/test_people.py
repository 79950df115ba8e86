"""Whom each command is for: said where it is declared; the check for a person and the rule for loops follow it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from loomstack_mcp.cli import people
from loomstack_mcp.cli.main import cli
from loomstack_mcp.cli.people import ConfiguringOption, Mark, mark_of
from loomstack_mcp.core.errors import Unauthorized
from loomstack_mcp.core.shell.guarded import decides
from tests.conftest import Run
from tests.core.shell.lines import read


def walked(group: click.Group, path: tuple[str, ...] = (), mark: Mark | None = None) -> Iterator[tuple[str, Mark]]:
    """Every command and group that does something by itself, and every option that is marked, as one types it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        here, own = (*path, name), mark_of(command) or mark
        if isinstance(command, click.Group):
            yield from walked(command, here, own)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            assert own, f"say of `{' '.join(here)}` whom it is for: a mark of loomstack_mcp/cli/people.py"
            yield " ".join(here), own
        for option in command.params:
            if isinstance(option, ConfiguringOption):
                yield " ".join((*here, option.opts[0])), "configuring"


MARKS: Mapping[str, Mark] = dict(walked(cli))
CHECKED = [name for name, mark in MARKS.items() if mark in ("deciding", "configuring") and "--" not in name]


def test_every_command_is_walked_nested_ones_too() -> None:
    assert {"note add", "policy check", "db query", "init", "gate"} <= set(MARKS)


@pytest.mark.parametrize("line", MARKS)
def test_a_loop_may_run_what_is_marked_open_and_nothing_else(line: str) -> None:
    assert bool(decides(read(f"loomstack-mcp --home x {line}"))) == (MARKS[line] != "open")


@pytest.mark.parametrize("line", CHECKED)
@pytest.mark.parametrize("name", ["CLAUDECODE", "AI_AGENT", "CODEX_THREAD_ID"])
def test_what_decides_or_configures_refuses_inside_a_client(
    line: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command: click.Command | None = cli
    for word in line.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    monkeypatch.setenv(name, "1")

    assert command
    assert command.callback
    with pytest.raises(Unauthorized, match=f"{name} is set"):
        command.callback()


def test_a_command_that_nobody_marked_is_found() -> None:
    group = click.Group("tool", commands={"new": click.Command("new")})

    with pytest.raises(AssertionError, match="say of `new` whom it is for"):
        list(walked(group))


def test_a_group_says_it_for_its_commands_and_each_may_say_otherwise() -> None:
    inner = people.private(click.Group("inner", commands={"see": click.Command("see")}))
    inner.add_command(people.deciding(click.Command("settle", callback=lambda: None)))

    assert dict(walked(click.Group("tool", commands={"inner": inner}))) == {
        "inner see": "private",
        "inner settle": "deciding",
    }


@pytest.mark.parametrize("command", ["init", "uninstall"])
def test_scripts_of_people_set_a_repository_up_without_a_terminal_and_agents_do_not(
    shop: Path, loomstack: Run, command: str
) -> None:
    refused = loomstack(command, "--yes", CLAUDECODE="1")
    done = loomstack(command, "--yes", CODEX_HOME="/home/ana/.codex")

    assert (refused.returncode, "unauthorized: only a person can do this" in refused.stderr) == (1, True)
    assert done.returncode == 0, done.stderr


def test_no_command_is_cut_short(loomstack: Run) -> None:
    """So that the rule need not know a command by its beginning."""
    assert [loomstack(*words).returncode for words in (["not", "add", "x"], ["gate", "--instal", "."])] == [64, 64]


def test_an_option_that_configures_refuses_inside_a_client_where_it_is_given(shop: Path, loomstack: Run) -> None:
    refused = loomstack("gate", "--install", ".", CLAUDECODE="1")
    judged = loomstack("gate", "--base", "main", CLAUDECODE="1")

    assert (refused.returncode, "unauthorized: only a person" in refused.stderr) == (1, True)
    assert not (shop / ".git/hooks/pre-receive").exists()
    assert judged.returncode == 0, judged.stderr
