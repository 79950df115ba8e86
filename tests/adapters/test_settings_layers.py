"""Settings as a property: of whatever is set anywhere, the first place that says something wins."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.adapters.settings import REPO_FILE, load_settings, sqlite_path
from loomstack_mcp.core.errors import Invalid, LoomError

NAMES = ("repo", "rework_max", "window_days", "keep_days", "generated", "store")
OWN = ("keep_days", "store")
"""What no repository sets."""
words = st.text("abcxyz/.-", min_size=1, max_size=8).map(lambda word: f"n{word}".replace("//", "/").rstrip("/.-") + "n")
values: dict[str, st.SearchStrategy[Any]] = {
    "repo": words,
    "rework_max": st.integers(1, 100),
    "window_days": st.integers(1, 400),
    "keep_days": st.integers(0, 36_500),
    "generated": st.lists(st.sampled_from(["*.lock", "dist/**", "a b.py"]), min_size=1, max_size=2),
    "store": words.map(lambda word: f"sqlite:////tmp/{word}.db"),
}


def layer(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: values[name] for name in names})


def spelled(value: Any) -> str:
    """A value as the environment holds it."""
    return ",".join(value) if isinstance(value, list) else str(value)


def plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@given(flags=layer("repo", "store"), env=layer(*NAMES), repo=layer(*NAMES), user=layer(*NAMES))
def test_the_first_place_that_says_something_wins(
    flags: dict[str, Any], env: dict[str, Any], repo: dict[str, Any], user: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as home:
        own = Path(home) / "config.yaml"
        own.write_text(yaml.safe_dump(user), encoding="utf-8")
        found = load_settings(
            flags,
            environment={"LOOMSTACK_HOME": home, **{f"LOOMSTACK_{name.upper()}": spelled(env[name]) for name in env}},
            in_repo=yaml.safe_dump(repo),
        )
    may = {name: value for name, value in repo.items() if name not in OWN}
    defaults = {
        "repo": "",
        "rework_max": 3,
        "window_days": 30,
        "keep_days": 0,
        "generated": (),
        "store": f"sqlite:///{home}/loom.db",
    }
    places = [("flag", flags), ("environment", env), (REPO_FILE, may), (str(own), user), ("default", defaults)]
    expected = {name: next((plain(said[name]), place) for place, said in places if name in said) for name in NAMES}

    assert {name: (getattr(found, name), found.origins[name]) for name in NAMES} == expected
    assert found.origins["home"] == "environment"
    assert [text.split()[0] for text in found.ignored] == [name for name in OWN if name in repo]


@given(st.text("anolyesftruNE:/.-#' \t\r12~é", max_size=9))
def test_a_plain_file_is_read_as_yaml_reads_it(word: str) -> None:
    text = f"push: off\nstore: {word}\n"
    try:
        read = yaml.safe_load(text)
        told = read["store"] if len(read) == 2 else None  # a CR ends a line, and what follows may be one more setting
    except (yaml.YAMLError, ValueError):
        told = None
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "config.yaml").write_text(text, encoding="utf-8", newline="")
        try:
            found = load_settings({}, environment={"LOOMSTACK_HOME": home}).store
        except Invalid:
            found = None

    assert found == (told if isinstance(told, str) else None)


@pytest.mark.parametrize(
    "text",
    [
        "repo: 5",
        "repo: [a]",
        "repo:",
        "repo: !!binary /w==",
        "repo: 2020-99-99",
        "rework_max: 2020-01-01",
        "rework_max: true",
        "rework_max: 1.5",
        "window_days: 0",
        "window_days: 401",
        "window_days: 90d",
        f"rework_max: {'1' * 5_000}",
        "rework_max: !!int x",
        "rework_max: !!bool x",
        "rework_max: !!float x",
        "generated: {a: b}",
        "generated: [1]",
        "generated: ['[']",
        "? {a: b}\n: c",
        "a: &a [*a]",
        "repo: \x00",
    ],
)
@pytest.mark.parametrize("place", [REPO_FILE, "config.yaml"])
def test_a_value_that_makes_no_sense_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "config.yaml").write_text(text if place == "config.yaml" else "")

    with pytest.raises(Invalid) as refused:
        load_settings({}, environment={"LOOMSTACK_HOME": str(tmp_path)}, in_repo=text if place == REPO_FILE else "")
    assert place in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_a_file_is_read_or_refused(source: bytes) -> None:
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "config.yaml").write_bytes(source)
        assert loaded_or_refused(home, {}) in ("read", "refused")


@given(
    st.dictionaries(
        st.sampled_from(["STORE", "REPO", "REWORK_MAX", "GENERATED"]), st.text(st.characters(exclude_characters="\0"))
    )
)
def test_an_environment_is_read_or_refused(given: Mapping[str, str]) -> None:
    assert loaded_or_refused("/nowhere", {f"LOOMSTACK_{name}": text for name, text in given.items()}) in (
        "read",
        "refused",
    )


def loaded_or_refused(home: str, environment: Mapping[str, str]) -> str:
    try:
        sqlite_path(load_settings({}, environment={"LOOMSTACK_HOME": home, **environment}))
    except LoomError:
        return "refused"
    return "read"


@pytest.mark.parametrize("flag", ["home", "store", "repo"])
def test_an_empty_flag_is_none(tmp_path: Path, flag: str) -> None:
    environment = {"LOOMSTACK_HOME": str(tmp_path), "LOOMSTACK_REPO": "acme/shop"}

    assert load_settings({flag: ""}, environment=environment) == load_settings({}, environment=environment)


def test_a_home_in_the_file_that_is_found_by_it_is_told_not_to_count(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("home: /elsewhere\nrework_max: 5\n")
    found = load_settings({}, environment={"LOOMSTACK_HOME": str(tmp_path)})

    assert (found.home, found.rework_max, sqlite_path(found)) == (str(tmp_path), 5, tmp_path / "loom.db")
    assert [text.split(":")[0] for text in found.ignored] == [f"home in {tmp_path / 'config.yaml'}"]


def test_patterns_lose_the_blanks_around_them_and_empty_ones(tmp_path: Path) -> None:
    found = load_settings({}, environment={"LOOMSTACK_HOME": str(tmp_path), "LOOMSTACK_GENERATED": " a.lock, ,b/** ,"})

    assert found.generated == ("a.lock", "b/**")


def test_a_home_of_nobody_is_named() -> None:
    found = load_settings({"store": "~nobody-of-that-name/x.db"}, environment={"LOOMSTACK_HOME": "/nowhere"})

    with pytest.raises(LoomError, match=r"~nobody-of-that-name/x\.db lies in the home of nobody"):
        sqlite_path(found)


@pytest.mark.parametrize("days", ["-1", "ninety", "36501"])
def test_how_long_things_are_kept_is_a_number_of_days(tmp_path: Path, days: str) -> None:
    with pytest.raises(Invalid, match="keep_days from environment must be a whole number from 0 to 36500"):
        load_settings({}, environment={"LOOMSTACK_HOME": str(tmp_path), "LOOMSTACK_KEEP_DAYS": days})
