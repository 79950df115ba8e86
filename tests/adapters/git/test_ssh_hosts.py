"""Which host SSH connects to, as `ssh -G` says it where that runs nothing."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.ssh_hosts import ssh_host


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path / ".ssh/config"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Host work\n  HostName github.com", ("github.com", "")),
        ("host WORK\nhostname=github.com\nport = 2222", ("github.com", "2222")),
        ('Host "work" other\n\tHostName\t"github.com"', ("github.com", "")),
        ("Host w?rk *.lan\nHostName %h.example", ("work.example", "")),
        ("Host * !work\nHostName elsewhere", ("work", "")),
        ("Host !other *\nHostName here", ("here", "")),
        ("Host other\nHostName elsewhere", ("work", "")),
        ("Host work\nHostName first\nHost *\nHostName second\nPort 7", ("first", "7")),
        ("HostName everywhere", ("everywhere", "")),
        ("Match all\nHostName elsewhere\nHost work\nPort 1", ("work", "1")),
        ("Host work\n# HostName elsewhere\nHostName here", ("here", "")),
        ("Host wo[r]k\nHostName elsewhere", ("work", "")),
        ("Host work\nInclude more", ("included", "")),
        ("Host other\nInclude more", ("work", "")),
        ("Include m*", ("included", "")),
        ("Include config", ("work", "")),
        ("Include config con* config\nInclude config", ("work", "")),
        ("Include ~nobody/x a**b [ more", ("included", "")),
        ("Include /none ~/none more", ("included", "")),
        ("no settings at all", ("work", "")),
        ("", ("work", "")),
    ],
)
def test_a_host_is_what_the_settings_make_of_it(config: Path, text: str, expected: tuple[str, str]) -> None:
    config.write_text(f"{text}\n")
    (config.parent / "more").write_text("HostName included\n")

    assert ssh_host("work") == expected


def test_who_has_no_home_has_no_settings_of_their_own(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("HostName elsewhere\n")
    monkeypatch.setenv("HOME", "")

    assert ssh_host("work") == ("work", "")


def test_without_settings_that_can_be_read_a_host_is_itself(config: Path) -> None:
    none = ssh_host("work")
    config.mkdir()

    assert none == ssh_host("work") == ("work", "")
