"""What a glance takes for a line that only reads, the parser and the built-in rules take for one, too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.parse.shell.script import parsed_line
from loomstack_mcp.core.shell.effects import shell_reading
from loomstack_mcp.core.shell.guarded import bypasses, decides
from loomstack_mcp.core.shell.plain import only_reads

WORDS = (
    *(
        "ls",
        "cat",
        "grep",
        "git",
        "status",
        "diff",
        "log",
        "show",
        "commit",
        "-n",
        "--no-verify",
        "--no-v",
        "-c",
        "echo",
    ),
    *(
        "--output=x",
        "-o",
        "x",
        "a/b.py",
        "'a b'",
        '"x y"',
        '"$X"',
        "`ls`",
        "$(ls)",
        ">",
        ">>",
        "2>&1",
        "<",
        "tee",
        "rm",
    ),
    *("|", "||", "&&", ";", "&", "\n", "#", "HUSKY=0", "A=1", "sh", "bash", "-lc", "sudo", "env", "xargs", "find", "!"),
    *("loomstack-mcp", "approve", "'git'", "g'i't", "{a,b}", "(", ")", "*", "~", "\\", "--ext-diff", "-O.", "head"),
    *("core.hooksPath=x", "'>'", '"\'"', "'\"'", "-", "--", "sort", "uniq", "cd", "..", "é"),
)


@pytest.mark.parametrize(
    "line",
    [
        *("ls -la src", "cat a.py b.py", "git status", "git log --oneline -5", "grep -rn 'def x(' src | head -20"),
        *("git diff HEAD~1 -- src/a.py", "pwd && ls", 'grep "a; b | c" x.py; wc -l x.py', "echo 'a > b'"),
    ],
)
def test_common_lines_that_only_read_are_told(line: str) -> None:
    assert only_reads(line)


@pytest.mark.parametrize(
    "line",
    [
        *("echo x > a", "cat a | tee b", "git commit -m x", "rm a", "sed -i s/a/b/ x", "python -c 'x'", "ls; rm a"),
        *(
            "git diff --output=a",
            "git -c core.hooksPath=x log",
            "HUSKY=0 git log",
            "cat $(ls)",
            "ls\nrm a",
            "cd x && ls",
        ),
        *(
            "git log --no-verify",
            "echo `rm a`",
            'echo "$(rm a)"',
            "ls & rm a",
            "find . -delete",
            "sort -o a b",
            "git diff '--'output=a",
            'git show --o"utput"=a',
            "git log -'o'a",
            "git diff --e'xt'-diff",
            "",
            " ",
        ),
    ],
)
def test_a_line_that_may_do_more_is_not(line: str) -> None:
    assert not only_reads(line)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.sampled_from((" ", "", "  ")))
@settings(max_examples=600, deadline=None, derandomize=True)
def test_what_only_reads_by_a_glance_does_so_by_the_parser(words: list[str], between: str) -> None:
    line = between.join(words)
    reading = shell_reading(parsed_line(line), cwd="/p", parse=parsed_line)

    quiet = not (reading.writes or reading.opaque or reading.is_cut or bypasses(reading) or decides(reading))
    assert quiet or not only_reads(line)
