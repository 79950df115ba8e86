"""What git is given of the environment, and what it says when it refuses."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.run import Ran, environment, run
from tests.conftest import git

PASSED = {"PATH": "/bin", "HOME": "/home/ana", "XDG_CONFIG_HOME": "/x", "SUDO_UID": "1000", "GIT_CONFIG_GLOBAL": "/g"}


def settings(given: dict[str, str]) -> list[tuple[str, str]]:
    """Those that git would read of this environment, in their order."""
    made = environment(given)
    count = int(made["GIT_CONFIG_COUNT"])
    return [(made[f"GIT_CONFIG_KEY_{number}"], made[f"GIT_CONFIG_VALUE_{number}"]) for number in range(count)]


def test_of_the_environment_only_what_is_listed_is_passed_on() -> None:
    bare = environment({})
    odd = dict.fromkeys(
        ("GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_OBJECT_DIRECTORY", "PAGER", "EDITOR", "LD_PRELOAD",
         "GIT_EXEC_PATH", "GIT_TRACE", "GIT_NAMESPACE", "GIT_LITERAL_PATHSPECS", "DIFF", "GIT_FROM_LATER"),
        "/evil",
    )  # fmt: skip

    assert environment({**PASSED, **odd}) == {**bare, **PASSED}
    assert not any(value == "/evil" for value in bare.values())


def test_a_program_of_the_folder_that_we_look_at_is_none_of_git_s() -> None:
    given = {"PATH": ":.:bin:/usr/bin:./node_modules/.bin:/bin:"}

    assert environment(given)["PATH"] == "/usr/bin:/bin"
    assert "PATH" not in environment({"PATH": ".:"})


def test_a_folder_that_is_gone_is_no_want_of_git(tmp_path: Path) -> None:
    assert run(tmp_path / "gone", "version").complaint == f"{tmp_path}/gone is gone"


def test_of_settings_in_variables_only_trust_and_who_we_are_is_passed_on() -> None:
    pinned = settings({})
    counted = {"safe.directory": "/a b", "core.fsmonitor": "/evil", "User.Name": "It's", "url.x.insteadOf": "y"}
    given = {"GIT_CONFIG_COUNT": str(len(counted)), "GIT_CONFIG_PARAMETERS": r"'user.email'='a'\''b' 'diff.external=x'"}
    for number, (name, value) in enumerate(counted.items()):
        given |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}

    assert settings(given) == [("safe.directory", "/a b"), ("User.Name", "It's"), ("user.email", "a'b"), *pinned]


@pytest.mark.parametrize("count", ["", "x", "-1", "99999999", "²"])
def test_a_count_that_is_none_and_a_quote_that_is_open_give_nothing(count: str) -> None:
    assert settings({"GIT_CONFIG_COUNT": count, "GIT_CONFIG_PARAMETERS": "'user.name=x"}) == settings({})


def test_what_git_hands_to_its_own_hooks_is_understood(shop: Path) -> None:
    told = git(shop, "-c", "safe.directory=/a 'b'!", "-c", 'alias.told=!echo "$GIT_CONFIG_PARAMETERS"', "told")

    assert ("safe.directory", "/a 'b'!") in settings({"GIT_CONFIG_PARAMETERS": told})


def test_what_stands_in_an_object_s_or_its_parents_place_is_not_followed(shop: Path) -> None:
    first = git(shop, "rev-parse", "HEAD")
    other = git(shop, "commit-tree", "-m", "other", f"{first}^{{tree}}")
    git(shop, "replace", first, other)
    (shop / ".git/info").mkdir(exist_ok=True)
    (shop / ".git/info/grafts").write_text(f"{first} {other}\n")

    assert run(shop, "rev-list", "HEAD").text == first
    assert run(shop, "log", "-1", "--format=%s").text == "change"


def test_the_line_that_says_why_is_shown_of_a_complaint() -> None:
    complained = b"hint: much ado\nwarning: x\nfatal: detected dubious ownership in repository at '/x'\nTo add an\n"

    assert (
        Ran(code=128, printed=b"", complained=complained).complaint
        == "fatal: detected dubious ownership in repository at '/x'"
    )
    assert Ran(code=1, printed=b"", complained=b"error: one\nerror: two\n").complaint == "error: one"
    assert Ran(code=3, printed=b"", complained=b"").complaint == "git ended with 3"
