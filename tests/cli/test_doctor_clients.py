"""`doctor` on each client: it says what `claude mcp list`, `codex mcp list` and app-server's hooks/list say."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.doctors import APPROVED, CLAUDES_OWN, EVENTS, GUARD_HASHES, HASHES, TRUSTED, Doctor, states
from tests.conftest import commit_all, git

ROOT = Path(__file__).parents[2]
ENABLED = {"enabledMcpjsonServers": ["loomstack"]}


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    return Doctor(tmp_path, shop)


@pytest.fixture
def complete(tmp_path: Path, shop: Path) -> Doctor:
    """With git's hooks."""
    return Doctor(tmp_path, shop, git_hooks=True)


@pytest.mark.parametrize("answer", [ENABLED, {"enableAllProjectMcpServers": True}])
def test_an_approval_in_the_users_settings_counts_everywhere(doctor: Doctor, answer: dict[str, object]) -> None:
    doctor.init()
    doctor.write(".claude/settings.json", answer)

    assert "may start it" in doctor.found()["Claude Code"]["found"]


@pytest.mark.parametrize("path", [".claude.json", "shop/.claude/settings.local.json", "shop/.claude/settings.json"])
def test_any_other_approval_counts_only_in_a_trusted_folder(doctor: Doctor, path: str) -> None:
    doctor.init()
    doctor.write(path, {**ENABLED, "projects": {str(doctor.shop): ENABLED}})
    untrusted = doctor.found()["Claude Code"]
    doctor.write(".claude.json", {"projects": {str(doctor.shop): {**ENABLED, "hasTrustDialogAccepted": True}}})

    assert untrusted["status"] == "warn"
    assert "the folder is not trusted" in untrusted["found"]
    assert untrusted["mend"] == "start `claude` in this folder and accept"
    assert doctor.found()["Claude Code"]["status"] == "ok"


@pytest.mark.parametrize("name", ["disabledMcpServers", "disabledMcpjsonServers"])
def test_a_server_that_is_switched_off_is_said_to_be(doctor: Doctor, name: str) -> None:
    doctor.init()
    doctor.claude_keeps(**APPROVED, **{name: ["loomstack"]})
    found = doctor.found()["Claude Code"]

    assert found["status"] == "warn"
    assert "switched off" in found["found"]
    assert "/mcp" in found["mend"]


def test_a_server_of_ones_own_needs_no_approval_and_can_be_switched_off(doctor: Doctor) -> None:
    entry = {"mcpServers": {"loomstack": {"command": "loomstack-mcp"}}}
    doctor.write(".claude.json", entry)
    on = doctor.found()["Claude Code"]
    doctor.write(".claude.json", {**entry, "projects": {str(doctor.shop): {"disabledMcpServers": ["loomstack"]}}})

    assert (on["status"], on["found"]) == ("ok", "knows the server from your own settings")
    assert "switched off" in doctor.found()["Claude Code"]["found"]


def test_claude_code_is_looked_up_where_its_configuration_was_moved(doctor: Doctor) -> None:
    doctor.init()
    doctor.write("moved/settings.json", ENABLED)

    assert doctor.found(CLAUDE_CONFIG_DIR=str(doctor.home / "moved"))["Claude Code"]["status"] == "ok"


def test_what_is_said_of_the_main_worktree_counts_in_a_linked_one(complete: Doctor) -> None:
    complete.all_set()
    commit_all(complete.shop)
    linked = complete.home / "linked"
    git(complete.shop, "worktree", "add", "--quiet", str(linked))

    assert {check["status"] for check in complete.found(cwd=linked).values()} == {"ok"}


def test_a_linked_worktree_may_be_trusted_by_its_own_path(doctor: Doctor) -> None:
    doctor.init()
    commit_all(doctor.shop)
    linked = doctor.home / "linked"
    git(doctor.shop, "worktree", "add", "--quiet", str(linked))
    doctor.write(".claude.json", {"projects": {str(doctor.shop): ENABLED, str(linked): {"hasTrustDialogAccepted": 1}}})
    not_quite = doctor.found(cwd=linked)["Claude Code"]["status"]
    trusted = {str(doctor.shop): ENABLED, str(linked): {"hasTrustDialogAccepted": True}}
    doctor.write(".claude.json", {"projects": trusted})
    doctor.codex_keeps(folder=linked)

    assert not_quite == "warn"
    assert doctor.found(cwd=linked)["Claude Code"]["status"] == "ok"
    assert doctor.found(cwd=linked)["Codex"]["status"] == "ok"


