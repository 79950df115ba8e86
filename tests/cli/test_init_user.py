"""`init --user` and `uninstall --user`: a person's own files, wherever they stand, and byte for byte back again."""

import json
import tomllib
from pathlib import Path

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.adapters.install.shipped import shipped_definitions
from tests.cli.test_cli import on_terminal
from tests.cli.test_definitions import MAKER, RUN_SKILL, below, put
from tests.cli.test_uninstall import done, refused
from tests.conftest import Run, environment
from tests.processes import SCRIPT

SECRET = "sk-ant-not-a-real-key"
NONE = ("--agents", "none", "--skills", "none")
FILES = (".claude.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of the person, who stands in no repository."""
    (tmp_path / "plain").mkdir()
    return tmp_path


def own(home: Path) -> dict[str, bytes | None]:
    """Every file and folder in the home folder that is not of the store, of a test's programs, or a repository."""
    found = [path for path in home.rglob("*") if path.relative_to(home).parts[0].startswith(".")]
    return {str(path.relative_to(home)): path.read_bytes() if path.is_file() else None for path in found}


def test_outside_of_a_repository_everything_comes_and_goes_without_a_trace(home: Path, loomstack: Run) -> None:
    before = own(home)
    shown = done(loomstack, "init", "--user", cwd=home / "plain")
    with_us = own(home)
    again = done(loomstack, "init", "--user", cwd=home / "plain")
    claude = json.loads((home / ".claude.json").read_text())
    settings = json.loads((home / ".claude/settings.json").read_text())
    codex = tomllib.loads((home / ".codex/config.toml").read_text())
    out = done(loomstack, "uninstall", "--user", cwd=home / "plain")

    assert claude == {"mcpServers": {"loomstack": {"command": "loomstack-mcp"}}}
    assert settings["permissions"]["allow"] == ["mcp__loomstack"]
    assert settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"] == "loomstack-hook claude PreToolUse"
    assert codex["mcp_servers"]["loomstack"]["required"] is True
    assert b"loomstack-hook codex PreToolUse" in (with_us[".codex/hooks.json"] or b"")
    assert len([name for name, text in with_us.items() if text]) == len(FILES) + len(shipped_definitions(__version__))
    assert {f"{MAKER}", ".codex/agents/maker.toml", RUN_SKILL, ".agents/skills/loom-run/SKILL.md"} <= set(with_us)
    assert not {".claude/settings.local.json", ".mcp.json"} & set(with_us)
    assert f"new     ~/{MAKER}  agent" in shown
    assert "for you, in every repository" in shown
    assert "share it" not in shown
    assert "nothing to change" in again
    assert "your own files" in out
    assert own(home) == before


def test_what_a_person_has_there_comes_back_byte_for_byte(home: Path, loomstack: Run) -> None:
    texts = {
        ".claude.json": '{\r\n\t"numStartups": 1e2,\r\n\t"mcpServers": {},\r\n\t"projects": {"/x": {}}}',
        ".claude/settings.json": '{"model":"opus","permissions":{"deny":["WebFetch"]}}',
        ".codex/config.toml": '\ufeffmodel = "gpt-5.5" # keep\r\n',
        ".codex/hooks.json": '{"hooks": {"Stop": []}}\n',
        MAKER: "---\nname: maker\n---\nMine.\n",
    }
    for name, text in texts.items():
        put(home, name, text)
    (home / ".agents").mkdir()
    before = own(home)
    shown = done(loomstack, "init", "--user")
    servers = json.loads((home / ".claude.json").read_bytes())["mcpServers"]
    done(loomstack, "uninstall", "--user")

    assert servers == {"loomstack": {"command": "loomstack-mcp"}}
    assert f"kept    ~/{MAKER}  yours" in shown
    assert own(home) == before


def test_a_person_s_secrets_are_neither_shown_nor_copied(home: Path, loomstack: Run) -> None:
    text = json.dumps({"primaryApiKey": SECRET, "mcpServers": {"other": {"env": {"KEY": SECRET}}}})
    put(home, ".claude.json", text).chmod(0o600)
    shown = done(loomstack, "init", "--user", *NONE)
    mode = (home / ".claude.json").stat().st_mode & 0o777
    journals = [path for path in (home / "loomstack").rglob("*") if path.is_file()]
    kept = "".join(path.read_text() for path in journals)
    modes = {path.stat().st_mode & 0o777 for path in journals}
    shown += done(loomstack, "uninstall", "--user")

    assert "change  ~/.claude.json  the server, in mcpServers" in shown
    assert SECRET not in shown + kept
    assert (mode, modes) == (0o600, {0o600})
    assert (home / ".claude.json").read_text() == text


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_file_of_one_s_own_without_content_comes_back(home: Path, loomstack: Run, text: str) -> None:
    (home / ".claude.json").write_text(text)
    done(loomstack, "init", "--user", cwd=home / "plain")
    done(loomstack, "uninstall", "--user", cwd=home / "plain")

    assert (home / ".claude.json").read_text() == text


def test_what_the_client_wrote_since_stays(home: Path, loomstack: Run) -> None:
    done(loomstack, "init", "--user", *NONE)
    tree = json.loads((home / ".claude.json").read_text())
    put(home, ".claude.json", json.dumps({**tree, "numStartups": 2}))
    done(loomstack, "uninstall", "--user")

    assert json.loads((home / ".claude.json").read_text()) == {"numStartups": 2}


def test_moved_folders_of_both_clients_are_used(home: Path, loomstack: Run) -> None:
    # Codex reads skills of a person's own from their home, wherever the rest lies.
    moved = {"CLAUDE_CONFIG_DIR": str(home / "c" / "laude"), "CODEX_HOME": str(home / "codex")}
    before = own(home)
    done_there = loomstack("init", "--user", "--yes", **moved)
    files = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    taken = loomstack("uninstall", "--user", "--yes", **moved)

    assert done_there.returncode == 0, done_there.stderr
    assert {"c/laude/.claude.json", "c/laude/settings.json", "c/laude/agents/maker.md"} <= files
    assert {"c/laude/skills/loom-run/SKILL.md", "codex/config.toml", "codex/agents/maker.toml"} <= files
    assert ".claude.json" not in files
    assert taken.returncode == 0, taken.stderr
    assert not (home / "c").exists()
    assert not (home / "codex").exists()
    assert own(home) == before


def test_the_repository_s_and_one_s_own_are_set_up_and_taken_out_apart(home: Path, shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    project = (shop / ".mcp.json").read_text()
    done(loomstack, "init", "--user")
    done(loomstack, "uninstall")
    between = own(home)
    done(loomstack, "uninstall", "--user")

    assert "loomstack" in project
    assert not (shop / ".mcp.json").exists()
    assert between[MAKER]
    assert not (home / ".claude").exists()


@pytest.mark.parametrize(
    "order",
    [
        ("init", "init --user", "uninstall", "uninstall --user"),
        ("init", "init --user", "uninstall --user", "uninstall"),
        ("init --user", "init", "uninstall", "uninstall --user"),
    ],
)
def test_a_home_folder_that_is_a_repository_is_left_as_it_was(
    shop: Path, loomstack: Run, order: tuple[str, ...]
) -> None:
    before = below(shop)
    ended = [loomstack(*command.split(), "--yes", HOME=str(shop)).returncode for command in order]

    assert ended == [0, 0, 0, 0]
    assert below(shop) == before


def test_a_file_of_one_s_own_is_never_removed_on_a_guess(home: Path, loomstack: Run) -> None:
    put(home, ".claude/settings.json", "")
    done(loomstack, "init", "--user")
    for path in (home / "loomstack" / "init").iterdir():
        path.unlink()
    done(loomstack, "uninstall", "--user")
    left = own(home)

    assert left[".claude/settings.json"] == b"{}\n"
    assert left[".claude.json"] == b'{"mcpServers": {}}\n'
    assert not [name for name in left if "loom-run" in name or "maker" in name]


def test_a_team_s_server_can_be_one_s_own(home: Path, loomstack: Run) -> None:
    done(loomstack, "init", "--user", *NONE, "--url", "https://loom.example/mcp")
    text = (home / ".claude.json").read_text() + (home / ".codex/config.toml").read_text()

    assert "Bearer ${LOOMSTACK_TOKEN}" in text
    assert 'bearer_token_env_var = "LOOMSTACK_TOKEN"' in text


def test_a_broken_file_of_one_s_own_is_named_and_nothing_is_changed(home: Path, loomstack: Run) -> None:
    put(home, ".codex/config.toml", "a = ")
    said = refused(loomstack, "init", "--user")

    assert f"{home}/.codex/config.toml is not valid TOML" in said
    assert sorted(own(home)) == [".codex", ".codex/config.toml"]


@pytest.mark.parametrize("command", ["init", "uninstall"])
def test_what_a_client_writes_while_the_plan_is_looked_at_is_not_lost(home: Path, loomstack: Run, command: str) -> None:
    put(home, ".claude.json", '{"numStartups": 1}')
    if command == "uninstall":
        done(loomstack, "init", "--user", *NONE)
    text = (home / ".claude.json").read_text()

    def written() -> str:
        put(home, ".claude.json", text.replace("1", "2"))
        return "y\n"

    arguments = [SCRIPT, command, "--user", *(NONE if command == "init" else ())]
    status, shown = on_terminal(arguments, cwd=home, env=environment(home), question="Write this?", answer=written)

    assert status == 1
    assert "nothing was changed" in shown
    assert (home / ".claude.json").read_text() == text.replace("1", "2")
