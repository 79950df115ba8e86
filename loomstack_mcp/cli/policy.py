"""`policy`: the rules for people: do they load, what do they say, what would they have stopped."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loomstack_mcp.adapters.git.blobs import tree_of
from loomstack_mcp.adapters.policy import files as policyfiles
from loomstack_mcp.adapters.settings import REPO_FILE, repo_file_problems
from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.rule_text import rule_lines
from loomstack_mcp.core.errors import NotFound, PolicyError
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.approver_findings import unknown_approvers, unsaid_approvers
from loomstack_mcp.core.policy.linting import idle_patterns, linted
from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.org_rules import look_at_org_rules

if TYPE_CHECKING:
    from loomstack_mcp.adapters.policy.cases import Played

_FIRST_SHOWN = 3


@click.group()
def policy() -> None:
    """Rules that hold before a change lands: `policies/*.yaml`, over the organisation's and the built-in ones."""


@open_to_all
@policy.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def check(here: Here, as_json: bool) -> int:
    """Load the rules and settings of this worktree, and say what is wrong; exit 1 with any finding that is no hint."""
    book = _rulebook(here)
    if problems := repo_file_problems(_settings_text(here.root / REPO_FILE)):
        raise PolicyError("\n".join(problems))
    found, hints = _findings(here, book), _hints(here, book)
    if as_json:
        counts = {"rules": len(book.rules), "waivers": len(book.waivers), "policy": book.hash}
        shown = [
            {"at": one.path, "text": one.text, "hint": is_hint}
            for some, is_hint in ((found, False), (hints, True))
            for one in some
        ]
        click.echo(json.dumps({**counts, "findings": shown}))
        return 1 if found else 0
    loaded = f"{counted(len(book.rules), 'rule')} and {counted(len(book.waivers), 'waiver')} load"
    click.echo(f"{loaded}; {book.hash[:19]}…")
    for problem in found:
        click.echo(_finding_line(problem))
    for problem in hints:
        click.echo(f"hint: {_finding_line(problem)}")
    return 1 if found else 0


@open_to_all
@policy.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def test(here: Here, files: tuple[Path, ...], as_json: bool) -> int:
    """Play the cases of these files, or of policies/tests/*.yaml; exit 1 where one comes out otherwise."""
    from loomstack_mcp.adapters.policy.cases import played  # git, parsers and a scratch repository
    from loomstack_mcp.adapters.policy.suites import suite_of

    files = files or tuple(sorted((here.root / "policies" / "tests").glob("*.yaml")))
    if not files:
        raise NotFound("there is no policies/tests/*.yaml here; name a file of cases")
    suites = [suite_of(file) for file in files]
    found = [played(case, suite.policies) for suite in suites for case in suite.cases]
    if as_json:
        shown = [{"id": one.id, "title": one.title, "wrong": one.wrong, "decision": one.decision} for one in found]
        click.echo(json.dumps(shown, ensure_ascii=True))
    else:
        click.echo("\n".join(_case_lines(found)))
    return 1 if any(one.wrong for one in found) else 0


@open_to_all
@policy.command()
@click.argument("rule")
@click.pass_obj
def explain(here: Here, rule: str) -> None:
    """Say what one rule asks, of whom, where and when."""
    book = _rulebook(here)
    found = next((one for one in book.rules if one.id == rule), None)
    if found is None:
        raise NotFound(f"there is no rule {rule}; known are {', '.join(one.id for one in book.rules)}")
    for line in rule_lines(found):
        click.echo(output.harmless(line))


@open_to_all
@policy.command()
@click.pass_obj
def lint(here: Here) -> int:
    """Find rules that can never apply or that nobody can satisfy, and waivers that do nothing; exit 1 with any."""
    found = _findings(here, _rulebook(here))
    for problem in found:
        click.echo(_finding_line(problem))
    click.echo(f"{counted(len(found), 'finding')}." if found else "Nothing to mend.")
    return 1 if found else 0