def test_codex_takes_a_linked_worktrees_hook_from_the_main_one(doctor: Doctor) -> None:
    doctor.all_set()
    commit_all(doctor.shop)
    linked = doctor.home / "linked"
    git(doctor.shop, "worktree", "add", "--quiet", str(linked))
    (doctor.shop / ".codex" / "hooks.json").unlink()
    found = doctor.found(cwd=linked)["Codex hook"]

    assert str(doctor.shop) in found["found"]
    assert found["mend"] == f"cd {doctor.shop} && loomstack-mcp init"


def test_local_rules_that_git_tracks_do_not_count_and_are_found(doctor: Doctor) -> None:
    doctor.init()
    git(doctor.shop, "add", "--force", ".claude/settings.local.json")

    assert doctor.found()["Claude Code rules"]["mend"] == (
        f"git -C {doctor.shop} rm --cached .claude/settings.local.json"
    )


def test_tools_that_are_not_allowed_are_found(doctor: Doctor) -> None:
    doctor.all_set()
    (doctor.shop / ".claude" / "settings.local.json").unlink()
    doctor.claude_keeps()
    untrusted = doctor.found()["Claude Code rules"]
    doctor.claude_keeps(**APPROVED)
    trusted = doctor.found()
    doctor.write("shop/.claude/settings.json", {"permissions": {"allow": ["mcp__loomstacks", "Read"]}})

    assert untrusted == doctor.found()["Claude Code rules"]
    assert (untrusted["status"], untrusted["mend"]) == ("warn", "loomstack-mcp init")
    assert "Claude Code rules" not in trusted


@pytest.mark.parametrize(
    ("rule", "status"),
    [("mcp__loomstack", "fail"), ("mcp__loomstack__*", "fail"), ("mcp__loomstack__claim_paths", "warn")],
)
@pytest.mark.parametrize("path", [".claude/settings.json", "shop/.claude/settings.json"])
def test_tools_that_are_denied_are_found_with_the_file_that_does(
    doctor: Doctor, rule: str, status: str, path: str
) -> None:
    doctor.all_set()
    doctor.write(path, {"permissions": {"deny": [rule]}})
    found = doctor.found()["Claude Code rules"]

    assert (found["status"], found["found"]) == (status, f"{doctor.home / path} denies {rule}")


@pytest.mark.parametrize("path", ["shop/.claude/settings.json", "shop/.codex/hooks.json"])
def test_a_hook_that_is_not_there_is_said_to_be_missing(doctor: Doctor, path: str) -> None:
    doctor.all_set()
    (doctor.home / path).unlink()
    hooks = [check for name, check in doctor.found().items() if name.endswith("hook") and name != "loomstack-hook"]

    assert sorted((check["status"], check["mend"]) for check in hooks) == [("ok", ""), ("warn", "loomstack-mcp init")]


@pytest.mark.parametrize(
    ("matcher", "is_said", "unseen"),
    [
        ("Edit|Write|NotebookEdit", True, "MultiEdit, Bash, Monitor, mcp__.*"),
        ("Edit|Write|MultiEdit|NotebookEdit|mcp__loomstack__.*", False, "Bash, Monitor, mcp__.*"),
        ("Edit|Write|MultiEdit|NotebookEdit|Bash|Monitor|mcp__.*", False, ""),
        ("*", False, ""),
        ("", False, ""),
    ],
)
def test_a_hook_that_is_not_told_of_our_calls_or_of_other_steps_is_said(
    doctor: Doctor, matcher: str, is_said: bool, unseen: str
) -> None:
    doctor.init()
    settings = doctor.shop / ".claude/settings.json"
    written = "Edit|Write|MultiEdit|NotebookEdit|Bash|Monitor|mcp__.*"
    settings.write_text(settings.read_text().replace(f'"{written}"', f'"{matcher}"'))
    checks = doctor.found()

    assert ("does not see calls of our tools" in str(checks.get("Claude Code sub-agents"))) == is_said
    told = {"status": "warn", "found": f"the hook at PreToolUse is not told of {unseen}", "mend": "loomstack-mcp init"}
    assert checks.get("Claude Code matcher", {}).items() >= (told.items() if unseen else set())
    assert ("Claude Code matcher" in checks) == bool(unseen)


