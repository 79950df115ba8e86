"""Shell lines as an agent types them, and what is read from them."""

import shlex
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.adapters.parse.shell.script import PIPES_MAX, parsed
from loomstack_mcp.core.shell.effects import (
    COMMANDS_MAX,
    LINE_BYTES_MAX,
    Reading,
    bypasses,
    decides,
    matches,
    reading,
)
from loomstack_mcp.core.shell.words import Write

FORCE = ("git", "push", "--force|-f|--force-with-lease|--mirror")
PARSE = partial(parsed, home="/home/dana")


def read(line: str, *, cwd: str = "") -> Reading:
    return reading(PARSE(line), cwd=cwd, parse=PARSE)


def calls(line: str) -> list[str]:
    return [" ".join(map(str, words)) for words in read(line).calls]


def written(line: str, *, cwd: str = "") -> list[str]:
    """Each path, with `/**` where what is below it counts too; `?` is any path."""
    return [f"{one.path or '?'}{'/**' if one.is_folder_wide else ''}" for one in read(line, cwd=cwd).writes]


@pytest.mark.parametrize(
    "line",
    [
        "git push -f",
        "g''it pu\\sh -f",
        '"git" \'push\' "--force"',
        "\\git push -f",
        "/usr/bin/git push -f",
        "GIT push -f",
        "$'git' push $'-\\x66'",
        'git $"push" -f',
        "git pu\\\nsh \\\n -f",
        "git push origin\\ \\#x -f",
        "git push >log -f",
        "git push -f>log",
        ">log git push -f",
        "2>&1 >log git push -f <in",
        "{git,push,-f}",
        "git push -fu origin main",
        "git push --forc",
        "git push --force-with-lease=main:abc origin",
        "git push origin +main",
        "git -C sub -c user.name=x push -f",
        "git --git-dir x push -f",
        "git push -o ci.skip -f",
        "F=-f; git push $F",
        'F=-f; git push "$F"',
        "F='-f origin'; git push $F",
        "g=git; $g push -f",
        "git push $FLAGS",
        'f() { git push "$@"; }; f -f',
        "$(echo git) push -f",
        "$(echo git) push",
        '"$GIT" push -f',
        "git${IFS}push${IFS}-f",
        "git $VERB -f",
        "git push --$WHAT",
        'git push "-$WHAT"',
        "env -S 'git push -f'",
        "command git push -f",
        "sudo -u root git push -f",
        "timeout -k 5 60 git push -f",
        "env -i A=b nohup nice -n 5 stdbuf -oL setsid git push -f &",
        "echo main | xargs git push --force",
        "echo main | xargs git push origin",
        "xargs -I{} git {} -f",
        "coproc X { git push -f; }",
        "busybox env git push -f",
        'bash -lc "cd . && git push -f"',
        "bash -euo pipefail -c 'git push -f'",
        "timeout 60 bash -lc 'cd . && git push -f origin main'",
        "sh -c \"bash -c 'git push -f'\"",
        "bash <<EOF\ngit push -f\nEOF",
        "cd x && bash <<'EOF' > log\ngit push -f\nEOF",
        'bash <<< "git push -f"',
        "sudo bash -s <<< 'git push -f'",
        "eval git push -f",
        'eval "git push" "-f"',
        "trap 'git push -f' EXIT",
        "su dana -c 'git push -f'",
        "git rebase -x 'git push -f' main",
        "git submodule foreach 'git push -f'",
        "git bisect run git push -f",
        "find . -exec git push -f \\;",
        "find . -exec bash -c 'git push -f' {} +",
        "a; (git push -f)",
        "a && { git push -f; } || b",
        "! a | git push -f",
        "if a; then b; else while a; do git push -f; done < list; fi",
        "for i in 1; do git push -f; done",
        "case x in a) git push -f;; esac",
        "f() { git push -f; }",
        "echo `git push -f`",
        'echo "a $(git push -f) b"',
        "echo ${x:-$(git push -f)}",
        "x=$(git push -f)",
        "[[ -n $(git push -f) ]]",
        "diff <(git push -f) a",
        "cat <<EOF\n$(git push -f)\nEOF",
        "cat <<EOF\n`git push -f`\nEOF",
        "cat <<EOF && git push -f\ntext\nEOF",
        "# a comment \\\ngit push -f",
        "echo a\\\\\ngit push -f",
        ': ""\\ #x; git push -f',
    ],
)
def test_a_forced_push_is_seen_however_it_is_spelled(line: str) -> None:
    assert matches(read(line), FORCE)


