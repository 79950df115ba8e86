"""`doctor`: each fault is found, and the command it names mends it."""

import os
import sys
from pathlib import Path

import pytest

from loomstack_mcp.adapters.install.doctor import file_system, store_size_checks
from loomstack_mcp.adapters.settings import Settings
from tests.cli.doctors import SCRIPTS, Doctor
from tests.conftest import environment
from tests.wire import Server


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    return Doctor(tmp_path, shop, git_hooks=True)


def test_a_repository_without_us_is_told_the_one_command(doctor: Doctor) -> None:
    found = doctor.found()

    assert found["Claude Code"]["mend"] == found["Codex"]["mend"] == "loomstack-mcp init"
    assert {check["status"] for check in found.values()} == {"ok", "warn"}
    assert doctor.run().returncode == 0


def test_after_init_what_is_left_is_each_clients_own_question(doctor: Doctor) -> None:
    doctor.init()
    found = doctor.found()

    assert "waits for your approval" in found["Claude Code"]["found"]
    assert "not trusted" in found["Codex"]["found"]
    assert {name for name, check in found.items() if check["status"] != "ok"} == {"Claude Code", "Codex"}


def test_where_every_question_is_answered_all_is_right(doctor: Doctor) -> None:
    doctor.all_set()

    assert {check["status"] for check in doctor.found().values()} == {"ok"}


def test_scripts_that_are_not_on_path_fail_with_what_puts_them_there(doctor: Doctor) -> None:
    doctor.all_set()
    found = doctor.found(PATH=os.pathsep.join([str(doctor.home / "bin"), "/usr/bin", "/bin"]))

    assert found["loomstack-mcp"]["status"] == "fail"
    assert str(Path(sys.executable).parent) in found["loomstack-mcp"]["mend"]
    assert "Codex command" not in found


def test_another_version_on_path_is_seen(doctor: Doctor) -> None:
    doctor.program("loomstack-mcp", "loomstack-mcp, version 0.0.1")

    assert "0.0.1" in doctor.found()["version"]["found"]


@pytest.mark.parametrize(
    ("printed", "status"), [("git version 2.30.9", "fail"), ("git version 2.31.0", "ok"), ("", "fail")]
)
def test_an_old_git_fails(doctor: Doctor, printed: str, status: str) -> None:
    doctor.program("git", printed)

    assert doctor.found()["git"]["status"] == status


def test_a_store_that_does_not_open_fails_with_its_reason(doctor: Doctor) -> None:
    (doctor.home / "loomstack").mkdir()
    (doctor.home / "loomstack" / "loom.db").write_bytes(b"garbage" * 999)
    found = doctor.found()["store"]

    assert found["status"] == "fail"
    assert "no SQLite database" in found["found"]


@pytest.mark.parametrize("home", ["/proc/nope", "/proc/nope/deeper", __file__, f"{__file__}/below"])
def test_a_store_that_cannot_be_made_fails(doctor: Doctor, home: str) -> None:
    found = doctor.found(LOOMSTACK_HOME=home)["store"]

    assert found["status"] == "fail"
    assert "cannot be made" in found["found"]
    assert found["mend"].startswith("export LOOMSTACK_HOME=")


def test_looking_whether_a_store_can_be_made_leaves_nothing_behind(doctor: Doctor) -> None:
    before = sorted(doctor.home.iterdir())
    found = doctor.found()["store"]

    assert "none yet" in found["found"]
    assert sorted(doctor.home.iterdir()) == before


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/me/loom.db", "ext4"),
        ("/homes/me", "ext4"),
        ("/my disk", "nfs4"),
        ("/my disk/loom.db", "nfs4"),
        ("/my diskette", "ext4"),
        ("/srv/loom.db", "tmpfs"),
        ("/srv/share/loom.db", "tmpfs"),
        ("/mnt/share/loom.db", "fuse.glusterfs"),
    ],
)
def test_the_last_mount_that_covers_a_path_holds_it(path: str, kind: str) -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nserver:/x /my\\040disk nfs4 rw 0 0\nserver:/y /srv/share nfs rw 0 0\n"
        "none /srv tmpfs rw 0 0\nnone /mnt tmpfs rw 0 0\nserver:/z /mnt/share fuse.glusterfs rw 0 0\nbroken\n"
    )

    assert file_system(mounts, path) == kind
    assert file_system("", path) == ""


def test_it_is_readable_on_a_terminal_and_names_the_store(doctor: Doctor) -> None:
    env = environment(doctor.home)
    with Server([sys.executable, "-m", "loomstack_mcp", "serve"], env=env, cwd=doctor.shop) as server:
        server.initialize()
        server.answer("start_run", loop="loop", goal="goal")
    lines = doctor.run().stdout.splitlines()

    assert any(line.startswith("ok    store") and "loom.db" in line for line in lines)
    assert any(line.strip() == "→ loomstack-mcp init" for line in lines)


def test_clients_that_are_not_installed_are_no_fault_but_nothing_is_set_up(doctor: Doctor) -> None:
    for name in ("claude", "codex"):
        (doctor.home / "bin" / name).unlink()
    found = doctor.found(PATH=os.pathsep.join([SCRIPTS, "/usr/bin", "/bin"]))

    assert found["Claude Code"]["found"] == found["Codex"]["found"] == "not installed"
    assert [check["check"] for check in found.values() if check["status"] != "ok"] == ["set-up"]
    assert found["set-up"]["mend"] == "put claude or codex on PATH, then loomstack-mcp init"


def test_a_large_store_is_told_what_to_do_and_a_long_log_why(tmp_path: Path) -> None:
    path = tmp_path / "loom.db"
    for file, size in ((path, 600_000_000), (tmp_path / "loom.db-wal", 70_000_000)):
        file.touch()
        os.truncate(file, size)  # without any content
    for_ever, for_days, too_few = (list(store_size_checks(path, Settings(keep_days=days))) for days in (0, 90, 7))

    assert [check.found[:18] for check in for_ever] == ["600 MB, and all of", "its log has 70 MB:"]
    assert "db prune --keep 90d" in for_ever[0].mend
    assert [check.check for check in for_days] == ["store log"]
    assert "less than window_days 30" in too_few[0].found
