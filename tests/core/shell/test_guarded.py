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
        ("env -u CLAUDECODE X=1 loomstack-mcp --store x note add y", True),
        ("loomstack-mcp --store=x 'note' a\"dd\" y", True),
        ("uvx loomstack-mcp@0.2 note add x", True),
        ("uvx loomstack-mcp==0.2 note add x", True),
        ("uvx 'loomstack-mcp[otel]' note add x", True),
        ("uv tool run loomstack-mcp note add x", True),
        ("uv run --with x loomstack-mcp init --yes", True),
        ("pipx run --spec . loomstack-mcp pause", True),
        ("python .venv/bin/loomstack-mcp note add x", True),
        ("python -u src/loomstack_mcp/__main__.py note add x", True),
        ("python -m loomstack_mcp --home x note add y", True),
        ("python -Pmloomstack_mcp --home x note add y", True),
        ("python -W ignore -m loomstack_mcp.cli.main note add y", True),
        ("python -c 'from loomstack_mcp.cli.main import main; main()' note add x", True),
        ("script -qc 'loomstack-mcp note add x' /dev/null", True),
        ("screen -dm loomstack-mcp note add x", True),
        ("screen -S x -X stuff 'loomstack-mcp deny apr_1\n'", True),
        ("tmux new -d 'cd x && loomstack-mcp --home y approve apr_1'", True),
        ("tmux send-keys -t 0 'loomstack-mcp approve apr_1' Enter", True),
        ("tmux send-keys 'loomstack-mcp inbox' Enter", False),
        ("tmux send-keys 'git approve' Enter", False),
        ("expect -c 'spawn loomstack-mcp approve apr_1; expect eof'", True),
        ("ssh -t localhost loomstack-mcp approve apr_1", True),
        ("socat - EXEC:'loomstack-mcp approve apr_1',pty,ctty", True),
        ("runuser -u dana -- loomstack-mcp approve apr_1", True),
        ("systemd-run --user --pty -p X=1 loomstack-mcp approve apr_1", True),
        ("strace -f -o x loomstack-mcp approve apr_1", True),
        ("unshare -r loomstack-mcp approve apr_1", True),
        ("taskset -c 0 loomstack-mcp approve apr_1", True),
        ("taskset -c 0 make approve", False),
        ("parallel -j 2 loomstack-mcp note add ::: x", True),
        ("echo x | xargs loomstack-mcp note add", True),
        ("L=loomstack-mcp; (cd y && $L init)", True),
        ("loomstack-mcp gate --install /srv/shop.git", True),
        ("loomstack-mcp gate --install=/srv/shop.git", True),
        ("loomstack-mcp gate --base main", False),
        ("loomstack-mcp conflicts --base main", False),
        ("python -c 'import loomstack_mcp; print(loomstack_mcp.__version__)'", False),
        ("python tools/notes.py -m loomstack_mcp note add", False),
        ("uv tool install loomstack-mcp", False),
        ("uv pip install loomstack-mcp", False),
        ("loomstack notes", False),
        ("loomstack-mcp audit", False),
        ("echo loomstack approve", False),
        ("$NPM config set x", False),
        ("python -m pytest config", False),
    ],
)
def test_commands_by_which_people_decide_are_seen(line: str, expected: bool) -> None:
    assert bool(decides(read(line))) == expected