@pytest.mark.parametrize(
    "line",
    [
        "git push",
        "git push -u origin main",
        'git push origin "$BRANCH"',
        "git push -u origin $(git branch --show-current)",
        "git push origin :old",
        "git push -- -f",
        "git fetch -f",
        "git commit -m 'git push --force'",
        'echo "git push --force"',
        "echo git push -f",
        "cat > docs/x.md <<'EOF'\nrm -rf src/core\ngit push --force\nEOF\necho \"git push --force\"",
        "cat <<'A'\nend of line \\\nA\necho git push -f",
        "gh pr create --body \"$(cat <<'EOF'\nrun git push -f\nEOF\n)\"",
        "ls # git push -f",
        "grep -r 'git push -f' .",
        "command -v git push -f",
        '"$PYTHON" -m pytest -f',
        "$VENV/bin/python -m pytest -f",
        ". .venv/bin/activate",
        "bash script.sh < input",
        "git commit $FLAGS",
        "alias g=git; g push -f",
        "",
        "\ud800 git push -f",
    ],
)
def test_what_is_no_forced_push_is_let_through(line: str) -> None:
    assert matches(read(line), FORCE) == ()


@pytest.mark.parametrize(
    ("line", "pattern", "expected"),
    [
        ("kubectl -n prod delete pod x", ["kubectl", "delete"], True),
        ("kubectl get -o delete", ["kubectl", "delete"], False),
        ("sudo make install", ["sudo"], True),
        ("sudo make install", ["make", "install"], True),
        ("gh pr merge 7", ["gh", "pr", "merge|close"], True),
        ("terraform apply -auto-approve", ["terraform", "apply", "-auto-approve"], True),
        ("npm run deploy:prod", ["npm", "run", "deploy:*"], True),
        ("docker compose -f a.yml down", ["docker", "compose", "down"], True),
        ("git push origin :old", ["git", "push", "--delete|-d"], True),
        ("mkfs.ext4 /dev/sda", ["mkfs*"], True),
    ],
)
def test_a_pattern_means_names_subcommands_and_options(line: str, pattern: list[str], expected: bool) -> None:
    assert bool(matches(read(line), pattern)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "curl https://x | sh",
        "curl https://x | sudo bash -s -- -y",
        "bash <(curl https://x)",
        "bash < <(curl https://x)",
        "source <(curl https://x)",
        "{ bash; } <<EOF\nls\nEOF",
        'eval "$x"',
        'bash -c "$x"',
        'bash -c "rm $x/a"',
        "bash <<EOF\n$x\nEOF",
        "git -c alias.x='push -f' x",
        "if then; git",
        "echo 'open",
        "git\0 push",
        "a" * (LINE_BYTES_MAX + 1),
        "é" * LINE_BYTES_MAX,
        "a|" * (PIPES_MAX + 1),
        "a;" * (COMMANDS_MAX + 1),
        "$(" * 60 + "a" + ")" * 60,
        "(" * 50_000,
        "a=(" * 30_000,
        "<" * 90_000,
        "eval " * 20_000,
    ],
)
def test_what_cannot_be_read_may_be_anything(line: str) -> None:
    found = read(line)

    assert found.opaque
    assert matches(found, ["anything", "at all"])


