"""Lines that keep hooks from running, and those by which people decide."""

import pytest

from loomstack_mcp.core.shell.guarded import bypasses, decides
from tests.core.shell.lines import read


@pytest.mark.parametrize(
    "line",
    [
        "git commit --no-verify",
        "git commit --no-verif -m x",
        "git push --no-verify",
        "git commit -n",
        "git commit -anm x",
        "git am -n x",
        "git -c core.hooksPath=/dev/null commit",
        "git -c CORE.HOOKSPATH= commit",
        "git -c include.path=x commit",
        "git config core.hooksPath x",
        "git config --global --unset core.hooksPath",
        "HUSKY=0 git commit",
        "export HUSKY=0",
        "env GIT_CONFIG_COUNT=1 git commit",
        "GIT_CONFIG_PARAMETERS=x git commit",
        "SKIP=black git commit",
        "bash -c 'git commit -n'",
        '"$GIT" commit --no-verify',
    ],
)
def test_what_keeps_hooks_from_running_is_seen(line: str) -> None:
    assert bypasses(read(line))


@pytest.mark.parametrize(
    "line",
    [
        "git push -n",
        "git merge -n x",
        "git commit -mn",
        "git commit -m -n",
        "git commit -m 'no --no-verify here'",
        "git config core.hooksPath",
        "git config --get core.hooksPath",
        "git merge --no-verify-signatures",
        "HUSKY=1 git commit",
        "SKIP=x make",
        "npm publish --no-verify",
        "git -c user.name=x commit",
        "git push origin $BRANCH",
        'eval "$x"',
    ],
)
def test_what_only_looks_like_a_bypass_is_none(line: str) -> None:
    assert bypasses(read(line)) == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loomstack-mcp approve apr_1", True),
        ("loomstack --home x config", True),
        ("loomstack note add hi", True),
        ("/usr/bin/loomstack-mcp db backup x", True),
        ("python3.11 -Im loomstack_mcp deny apr_1", True),
        ("uv run --with x python -m loomstack_mcp trust", True),
        ("uvx --from x loomstack-mcp token new", True),
        ("yes | bash -c 'loomstack uninstall'", True),
        ("loomstack $WHAT", True),
        ("loomstack notes", False),
        ("loomstack-mcp audit", False),
        ("echo loomstack approve", False),
        ("$NPM config set x", False),
        ("python -m pytest config", False),
    ],
)
def test_commands_by_which_people_decide_are_seen(line: str, expected: bool) -> None:
    assert bool(decides(read(line))) == expected