@pytest.mark.parametrize("path", ["shop/.claude/settings.json", "shop/.codex/hooks.json"])
def test_events_without_a_hook_are_named_with_what_is_lost(doctor: Doctor, path: str) -> None:
    """As after an older `init`; a new one mends it."""
    doctor.all_set()
    client = "Claude Code" if "claude" in path else "Codex"
    settings = doctor.home / path
    tree = json.loads(settings.read_text())
    hooks = tree["hooks"]
    settings.write_text(json.dumps({**tree, "hooks": {"PreToolUse": hooks["PreToolUse"], "Stop": hooks["Stop"]}}))
    found = doctor.found()[f"{client} events"]
    doctor.init()

    assert (found["status"], found["mend"]) == ("warn", "loomstack-mcp init")
    named = re.findall(r"(\w+): ", found["found"])
    lost = {event for event in EVENTS if event not in ("PreToolUse", "Stop")}
    assert set(named) == lost | ({CLAUDES_OWN} if "claude" in path else set())
    assert "SessionStart: sessions are not briefed" in found["found"]
    assert f"{client} events" not in doctor.found()


def test_only_the_events_whose_hook_codex_does_not_trust_are_named(doctor: Doctor) -> None:
    """As after an update that brought new hooks beside a trusted one."""
    doctor.init()
    old = {"pre_tool_use": HASHES["pre_tool_use"]}
    doctor.codex_keeps(more=states(f"{doctor.shop}/.codex/hooks.json", TRUSTED, old))
    found = doctor.found()["Codex hook"]

    # What is tried stands under the same name.
    printed = [line for line in doctor.run().stdout.splitlines() if "does not run the hook" in line]
    others = ", ".join(event for event in EVENTS if event != "PreToolUse")
    assert printed == [f"warn  Codex hook       Codex does not run the hook at {others}: you have not trusted it"]
    assert "answers at 1 event; tried just now" in found["found"]


def test_hooks_that_ask_the_server_are_seen_and_the_tool_is_kept_from_the_model(complete: Doctor) -> None:
    complete.init("--guard")
    complete.claude_keeps(**APPROVED)
    hashes = {**HASHES, **GUARD_HASHES}
    complete.codex_keeps(more=states(f"{complete.shop}/.codex/hooks.json", TRUSTED, hashes))
    checks = complete.found()

    assert {check["status"] for check in checks.values()} == {"ok"}
    for client in ("Claude Code", "Codex"):
        found = "answers at 6 events; the server checks edits, which was not tried"
        assert checks[f"{client} hook"]["found"] == found


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("", "you have not trusted it"),
        ("enabled = true", "you have not trusted it"),
        (f"enabled = false\n{TRUSTED}", "it is switched off"),
        ('trusted_hash = "sha256:88e6"', "it has changed since you trusted it"),
    ],
)
def test_a_hook_that_codex_does_not_run_is_found_with_the_reason(doctor: Doctor, hook: str, reason: str) -> None:
    doctor.init()
    doctor.codex_keeps(hook=hook)
    found = doctor.found()["Codex hook"]

    assert (found["status"], found["found"]) == ("warn", f"Codex does not run the hook: {reason}")
    assert "/hooks" in found["mend"]


def test_a_hook_in_the_users_own_codex_file_counts(doctor: Doctor) -> None:
    doctor.init()
    (doctor.shop / ".codex" / "hooks.json").unlink()
    hook = '{ hooks = [{ type = "command", command = "loomstack-hook codex PreToolUse" }] }'
    # The hash that Codex gives a hook without matcher and timeout.
    trusted = "sha256:1582207f4c455650e5ecb51b7dad6535e39a90bb670bbf9f3f0f4ff5c95cb130"
    key = f"{doctor.home}/.codex/config.toml:pre_tool_use:0:0"
    more = f'[hooks]\nPreToolUse = [{hook}]\n[hooks.state."{key}"]\ntrusted_hash = "{trusted}"\n'
    doctor.codex_keeps(more=more)

    assert doctor.found()["Codex hook"]["status"] == "ok"