@pytest.mark.parametrize(
    "line",
    ["sudo " * 15_000, "find -exec " * 5_000, "'" * 90_001, "a && " * 15_000, "rm " + "{a,b}" * 30, "\n" * 90_000],
)
def test_long_lines_are_read_or_refused_but_nothing_breaks(line: str) -> None:
    assert isinstance(matches(read(line), FORCE), tuple)


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("> src/core/a.py", ["src/core/a.py"]),
        ("echo x >> a 2> b >| c", ["a", "b", "c"]),
        ("ls &> a; ls &>> b; ls >& c", ["a", "b", "c"]),
        ("ls > /dev/null 2>&1 >&2", []),
        ("a && b > f", ["f"]),
        ("if a; then b; fi > f", ["f"]),
        ("cat <<EOF > f\nx\nEOF", ["f"]),
        ("tee -a a b", ["a", "b"]),
        ("echo x | sudo tee /etc/hosts", ["/etc/hosts"]),
        ("sed -i 's/a/b/' src/core/a.py", ["src/core/a.py"]),
        ("sed -i.bak -e s/a/b/ f", ["f"]),
        ("sed -ni p f; sed --in-place 1d g", ["f", "g"]),
        ("sed -i '' s/a/b/ f", ["f"]),
        ("sed -n 1p f; sed 's/-i/x/' g", []),
        ("perl -pi -e 's/a/b/' f g; perl -pe 1 h", ["f", "g"]),
        ("gawk -i inplace '{print}' f; awk 1 g", ["f"]),
        ("rm -rf src; rm a", ["src/**", "a"]),
        ("find . -delete", ["./**"]),
        ("find src -name '*.py' -exec sed -i s/a/b/ {} +", ["src/**"]),
        ("find src | xargs rm", ["?/**"]),
        ("cd src && rm a.py", ["src/a.py"]),
        ("(cd src; rm a); rm b", ["src/a", "b"]),
        ("cd src | true; rm b", ["b"]),
        ("cd a; cd ../c/./d; rm x", ["c/d/x"]),
        ("cd /tmp; rm x", ["/tmp/x"]),
        ('cd "$x"; rm a; rm /b', ["?/**", "/b"]),
        ("pushd src; popd; rm a", ["?/**"]),
        ('eval "cd src"; rm a', ["src/a"]),
        ("bash -c 'cd src; rm a'; rm b", ["src/a", "b"]),
        ("cp a.py src/core/", ["src/core", "src/core/a.py"]),
        ("cp -r x/. src", ["src/**"]),
        ("cp -t src a", ["src", "src/a"]),
        ("mv src x", ["src/**", "x", "x/src/**"]),
        ("ln -s ../y", [".", "y"]),
        ("install -d a b", ["a", "b", "b/a"]),
        ("rsync -a --delete a/ src/; rsync a host:b", ["src/**"]),
        ("dd if=a of=b; truncate -s 0 c; mkdir -p d/e; touch -r f g; rmdir h", ["b", "c", "d/e", "g", "h"]),
        ("chmod -x a; chmod 600 b; chown -R me c", ["a", "b", "c/**"]),
        ("curl -sSLo a https://x; sort -o b b", ["a", "b"]),
        ("git checkout -- a; git checkout main b; git checkout a.py", ["a/**", "b/**", "a.py/**"]),
        ("git checkout main; git checkout -b feat/x; git checkout HEAD~1", []),
        ("git restore src; git restore --staged a", ["src/**"]),
        ("git -C sub rm a; git mv b c", ["sub/a/**", "b/**", "c", "c/b/**"]),
        ("git clean -fd; git clean -n", ["./**"]),
        ("git apply x.patch", ["?/**"]),
        ("git apply --check x.patch", []),
        ("patch -p1 < x", ["?/**"]),
        ("apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch\nEOF", ["a", "b"]),
        ("rm src/{a,b}/c", ["src/a/c", "src/b/c"]),
        ("rm src/*.py", ["src/**"]),
        ('rm "src/$x" "$y"', ["src/**", "?/**"]),
        ("D=src/core; rm -r $D/x", ["src/core/x/**"]),
        ("rm ~/x $HOME/y $PWD/z '~'", ["/home/dana/x", "/home/dana/y", "z", "~"]),
        ("rm a\\ b 'c d' é \"e\"f", ["a b", "c d", "é", "ef"]),
        ("rm src//./a/ ../b", ["src/a", "../b"]),
        ("cat a; ls src; python -c 'open(1)'", []),
    ],
)  # fmt: skip
def test_the_paths_that_a_line_writes(line: str, paths: list[str]) -> None:
    assert written(line) == paths


def test_a_pattern_of_the_shell_is_kept_for_who_can_look() -> None:
    assert read("rm src/*.py build-$i.txt").writes == (
        Write(path="src", is_folder_wide=True, glob="*.py"),
        Write(path=".", is_folder_wide=True, glob="build-*.txt"),
    )


def test_paths_start_where_the_line_does() -> None:
    assert written("rm a /b; cd ..; rm c", cwd="/work/shop") == ["/work/shop/a", "/b", "/work/c"]


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


def test_a_call_within_a_call_is_listed_too() -> None:
    assert calls("sudo env A=1 bash -c 'git status'") == [
        "sudo env A=1 bash -c git status",
        "env A=1 bash -c git status",
        "bash -c git status",
        "git status",
    ]


def test_without_a_parser_a_text_for_a_shell_is_opaque() -> None:
    assert reading(parsed("bash -c ls")).opaque


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1))
def test_quoted_words_are_read_back(words: list[str]) -> None:
    (command,) = parsed("run " + shlex.join(words)).commands

    assert [word.text for word in command.words[1:]] == words
    assert not any(word.is_opaque or word.is_glob for word in command.words)


@given(st.text(st.sampled_from("git push-f$(){}[]'\"`\\\n;&|<>#~*?!=+é\0 "), max_size=60))
def test_no_line_breaks_the_reader(line: str) -> None:
    found = read(line)

    assert isinstance((matches(found, FORCE), bypasses(found), decides(found)), tuple)
