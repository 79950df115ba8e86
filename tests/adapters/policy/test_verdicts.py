"""Whatever else a command or a list of paths holds, what is denied without it is denied with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.policy import early, lines
from loomstack_mcp.adapters.policy.cache import builtin
from loomstack_mcp.adapters.policy.load import loaded
from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.rules import Checks, Rule, Rulebook, Where
from loomstack_mcp.core.policy.situation import Actor, ClaimFacts, Situation
from loomstack_mcp.core.shell.effects import COMMANDS_MAX

LOOP = Actor(kind="loop", loop="triage", developer="ana", agent="a1", roles=("developer",))
CLAIMS = ClaimFacts(others=(("docs/held.md", "bea", "mine"),))


def denying(name: str, *, paths: tuple[str, ...] = (), excepted: tuple[str, ...] = (), **checks: object) -> Rule:
    check = Checks(**checks) if checks else None  # type: ignore[arg-type]  # a few of its fields, by name
    on = ("command",) if "commands" in checks else ("edit",)
    where = Where(paths=paths, excepted=excepted)
    return Rule(id=name, why="a good reason", effect="deny", on=on, where=where, check=check)  # type: ignore[arg-type]


RULES = (
    *loaded(builtin()).rules,
    denying("core", paths=("/src/core/**",)),
    denying("forced", commands=(("git", "push", "--force|-f"),)),
    denying("held", claims="not_held_by_other"),
    denying("confined", paths=("/src/**",), confine=("/src/app/**",)),
    denying("docs-only", excepted=("/docs/**",)),
    denying("locks", paths=("*.lock",)),
)
DENIED = [
    "git push --force",
    "git commit --no-verify -m x",
    "loomstack-mcp approve apr_1",
    "rm -rf src",
    "rm src/core/a.py",
    "echo x > docs/held.md",
    "sed -i s/a/b/ src/x.py",
    "touch uv.lock",
    "cd src && rm -r core",
    "echo x > /etc/x",
    "python -c 'x' >> src/core/b.py",
]
REDIRECTS = [
    "> /",
    '> ""',
    '> "$LOG"',
    "> ~",
    "> ~nobody/x",
    "> ../../x",
    ">&3",
    "2>&1",
    "&> x",
    ">| x",
    "> .",
    "> {a,b}",
]
REDIRECTS += [
    "> //x",
    "> .git/config",
    '> "a\tb"',
    "> $'\\x00'",
    "> $'\\xff'",
    '> "\0"',
    "> \x85",
    "> \u2028",
    '> "\udc80"',
]
REDIRECTS += ['> "\ud800"', "<<E\nx\nE\n", "<<'E'\nx\nE\n", "< <(cat x)", "> >(tee y)", "> $(x)", "<<< x"]
REDIRECTS += ["> " + "a" * 70_000, "> " + "../" * 300, "> a/" + "b/" * 2_000, "> " + "{a,b}" * 30, "> x " * 1_001]
COMMANDS = [
    "; rm -rf /",
    "; cd / ; > x",
    '; cd "$D"; > x',
    '; mv x ""',
    "; dd of=",
    "; > [",
    '; eval "$X"',
    "&& :",
    "|| :",
]
COMMANDS += [
    "| tee /",
    "| cat",
    "| cat" * 1_200,
    "; :" * (COMMANDS_MAX + 1),
    "; bash -c 'rm \"$X\"'",
    "; x() { :; }",
    "; \0",
    "\r",
    "\n",
]
COMMANDS += ["# x", "# " + "x" * 200_000, "; " + "$(" * 60 + ")" * 60, "; \U0001f389{\U0007a6f0p"]
UNFINISHED = ["; (", "; {", "; }", " )", "; fi", "; done", "; esac", "'", '"', "`", "$(", "${", "\\", "<<", "[["]
FRAGMENTS = REDIRECTS + COMMANDS + UNFINISHED


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Not below the system's temporary folder, which is nobody's business: what counts lies inside the root.
    found = tmp_path_factory.mktemp("shop")
    for name in ("src/core/a.py", "src/x.py", "docs/held.md"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text("x\n")
    return found


def fired(situation: Situation) -> frozenset[str]:
    found = decide(Rulebook(rules=RULES), replace(situation, actor=LOOP, claims=CLAIMS))
    return frozenset(found.fired)


def fired_by(root: Path, line: str) -> frozenset[str]:
    return fired(lines.command(root, root, line, point="mcp"))


def test_each_of_the_commands_is_denied_by_itself(root: Path) -> None:
    assert [line for line in DENIED if not fired_by(root, line)] == []


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda text: repr(text)[:20])
def test_what_is_added_to_a_command_hides_nothing(root: Path, fragment: str) -> None:
    hidden = {line: fired_by(root, line) - fired_by(root, f"{line} {fragment}") for line in DENIED}

    assert {line: rules for line, rules in hidden.items() if rules} == {}


@given(st.sampled_from(DENIED), st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), max_size=4))
@settings(max_examples=120, deadline=None)
def test_a_command_has_a_verdict_whatever_is_added(root: Path, line: str, fragments: list[str]) -> None:
    """One that is never weaker, where the addition cannot become part of a word or an operand of the command."""
    added = f"{line} ; {' '.join(fragments)}"

    assert fired_by(root, line) <= fired_by(root, added)


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_has_a_verdict(root: Path, line: str) -> None:
    assert isinstance(fired_by(root, line), frozenset)


@pytest.mark.parametrize("line", ["\0", "rm -rf src; \0", ": " + "x" * 200_000, ": | :" * 1_200, ": ; " * 6_000])
def test_a_line_that_is_not_read_whole_may_do_anything(root: Path, line: str) -> None:
    assert fired_by(root, line) == {rule.id for rule in RULES}


@pytest.mark.parametrize("folder", ["docs", "src/core"])
def test_what_may_be_written_anywhere_may_be_outside_of_the_folder_where_the_line_stands(
    root: Path, folder: str
) -> None:
    found = lines.command(root, root / folder, 'rm "$X"', point="mcp")

    assert "core" in fired(found)


PATHS = ["", " ", "\0", "a\0/b", "~", "~nobody/x", "/", "..", "../..", "a" * 300, "a" * 70_000, "a/" * 2_000, "\n", "["]
PATHS += [
    "{",
    ".git",
    "C:\\x",
    "src/x.py/y",
    "a\x01",
    "\\",
    "*\0",
    "{a,b}" * 40,
    "**/" * 300,
    "\udc80",
    "\u2028",
    "é" * 150,
]


def below(root: Path) -> Iterator[Situation]:
    yield early.edit(root, root, [*PATHS, "src/core/a.py"], point="mcp")
    for path in PATHS:
        yield early.edit(root, root, [path, "src/core/a.py"], point="mcp")
        yield early.edit(root, root, ["src/core/a.py", path], point="mcp")
        yield early.edit(root, root, ["src/core/a.py"], wide=[path], point="mcp")


def test_no_path_hides_what_the_others_are_denied_for(root: Path) -> None:
    assert [one.touched for one in below(root) if "core" not in fired(one)] == []


@pytest.mark.parametrize(
    "line",
    ["rm -rf {}", "rm -rf {}/", "mv {} /srv", "rm -rf {}/*", "cd / && rm -rf {}", "find {} -delete", 'rm -rf {}/"$X"'],
)
def test_who_takes_the_folder_around_the_repository_away_takes_the_repository(root: Path, line: str) -> None:
    around = [str(root.parent), "..", str(root.parent.parent)]

    assert [name for name in around if "core" not in fired_by(root, line.format(name))] == []


def test_who_writes_a_file_beside_the_repository_touches_nothing_of_it(root: Path) -> None:
    assert "core" not in fired_by(root, "cp src/x.py ..") | fired_by(root, 'rm -rf ../x-"$X"') | fired_by(
        root, "ls > ../x"
    )


@pytest.mark.parametrize("line", ["cp docs/x.md .", "mv docs/x.md .", "cp -t src docs/x.md", "ln -s ../docs/x.md src"])
def test_who_copies_a_file_into_a_folder_touches_nothing_else_in_it(root: Path, line: str) -> None:
    assert "core" not in fired_by(root, line)


@pytest.mark.parametrize(
    "line", ["cp -r x/. src", "mv -T x src", "ln -sfn x src", "cp x.py src/core", "rsync -a x/ src"]
)
def test_what_may_take_the_place_of_a_folder_or_mix_with_it_touches_all_of_it(root: Path, line: str) -> None:
    assert "core" in fired_by(root, line)
