"""`help`: every chapter on any terminal, whole, and from a wheel alone."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from loomstack_mcp.cli.help import chapter, rendered, topics
from tests.cli.test_cli import on_terminal
from tests.conftest import Run, environment
from tests.deadlines import seconds
from tests.processes import SCRIPT

ROOT = Path(__file__).parents[2]
TOPICS = list(topics())
CODE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WIDTH = 80


def indented(code: str) -> list[str]:
    return [f"    {line}" for line in code.rstrip().splitlines()]


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


@pytest.mark.parametrize("topic", TOPICS)
def test_a_chapter_fits_its_terminal_but_for_code(topic: str) -> None:
    code = {line for block in CODE.findall(chapter(topic)) for line in indented(block)}
    shown = rendered(chapter(topic), width=WIDTH).splitlines()

    assert code <= set(shown)
    assert [line for line in shown if len(line) > WIDTH and line not in code] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_what_nobody_copies_fits_a_terminal_too(topic: str) -> None:
    texts = re.findall(r"^```text\n(.*?)^```$", chapter(topic), re.MULTILINE | re.DOTALL)

    assert [line for text in texts for line in indented(text) if len(line) > WIDTH] == []


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("topic", TOPICS)
def test_no_word_of_a_chapter_is_lost_or_broken(topic: str, width: int) -> None:
    written = re.sub(r"\]\([^)]+\)", "", re.sub(r"^```\w*$", "", chapter(topic), flags=re.MULTILINE))

    assert words(written) - words(rendered(chapter(topic), width=width)) == Counter()


@pytest.mark.parametrize("topic", TOPICS)
def test_no_markup_is_left(topic: str) -> None:
    prose = re.sub(r"`[^`]*`", "", rendered(CODE.sub("", chapter(topic)), width=WIDTH))

    assert re.findall(r"\*\*|\]\(|^\|.*|^#.*|`", prose, re.MULTILINE) == []


def test_prose_lists_tables_and_links_are_plain_text() -> None:
    text = """\
# Title

Some **bold** words and [a chapter](other.md), then [other](other.md).

- one that is long enough
  for two lines
- two

| id | what `a \\| b` is | |
|---|---|---|
| `first_id` | a cell that is longer than its line | |
| `x` | short | y |

```sh
a very long command that stays as it is, whatever the terminal is like
```

After.
"""
    shown = """\
Title
=====

Some bold words and a chapter
(`loomstack-mcp help other`), then
`loomstack-mcp help other`.

- one that is long enough for two
  lines
- two

id          what `a | b` is
----------  -------------------  -
`first_id`  a cell that is
            longer than its
            line

`x`         short                y

    a very long command that stays as it is, whatever the terminal is like

After."""

    assert rendered(text, width=34) == shown


@pytest.mark.parametrize("topic", TOPICS)
def test_the_ids_of_a_table_stand_whole_at_the_left(topic: str) -> None:
    ids = re.findall(r"^\| (`\S+`) \|", chapter(topic), re.MULTILINE)
    shown = [line.split(" ")[0] for line in rendered(chapter(topic), width=WIDTH).splitlines()]

    assert [name for name in ids if name not in shown] == []


def test_the_list_of_chapters_has_a_line_for_each(loomstack: Run) -> None:
    shown = loomstack("help").stdout.splitlines()

    assert [line.split()[0] for line in shown if line.startswith("  ")] == TOPICS
    assert max(map(len, shown)) <= WIDTH


def test_a_pipe_gets_plain_text_as_wide_as_it_says(loomstack: Run) -> None:
    assert loomstack("help", "rules", COLUMNS="60").stdout == rendered(chapter("rules"), width=60) + "\n"
    assert loomstack("help", "rules").stdout == rendered(chapter("rules"), width=WIDTH) + "\n"


def test_a_terminal_gets_pages(tmp_path: Path) -> None:
    env = environment(tmp_path, PAGER="sed s/^/paged:/", TERM="xterm")
    status, shown = on_terminal([SCRIPT, "help", "errors"], cwd=tmp_path, env=env)

    assert status == 0
    assert "paged:Error codes and exit statuses" in shown


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("ruls", "did you mean rules?"),
        ("Rules", "did you mean rules?"),
        ("doctr", "did you mean doctor?"),
        ("nothing-like-it", "`loomstack-mcp help` lists the chapters"),
    ],
)
def test_a_topic_that_is_none_is_told_the_nearest(loomstack: Run, topic: str, told: str) -> None:
    done = loomstack("help", topic)

    assert (done.returncode, done.stdout) == (64, "")
    assert f"there is no chapter '{topic}'; {told}" in done.stderr


def test_a_command_is_answered_with_its_options(loomstack: Run) -> None:
    assert loomstack("help", "audit").stdout == loomstack("audit", "--help").stdout


def test_completion_offers_chapters(loomstack: Run) -> None:
    done = loomstack(_LOOMSTACK_MCP_COMPLETE="bash_complete", COMP_WORDS="loomstack-mcp help tr", COMP_CWORD="2")

    assert done.stdout.strip() == "plain,trace\nplain,troubleshooting"


def test_a_wheel_brings_the_chapters_along(tmp_path: Path) -> None:
    made, installed = tmp_path / "made", tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *alone, "--no-build-isolation", "-w", made, ROOT], check=True, timeout=seconds(120))
    subprocess.run(
        [*pip, "install", *alone, "--target", installed, *made.glob("*.whl")], check=True, timeout=seconds(120)
    )
    command = [sys.executable, "-c", "import sys, loomstack_mcp.cli.help as h; sys.stdout.write(h.__file__)"]
    env = environment(tmp_path, PYTHONPATH=os.fspath(installed))
    found = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    listed = subprocess.run(
        [sys.executable, "-m", "loomstack_mcp", "help", "rules"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert Path(found).is_relative_to(installed)
    assert sorted(path.stem for path in (installed / "loomstack_mcp" / "help").glob("*.md")) == TOPICS
    assert listed == rendered(chapter("rules"), width=WIDTH) + "\n"
