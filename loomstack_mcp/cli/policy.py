"""`policy`: the rules for people: do they load, what do they say, what would they have stopped."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy import files as policyfiles
from loomstack_mcp.cli import output
from loomstack_mcp.core.errors import NotFound, PolicyError
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.policy import windows
from loomstack_mcp.core.policy.linting import linted
from loomstack_mcp.core.policy.rules import Rule, Rulebook
from loomstack_mcp.edge.here import Here

_CASE_BYTES_MAX = 5_000_000
_FIRST_SHOWN = 3


@click.group()
def policy() -> None:
    """Rules that hold before a change lands: `policies/*.yaml`, over the organisation's and the built-in ones."""


@policy.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def check(here: Here, as_json: bool) -> None:
    """Load the rules of this worktree, and say what is wrong with them."""
    book = _rulebook(here)
    if as_json:
        click.echo(json.dumps({"rules": len(book.rules), "waivers": len(book.waivers), "policy": book.hash}))
    else:
        click.echo(f"{len(book.rules)} rules and {len(book.waivers)} waivers load; {book.hash[:19]}…")


@policy.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def test(here: Here, files: tuple[Path, ...], as_json: bool) -> int:
    """Play the cases of these files, or of policies/tests/*.yaml; exit 1 where one comes out otherwise."""
    from loomstack_mcp.adapters.policy.cases import played  # git, parsers and a scratch repository

    files = files or tuple(sorted((here.root / "policies" / "tests").glob("*.yaml")))
    if not files:
        raise NotFound("there is no policies/tests/*.yaml here; name a file of cases")
    suites = [({**_beside(file), **(suite.get("policies") or {})}, suite["cases"]) for file, suite in _suites(files)]
    found = [played(case, policies) for policies, cases in suites for case in cases]
    failed = [one for one in found if one.wrong]
    if as_json:
        shown = [{"id": one.id, "title": one.title, "wrong": one.wrong, "decision": one.decision} for one in found]
        click.echo(json.dumps(shown, ensure_ascii=True))
    else:
        for one in failed:
            click.echo(f"{click.style('✘', fg='red')} {one.id} {output.harmless(one.title)}")
            for difference in one.wrong:
                click.echo(f"    {output.harmless(difference)}")
        click.echo(f"{len(found) - len(failed)} of {len(found)} cases came out as expected.")
    return 1 if failed else 0


@policy.command()
@click.argument("rule")
@click.pass_obj
def explain(here: Here, rule: str) -> None:
    """Say what one rule asks, of whom, where and when."""
    book = _rulebook(here)
    found = next((one for one in book.rules if one.id == rule), None)
    if found is None:
        raise NotFound(f"there is no rule {rule}; known are {', '.join(one.id for one in book.rules)}")
    for line in _explained(found):
        click.echo(output.harmless(line))


@policy.command()
@click.pass_obj
def lint(here: Here) -> int:
    """Find rules that can never apply or that nobody can satisfy, and waivers that do nothing; exit 1 with any."""
    found = linted(_rulebook(here), now_ms=round(time.time() * SECOND_MS))
    for problem in found:
        click.echo(f"{problem.path}: {output.harmless(problem.text)}")
    click.echo(f"{len(found)} findings." if found else "Nothing to mend.")
    return 1 if found else 0


@policy.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    from loomstack_mcp.adapters.policy.load import file_schema  # pydantic

    click.echo(json.dumps(file_schema(), indent=2))


@policy.command()
@click.option("--last", default=500, show_default=True, type=click.IntRange(1, 100_000), help="Commits of the trunk.")
@click.option("--rule", default="", help="This rule alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def replay(here: Here, last: int, rule: str, as_json: bool) -> None:
    """Say what the rules of this worktree would have stopped in this history, had they held when it landed."""
    from loomstack_mcp.adapters.policy.replay import replayed  # git, and parsers

    book = _rulebook(here)
    if rule:
        book = replace(book, rules=tuple(one for one in book.rules if one.id == rule))
        if not book.rules:
            raise NotFound(f"there is no rule {rule}")
    with here.repository() as repo:
        found = replayed(repo, book, last=last, progress=output.progress)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=True))
        return
    counts: Counter[str] = Counter(one["rule"] for stopped in found["stopped"] for one in stopped["reasons"])
    for name, count in counts.most_common():
        click.echo(click.style(f"{count:>5} × {name}", bold=True))
        firsts = [one for one in found["stopped"] if any(reason["rule"] == name for reason in one["reasons"])]
        for one in firsts[:_FIRST_SHOWN]:
            click.echo(f"        {one['commit'][:10]} {output.harmless(one['title'])[:80]}")
    click.echo(
        f"{len(found['stopped'])} of {found['commits']} commits would have been stopped, in {found['seconds']:.1f} s."
    )
    if found["skipped"]:
        click.echo(f"Not replayed, for want of the facts of that time: {', '.join(found['skipped'])}.")


def _rulebook(here: Here) -> Rulebook:
    with Repository(here.place) as repo:  # which may be without a commit
        return policyfiles.rulebook(repo, here.settings.home, worktree=True)


def _suites(files: tuple[Path, ...]) -> Iterator[tuple[Path, dict[str, Any]]]:
    yield from ((file, _suite(file)) for file in files)


def _beside(file: Path) -> dict[str, str]:
    """The policy files that a folder `tests/` stands beside, by stem; what a case file says itself goes before."""
    folder = file.resolve().parent
    try:
        return {one.stem: one.read_text("utf-8") for one in folder.parent.glob("*.yaml") if folder.name == "tests"}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{folder.parent}:1: a policy file there cannot be read: {error}") from None


def _suite(path: Path) -> dict[str, Any]:
    import yaml  # 25 ms

    if path.stat().st_size > _CASE_BYTES_MAX:
        raise PolicyError(f"{path}:1: has more than {_CASE_BYTES_MAX} bytes")
    try:
        suite = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(f"{path}:{mark.line + 1 if mark else 1}: is no YAML") from None
    if not isinstance(suite, dict) or not isinstance(suite.get("cases"), list) or suite.get("format") != 1:
        raise PolicyError(f"{path}:1: is no file of cases; it starts with `format: 1` and lists `cases`")
    if not all(isinstance(one, dict) and "id" in one for one in suite["cases"]):
        raise PolicyError(f"{path}:1: each of `cases` is a mapping with an `id`")
    if not isinstance(suite.get("policies", {}), dict | None):
        raise PolicyError(f"{path}:1: `policies` maps a name to the text of a policy file")
    return suite


def _explained(rule: Rule) -> Iterator[str]:
    yield f"{rule.id} ({rule.place}): {rule.effect}{' (audit only)' if rule.mode == 'audit' else ''}"
    yield f"  why    {rule.why}"
    yield f"  on     {', '.join(rule.on)}"
    for name, part in (("who", rule.who), ("where", rule.where)):
        told = [f"{key} {', '.join(value)}" for key, value in vars(part).items() if value]
        if told:
            yield f"  {name:<6} {'; '.join(told)}"
    times = [*map(windows.spelled, rule.when.windows), *map(windows.spelled_freeze, rule.when.freezes)]
    if times:
        yield f"  when   {'; '.join(times)}"
    if rule.check:
        yield f"  check  {'; '.join(f'{key} {value}' for key, value in vars(rule.check).items() if value)}"
    if rule.approve:
        yield f"  asks   {rule.approve.count} of {', '.join(rule.approve.by)}"
    if rule.waivable_by:
        yield f"  waived by {', '.join(rule.waivable_by)}, for {rule.waiver_days_max} days at most"
    if rule.fix:
        yield f"  fix    {rule.fix}"