PLUGIN = "loomstack@loomstack"
CODEX_PLUGIN = f'[plugins."{PLUGIN}"]\nenabled = true\n[mcp_servers.loomstack]\ncommand = "loomstack-mcp"\n'


def test_the_hook_of_a_plugin_counts_in_claude_code(doctor: Doctor) -> None:
    """As `claude plugin install` leaves the files."""
    doctor.write(".claude.json", {"mcpServers": {"loomstack": {"command": "loomstack-mcp"}}})
    doctor.write("cache/hooks/hooks.json", (ROOT / "claude_agents/hooks/hooks.json").read_text())
    copies = [{"scope": "user", "installPath": str(doctor.home / "cache"), "version": "0.1.0"}]
    doctor.write(".claude/plugins/installed_plugins.json", {"version": 2, "plugins": {PLUGIN: copies}})
    doctor.write(".claude/settings.json", {"enabledPlugins": {PLUGIN: True}})

    assert doctor.found()["Claude Code hook"]["status"] == "ok"


@pytest.mark.parametrize(("trusted", "status", "words"), [(TRUSTED, "ok", ""), ("", "warn", "you have not trusted it")])
def test_the_hook_of_a_plugin_counts_in_codex_once_it_is_trusted(
    doctor: Doctor, trusted: str, status: str, words: str
) -> None:
    """As `codex plugin add` and a person's trust leave the files."""
    cache = ".codex/plugins/cache/loomstack/loomstack/0.1.0/hooks/hooks.json"
    doctor.write(cache, (ROOT / "codex_agents/hooks/hooks.json").read_text())
    state = states(f"{PLUGIN}:hooks/hooks.json", trusted)
    doctor.codex_keeps(more=CODEX_PLUGIN + state)
    checks = doctor.found()

    assert checks["Codex hook"]["status"] == status
    assert words in checks["Codex hook"]["found"]
    assert ("has to be trusted anew" in str(checks.get("Codex plugin"))) == (status == "ok")


def test_a_hook_of_ones_own_waits_for_trust_also_in_a_folder_that_codex_does_not_trust(doctor: Doctor) -> None:
    """Once trusted it runs there (run on 0.169.0, 2026-11)."""
    doctor.write(".codex/hooks.json", (ROOT / "codex_agents/hooks/hooks.json").read_text())
    doctor.write(".codex/config.toml", '[mcp_servers.loomstack]\ncommand = "loomstack-mcp"\n')
    found = doctor.found()["Codex hook"]

    assert (found["status"], found["found"]) == ("warn", "Codex does not run the hook: you have not trusted it")


def test_a_server_that_is_switched_off_in_codex_is_said_to_be(doctor: Doctor) -> None:
    doctor.init()
    doctor.codex_keeps(more="[mcp_servers.loomstack]\nenabled = false\n")
    found = doctor.found()["Codex"]

    assert (found["status"], found["found"]) == ("warn", "the server is switched off")


@pytest.mark.parametrize(
    ("path", "client"),
    [
        ("shop/.mcp.json", "Claude Code"),
        (".claude.json", "Claude Code"),
        ("shop/.codex/config.toml", "Codex"),
        (".codex/config.toml", "Codex"),
    ],
)
@pytest.mark.parametrize("content", ["{", "[1, 2", "\x00"])
def test_a_broken_file_is_named(doctor: Doctor, path: str, client: str, content: str) -> None:
    doctor.all_set()
    doctor.write(path, content)
    found = doctor.found()[client]

    assert found["status"] == "fail"
    assert f"{doctor.home / path} cannot be read: " in found["found"]
    assert found["mend"] == f"mend {doctor.home / path}, or move it away"


def test_a_link_to_a_device_is_not_read(doctor: Doctor) -> None:
    (doctor.shop / ".mcp.json").symlink_to("/dev/zero")

    assert "it is no file" in doctor.found()["Claude Code"]["found"]


def test_a_byte_order_mark_is_no_fault(complete: Doctor) -> None:
    complete.all_set()
    for path in (complete.shop / ".mcp.json", complete.shop / ".codex" / "config.toml"):
        path.write_text(f"\ufeff{path.read_text()}")

    assert {check["status"] for check in complete.found().values()} == {"ok"}