@open_to_all
@policy.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    from loomstack_mcp.adapters.policy.load import file_schema  # pydantic

    click.echo(json.dumps(file_schema(), indent=2))


@open_to_all
@policy.command()
@click.option("--last", default=500, show_default=True, type=click.IntRange(1, 100_000), help="Commits of the trunk.")
@click.option("--rule", default="", help="This rule alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def replay(here: Here, last: int, rule: str, as_json: bool) -> None:
    """Say what the rules of this worktree would have stopped in this history, had they held when it landed."""
    from loomstack_mcp.adapters.policy.replay import replayed  # git, and parsers

    book = _only(_rulebook(here), rule)
    with here.repository() as repo:
        found = replayed(repo, book, last=last, progress=output.progress)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=True))
        return
    for line in _stopped_lines(found["stopped"]):
        click.echo(line)
    click.echo(
        f"{len(found['stopped'])} of {counted(found['commits'], 'commit')} would have been stopped, "
        f"in {found['seconds']:.1f} s."
    )
    if found["skipped"]:
        click.echo(f"Not replayed, for want of the facts of that time: {', '.join(found['skipped'])}.")


def _rulebook(here: Here) -> Rulebook:
    """The rules of the worktree. Raises Invalid where none is seen: in a bare repository there are no files of it."""
    here.must_see_worktree()
    if aged := look_at_org_rules(here.own_settings):
        click.echo(f"Note: {output.harmless(aged)}.", err=True)
    with here.any_repository() as repo:
        return policyfiles.rulebook(repo, here.own_settings.rules_home, worktree=True)


def _settings_text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _findings(here: Here, book: Rulebook) -> tuple[Violation, ...]:
    """What is wrong with rules that load, and files of rules that nobody reads."""
    unread = (
        *policyfiles.unread_files(here.root),
        *(policyfiles.unread_files(Path(here.own_settings.rules_home), shown="org") if here.own_settings.home else ()),
    )
    not_read = "is not read: rules stand in policies/ itself, in files that end with .yaml or .yml"
    return (
        *linted(book, now_ms=round(time.time() * SECOND_MS)),
        *unknown_approvers(book),
        *(Violation(text=not_read, path=f"{path}:1") for path in unread),
    )


def _hints(here: Here, book: Rulebook) -> tuple[Violation, ...]:
    with here.any_repository() as repo:
        commit = repo.commit(repo.trunk or "HEAD")
        idle = idle_patterns(book, tree_of(repo, commit).entries) if commit else ()
        return (*idle, *unsaid_approvers(book))


def _finding_line(problem: Violation) -> str:
    return f"{output.harmless(problem.path)}: {output.harmless(problem.text)}"


def _only(book: Rulebook, rule: str) -> Rulebook:
    """The rulebook with that rule alone; with "" as it is."""
    rules = tuple(one for one in book.rules if rule in ("", one.id))
    if rule and not rules:
        raise NotFound(f"there is no rule {rule}")
    return replace(book, rules=rules)


def _case_lines(found: "Sequence[Played]") -> Iterator[str]:
    failed = [one for one in found if one.wrong]
    for one in failed:
        yield f"{click.style('✘', fg='red')} {one.id} {output.harmless(one.title)}"
        yield from (f"    {output.harmless(difference)}" for difference in one.wrong)
    yield f"{len(found) - len(failed)} of {counted(len(found), 'case')} came out as expected."


def _stopped_lines(stopped: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each rule with how often it would have fired, and the first commits that it would have fired for."""
    by_rule: dict[str, list[str]] = defaultdict(list)
    for one in stopped:
        shown = f"{one['commit'][:10]} {output.harmless(one['title'])[:80]}"
        for reason in one["reasons"]:
            by_rule[reason["rule"]].append(shown)
    for name, commits in sorted(by_rule.items(), key=lambda item: -len(item[1])):
        yield click.style(f"{len(commits):>5} × {name}", bold=True)
        yield from (f"        {commit}" for commit in list(dict.fromkeys(commits))[:_FIRST_SHOWN])
