"""`doctor` on agents and skills: as in the package, old, changed by the person, not there, or not loaded."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.adapters.install.doctor_definitions import definition_checks
from loomstack_mcp.adapters.install.doctor_files import Client
from loomstack_mcp.adapters.install.scopes import user_scope
from loomstack_mcp.adapters.install.shipped import shipped_folder
from tests.cli.doctors import Doctor
from tests.cli.test_definitions import MAKER, MINE, RUN_SKILL, other_package

CLAUDE, CODEX = "Claude Code agents", "Codex agents"


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    return Doctor(tmp_path, shop)


def lines(doctor: Doctor, *names: str) -> list[dict[str, Any]]:
    """All that is said under these names, in order."""
    return [check for check in json.loads(doctor.run("--json").stdout) if check["check"] in names]


def test_what_is_not_installed_is_no_fault_and_said_with_how(doctor: Doctor) -> None:
    found = lines(doctor, CLAUDE, CODEX)

    assert [(line["check"], line["status"], line["mend"]) for line in found] == [(CLAUDE, "ok", ""), (CODEX, "ok", "")]
    assert all("loomstack-mcp init brings them" in line["found"] for line in found)


def test_what_is_as_in_the_package_is_said_in_one_line_a_client(doctor: Doctor) -> None:
    doctor.all_set()

    found = lines(doctor, CLAUDE, CODEX)

    assert [line["check"] for line in found] == [CLAUDE, CODEX]
    assert {(line["status"], line["found"]) for line in found} == {("ok", "4 agents and 5 skills as in this package")}


def test_what_an_older_package_wrote_is_named_and_mended(doctor: Doctor) -> None:
    doctor.all_set()
    doctor.write(f"shop/{MAKER}", other_package(MAKER))
    doctor.write(f"shop/{RUN_SKILL}", other_package(RUN_SKILL))
    [stale] = lines(doctor, CLAUDE)
    doctor.init()
    mended = lines(doctor, CLAUDE)

    assert (stale["status"], stale["mend"]) == ("warn", "loomstack-mcp init")
    assert stale["found"] == "3 agents and 4 skills as in this package; not as in this package: maker, loom-run"
    assert [(check["status"], check["found"]) for check in mended] == [
        ("ok", "4 agents and 5 skills as in this package")
    ]


def test_what_a_person_changed_or_wrote_is_theirs_and_no_fault(doctor: Doctor) -> None:
    doctor.write("shop/.claude/agents/checker.md", MINE.replace("maker", "checker"))
    doctor.all_set()
    doctor.write(f"shop/{MAKER}", (doctor.shop / MAKER).read_text() + "More.\n")
    (doctor.shop / RUN_SKILL).unlink()
    [line] = lines(doctor, CLAUDE)

    assert (line["status"], line["mend"]) == ("ok", "")
    assert line["found"] == (
        "2 agents and 4 skills as in this package; changed by you: maker; yours: checker; not installed: loom-run"
    )


def test_a_newer_package_s_text_is_not_called_old(doctor: Doctor) -> None:
    doctor.all_set()
    doctor.write(f"shop/{MAKER}", other_package(MAKER, version="99.0.0"))
    [line] = lines(doctor, CLAUDE)

    assert line["status"] == "warn"
    assert "of a newer version: maker" in line["found"]
    assert line["mend"].startswith("uv tool install")


def test_one_s_own_scope_is_looked_at_too(doctor: Doctor) -> None:
    doctor.init("--user")
    doctor.write(MAKER, other_package(MAKER))
    claude, codex = lines(doctor, CLAUDE, CODEX)

    assert (claude["status"], claude["mend"]) == ("warn", "loomstack-mcp init --user")
    assert claude["found"].startswith("your own: 3 agents")
    assert codex["status"] == "ok"


def test_other_files_with_the_name_of_one_of_ours_are_found(doctor: Doctor) -> None:
    others = {
        ".claude/agents/builder.md": MINE.replace("name: maker", 'name: "maker" # mine').replace("\n", "\r\n"),
        ".claude/agents/team/builder.md": MINE,
        ".codex/agents/builder.toml": 'name = "maker"\n',
    }
    doctor.all_set()
    for path, text in others.items():
        doctor.write(f"shop/{path}", text)
    doctor.write("shop/.claude/agents/other.md", "No name: maker\n")
    doctor.write("shop/.codex/agents/other.toml", "name = ")
    found = [line for line in lines(doctor, CLAUDE, CODEX) if line["status"] == "warn"]

    assert [line["found"].partition(" is called maker too")[0] for line in found] == list(others)
    assert [line["mend"] for line in found] == [f"give it another name in {doctor.shop}/{path}" for path in others]


def test_what_of_ours_is_behind_or_beside_a_person_s_own_is_found(doctor: Doctor) -> None:
    doctor.write(RUN_SKILL, MINE.replace("maker", "loom-run"))
    doctor.write(f"shop/{MAKER}", MINE)
    doctor.init("--user")
    doctor.all_set()
    found = [line["found"] for line in lines(doctor, CLAUDE, CODEX, "Codex skills") if line["status"] == "warn"]

    assert found.pop() == (
        "here and among your own: loom-handoff, loom-resolve, loom-rule, loom-run, loom-setup; "
        "Codex then takes $loom-handoff for neither"
    )
    assert found == [
        f"yours in {MAKER} is loaded here, ours in {doctor.home}/{MAKER} is not",
        f"yours in {doctor.home}/{RUN_SKILL} is loaded here, ours in {RUN_SKILL} is not",
    ]


def test_what_a_plugin_brings_is_no_lack_and_said_where_it_is_old_or_twice(doctor: Doctor) -> None:
    copies = {"claude": ".claude/plugins/cache/us/loomstack/0.1.0", "codex": ".codex/plugins/cache/us/loomstack/0.1.0"}
    for client, copy in copies.items():
        shutil.copytree(shipped_folder() / f"{client}_agents", doctor.home / copy)
    installed = {"plugins": {"loomstack@us": [{"installPath": str(doctor.home / copies["claude"])}]}}
    doctor.write(".claude/plugins/installed_plugins.json", installed)
    doctor.write(".claude/settings.json", {"enabledPlugins": {"loomstack@us": True}})
    doctor.write(".codex/config.toml", '[plugins."loomstack@us"]\nenabled = true\n')
    alone = lines(doctor, CLAUDE, CODEX)
    for copy in copies.values():
        doctor.write(f"{copy}/skills/loom-rule/SKILL.md", "older")
    old = lines(doctor, CLAUDE, CODEX)
    doctor.init("--skills", "none")
    [*_, without_skills] = lines(doctor, CODEX)
    doctor.init("--skills", "all")
    twice = [line for line in lines(doctor, CLAUDE, CODEX) if line["status"] == "warn"]

    assert [(line["status"], line["found"]) for line in alone] == [
        ("ok", "agents and skills from the plugin, as in this package"),
        ("ok", "skills from the plugin, as in this package"),
    ]
    assert [line["mend"] for line in old] == ["bring the plugin up to date"] * 2
    assert all(line["found"].endswith("from the plugin, not as in this package: loom-rule") for line in old)
    assert "twice" not in without_skills["found"]
    assert [line["check"] for line in twice] == [CLAUDE, CODEX]
    assert all("listed twice" in line["found"] and "loomstack-mcp uninstall" in line["mend"] for line in twice)


def test_what_a_client_s_settings_deny_is_named_once_it_is_ours(doctor: Doctor) -> None:
    rules = ["Agent(maker)", "Task(checker)", "Skill(loom-run:*)", "Agent(mine)", "Agent(mak*)", "Bash(*)"]
    doctor.write(".claude/settings.json", {"permissions": {"deny": rules}})
    before = lines(doctor, CLAUDE)
    doctor.all_set()
    found = [line for line in lines(doctor, CLAUDE, CODEX) if line["status"] == "warn"]

    path = doctor.home / ".claude/settings.json"
    assert [line["status"] for line in before] == ["ok"]
    assert [line["found"] for line in found] == [f"{path} denies {rule}" for rule in rules[:3]]
    assert {line["mend"] for line in found} == {f"take that out of permissions.deny in {path}"}


def test_what_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    scope = user_scope({"CLAUDE_CONFIG_DIR": f"/{'x' * 300}"}, home=tmp_path)
    [found] = definition_checks((Client(name="Claude Code", checks=()),), scope, scope, __version__)

    assert (found.check, found.status) == ("agents", "fail")
    assert "cannot be looked at: File name too long" in found.found


def test_a_client_that_is_not_there_is_not_spoken_of(doctor: Doctor) -> None:
    doctor.all_set()
    for name in ("claude", "codex"):
        (doctor.home / "bin" / name).unlink()
    found = doctor.found(PATH=f"{Path(doctor.home / 'bin')}:/usr/bin:/bin")

    assert not {CLAUDE, CODEX} & set(found)
