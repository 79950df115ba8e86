"""Settings: which one wins, and what is said of a file that makes no sense."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters import settings
from loomstack_mcp.adapters.settings import Settings, load_settings, sqlite_path
from loomstack_mcp.core.clients.files.own_names import VARIABLES
from loomstack_mcp.core.errors import Invalid, StoreUnavailable


def loaded(home: Path, *, in_repo: str = "", flags: dict[str, str | None] | None = None, **env: str) -> Settings:
    return load_settings(flags or {}, environment={"HOME": str(home), **env}, in_repo=in_repo)


def test_the_store_lies_in_the_users_data_folder(tmp_path: Path) -> None:
    assert sqlite_path(loaded(tmp_path)) == tmp_path / ".local/share/loomstack/loom.db"
    assert sqlite_path(loaded(tmp_path, XDG_DATA_HOME="/data")) == Path("/data/loomstack/loom.db")
    assert sqlite_path(loaded(tmp_path, XDG_DATA_HOME="relative")) == tmp_path / ".local/share/loomstack/loom.db"
    assert sqlite_path(loaded(tmp_path, LOOMSTACK_HOME="/loom")) == Path("/loom/loom.db")


def test_a_flag_wins_over_the_environment_over_the_repository_over_the_user(tmp_path: Path) -> None:
    home = tmp_path / ".local/share/loomstack"
    home.mkdir(parents=True)
    (home / "config.yaml").write_text("repo: user\nrework_max: 7\n")

    assert loaded(tmp_path).repo == "user"
    assert loaded(tmp_path, in_repo="repo: repo").repo == "repo"
    assert loaded(tmp_path, in_repo="repo: repo", LOOMSTACK_REPO="env").repo == "env"
    assert loaded(tmp_path, flags={"repo": "flag"}, LOOMSTACK_REPO="env").repo == "flag"
    assert loaded(tmp_path).origins["rework_max"] == str(home / "config.yaml")


def test_a_repository_cannot_choose_where_its_users_keep_their_store(tmp_path: Path) -> None:
    settings = loaded(tmp_path, in_repo="store: sqlite:////tmp/mine.db\nhome: /tmp")

    assert sqlite_path(settings) == tmp_path / ".local/share/loomstack/loom.db"
    assert [text.split()[0] for text in settings.ignored] == ["home", "store"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a", "must hold settings"),
        ("stor: x", "unknown setting stor"),
        ("rework_max: many", "whole number"),
        ("rework_max: 0", "whole number"),
        ("a: [", "config.yaml:1 is not valid YAML"),
        ("!!python/object/apply:os.system [id]", "not valid YAML"),
        ("[" * 5_000, "not valid YAML"),
    ],
)
def test_a_file_that_makes_no_sense_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        loaded(tmp_path, in_repo=text)


@pytest.mark.parametrize("store", ["postgresql://localhost/x", "https://hub", "sqlite:///", ""])
def test_a_store_that_is_not_spoken_is_refused(store: str) -> None:
    with pytest.raises(StoreUnavailable):
        sqlite_path(Settings(store=store))


OF_A_HUB = {f"LOOMSTACK_JWT_{name}" for name in ("ISSUER", "AUDIENCE", "JWKS", "ALGORITHMS", "REPOS", "REPOS_CLAIM")}
"""No server that a client starts is a hub."""


def test_clients_hand_down_the_variable_of_every_setting() -> None:
    assert {f"LOOMSTACK_{name.upper()}" for name in settings._NAMES} - OF_A_HUB <= set(VARIABLES)
    assert not OF_A_HUB & set(VARIABLES)


@pytest.mark.parametrize(("written", "found"), [("off", "off"), ("on", "on"), ('"off"', "off"), ("true", "on")])
def test_a_switch_is_read_however_yaml_takes_it(tmp_path: Path, written: str, found: str) -> None:
    (tmp_path / "config.yaml").write_text(f"push: {written}\n")

    assert load_settings({}, environment={"LOOMSTACK_HOME": str(tmp_path)}).push == found


def test_what_is_no_choice_is_refused_and_a_secret_is_not_printed(tmp_path: Path) -> None:
    environment = {
        "LOOMSTACK_HOME": str(tmp_path),
        "LOOMSTACK_WEBHOOK": "https://x/y",
        "LOOMSTACK_WEBHOOK_SECRET": "s3",
    }

    with pytest.raises(Invalid, match="push from environment must be one of on, off"):
        load_settings({}, environment={**environment, "LOOMSTACK_PUSH": "maybe"})
    assert "s3" not in repr(load_settings({}, environment=environment))
    assert "https://x/y" not in repr(load_settings({}, environment=environment))
