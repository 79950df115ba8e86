"""`doctor` on agents and skills: as in the package, old, changed by the person, not there, or not loaded."""

import json
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("path", "text", "check"),
    [
        (".claude/agents/team/builder.md", MINE, CLAUDE),
        (
            ".claude/agents/builder.md",
            MINE.replace("name: maker", 'name: "maker" # mine').replace("\n", "\r\n"),
            CLAUDE,
        ),
        (".codex/agents/builder.toml", 'name = "maker"\n', CODEX),
    ],
)
def test_another_file_with_the_name_of_one_of_ours_is_found(doctor: Doctor, path: str, text: str, check: str) -> None:
    doctor.all_set()
    doctor.write(f"shop/{path}", text)
    doctor.write("shop/.claude/agents/other.md", "No name: maker\n")
    doctor.write("shop/.codex/agents/other.toml", "name = ")
    _, found = lines(doctor, check)

    assert found["status"] == "warn"
    assert found["found"].startswith(f"{path} is called maker too")
    assert found["mend"] == f"give it another name in {doctor.shop}/{path}"


def test_a_client_that_is_not_there_is_not_spoken_of(doctor: Doctor) -> None:
    doctor.all_set()
    for name in ("claude", "codex"):
        (doctor.home / "bin" / name).unlink()
    found = doctor.found(PATH=f"{Path(doctor.home / 'bin')}:/usr/bin:/bin")

    assert not {CLAUDE, CODEX} & set(found)
