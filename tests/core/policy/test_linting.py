"""Rules that cannot fire, cannot be satisfied or match nothing, each by what makes them so; and sound ones."""

from dataclasses import replace
from typing import Any

import pytest

from loomstack_mcp.core.policy.linting import idle_patterns, linted
from loomstack_mcp.core.policy.rules import (
    Boundaries,
    Checks,
    Content,
    Evidence,
    Freeze,
    Limits,
    Rule,
    Rulebook,
    When,
    Where,
    Who,
    Window,
)

NOW_MS = 1_800_000_000_000
OVER = Freeze(name="year-end", start="2020-12-18T18:00", end="2021-01-04T08:00", tz="Europe/Berlin")
TO_COME = replace(OVER, start="2090-12-18T18:00", end="2091-01-04T08:00")
WINDOW = Window(start_minute=0, end_minute=60, tz="UTC")


def rule(*on: str, **parts: Any) -> Rule:
    return Rule(id="r", why="a good reason", effect="deny", on=on, **parts)  # type: ignore[arg-type]  # the tests spell them right


def findings(one: Rule) -> list[str]:
    return [found.text for found in linted(Rulebook(rules=(one,)), now_ms=NOW_MS)]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (rule("deploy", check=Checks(content=Content(secrets=True))), "on none of commit, push and land"),
        (rule("deploy", where=Where(paths=("/a",))), "it never applies"),
        (rule("tool", where=Where(paths=("/a",))), "it never applies"),
        (rule("edit", where=Where(paths=("/src/core/**",), excepted=("/src",))), "excepts all that it names"),
        (rule("edit", where=Where(paths=("*.py", "/a"), excepted=("/**",))), "excepts all that it names"),
        (rule("edit", where=Where(paths=("/{a,b}/x/*",), excepted=("/a", "/b/x"))), "excepts all that it names"),
        (rule("push", where=Where(branch=("refs/heads/main",))), "short names"),
        (rule("land", when=When(freezes=(OVER,))), "year-end alone, which is over"),
        (rule("edit", check=Checks(commands=(("git push", "-f"),))), "not on command"),
        (rule("command", check=Checks(commands=(("git push", "-f"),))), "write each word by itself"),
        (rule("deploy", check=Checks(confine=("/a/**",))), "touches none"),
        (rule("tool", check=Checks(claims="held")), "touches none"),
        (rule("edit", check=Checks(limits=Limits(files_max=3))), "limits the size of a change"),
        (rule("land", check=Checks(limits=Limits(cost_usd_max=-1.0))), "less than nothing"),
        (rule("deploy", check=Checks(evidence=(Evidence(kind="tests"),))), "evidence about a commit on deploy"),
        (rule("edit", "land", check=Checks(evidence=(Evidence(kind="tests"),))), "evidence about a commit on edit"),
        (rule("land", check=Checks(evidence=(Evidence(kind="tests", max_age_hours=0),))), "no hour old"),
        (rule("push", check=Checks(intents="no_undo")), "known of what lands alone"),
        (rule("land", who=Who(kind=("human",), loop=("triage",))), "which are none"),
        (rule("edit", "command", who=Who(kind=("human", "ci"))), "only agents are asked"),
    ],
)
def test_a_rule_that_means_nothing_is_found(one: Rule, said: str) -> None:
    assert any(said in found for found in findings(one))


@pytest.mark.parametrize(
    "one",
    [
        rule("edit", "land", where=Where(paths=("/src/**",), excepted=("/src/gen/**", "*.md"))),
        rule("edit", where=Where(paths=("*.py", "/a/**"), excepted=("/a",))),
        rule("land", "deploy", check=Checks(content=Content(secrets=True))),
        rule("push", where=Where(branch=("main", "release/*"))),
        rule("land", when=When(freezes=(OVER, TO_COME))),
        rule("land", when=When(freezes=(OVER,), windows=(WINDOW,))),
        rule("command", check=Checks(commands=(("git", "commit", "-m", "fix it"),))),
        rule("edit", check=Checks(limits=Limits(rework_max=0))),
        rule("land", check=Checks(limits=Limits(files_max=0), evidence=(Evidence(kind="tests", max_age_hours=1),))),
        rule("land", check=Checks(intents="no_undo", boundaries=Boundaries(independent=("/a/**", "/b/**")))),
        rule("edit", "land", who=Who(kind=("loop", "human"), loop=("triage",))),
        rule("push", who=Who(kind=("human",))),
    ],
)
def test_a_rule_that_means_something_is_not(one: Rule) -> None:
    assert findings(one) == []


def test_a_rule_of_the_repository_that_names_no_file_of_the_trunk_is_hinted_at() -> None:
    files = ["src/a.py", "app/[id]/page.tsx"]
    idle = rule("edit", where=Where(paths=("/srv/**", "*.go")))
    layers = [replace(idle, layer=layer) for layer in ("repo", "org", "builtin")]
    live = rule("edit", where=Where(paths=("/srv/**", "/SRC/**")))

    [told] = idle_patterns(Rulebook(rules=(*layers, live)), files)

    assert told.text == "r: no file of the trunk is at /srv/**, *.go: it applies to none yet"


def test_an_exception_that_misses_the_folder_it_names_is_hinted_at() -> None:
    where = Where(paths=("/app/**",), excepted=("/app/[id]/**", r"/app/\[id\]/*.md", "/app/[a-z]/**"))

    told = idle_patterns(Rulebook(rules=(rule("edit", where=where),)), ["app/[id]/page.tsx", "app/x/y"])

    assert [one.text for one in told] == [
        "r: /app/[id]/** is read as letters here and covers no file; for the name write \\[ before the bracket"
    ]
