"""`conflicts`: what this worktree would take back of what others have landed, what is open in other runs, and the word
of a person on it."""

import json
from collections.abc import Iterator

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json as list_as_json
from loomstack_mcp.cli.lists import limit
from loomstack_mcp.cli.people import deciding, open_to_all, person
from loomstack_mcp.core.changes.conflict_records import Conflict, ConflictState
from loomstack_mcp.core.changes.conflicts import conflict_advice, conflict_words
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.overviews import past_conflict_shown
from loomstack_mcp.core.phrases import Body, counted, lean
from loomstack_mcp.core.views import agreement_shown, conflict_shown
from loomstack_mcp.edge.clones import must_be_clone_of_meant
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.conflicts import ConflictResult

CONFLICT = 4
_OPEN_MAX = 100
_COLUMNS = ("conflict", "verdict", "kind", "state", "run", "commit", "with_run", "who", "paths", "how", "age")
_COLORS = {"stop": "red", "warn": "yellow", "clear": "green"}


@open_to_all
@click.group(invoke_without_command=True)
@click.option("--base", default="", help="What it would land on; default: the trunk.")
@click.option("--run", default="", help="As this run would land it; default: as a person.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def conflicts(ctx: click.Context, base: str, run: str, as_json: bool) -> int:
    """Check this worktree before it lands. Exit status: 0 clear or warn, 4 stop."""
    return 0 if ctx.invoked_subcommand else _checked(ctx.obj, base, run_id=run, as_json=as_json)


@open_to_all
@conflicts.command("list")
@click.option("--state", type=click.Choice(("open", "settled", "void")), help="Only these.")
@click.option("--before", default="", metavar="CONFLICT", help="Only those before this one, to read on.")
@limit
@list_as_json
@click.pass_obj
def list_conflicts(here: Here, state: ConflictState | None, before: str, limit: int, as_json: bool) -> None:
    """List what was found in the changes of runs, in whatever state, newest first."""
    with open_loom(here.settings) as loom:
        repo_id = loom.repos.id_of(here.checkout())
        found, now_ms = loom.conflicts.latest(repo_id, limit=limit, before=before, state=state)
    shown = [past_conflict_shown(one, now_ms=now_ms) for one in found]
    rows = shown if as_json else [{name: one.get(name) for name in _COLUMNS} for one in shown]
    output.print_rows(rows, as_json=as_json, empty="no conflict was found here")


@deciding
@conflicts.command()
@click.argument("conflict")
@click.option("--why", default="", help="What was agreed; both sides read it.")
@click.pass_obj
def settle(here: Here, conflict: str, why: str) -> None:
    """Agree, as a person, to exactly what CONFLICT takes back: it may land then. Nothing later is covered."""
    who = person()
    with open_loom(here.settings) as loom:
        found = loom.conflicts.settle(here.checkout(), conflict, who=who, why=why)
    where = output.harmless(few_listed(found.paths))
    click.echo(f"{found.id} is settled: {found.run_id} may take back {found.sha[:10]} in {where}")


def _checked(here: Here, base: str, *, run_id: str, as_json: bool) -> int:
    here.must_see_worktree()
    with here.repository(target=base) as repo, open_loom(here.settings) as loom:
        checkout = must_be_clone_of_meant(here, loom).checkout()
        landing = here.landing(repo, loom.ledger, checkout, target=base, progress=output.progress)
        found = loom.conflicts.check(checkout, landing.proposal(), run_id=run_id)
        others, _ = loom.conflicts.open(loom.repos.id_of(checkout), limit=_OPEN_MAX)
    if as_json:
        click.echo(json.dumps(_object(found, others), ensure_ascii=True))
    else:
        for line in _lines(found, others):
            click.echo(line)
    return CONFLICT if found.verdict == "stop" else 0


def _object(found: ConflictResult, others: tuple[Conflict, ...]) -> Body:
    agreed = {"agreed": [agreement_shown(one) for one in found.agreements]} if found.agreements else {}
    return {
        "verdict": found.verdict,
        "conflicts": [_shown(one, found) for one in found.conflicts],
        "checked": {"against": found.target, "changes": found.changes, "ms": found.ms, **_nothing(found)},
        **agreed,
        **({"repairs": list(found.repairs)} if found.repairs else {}),
        "unchecked": list(found.unchecked),
        "open": [{"of": one.run_id, **_shown(one, found)} for one in others],
    }


def _nothing(found: ConflictResult) -> Body:
    return {"nothing": found.nothing} if found.nothing else {}


def _shown(one: Conflict, found: ConflictResult) -> Body:
    return {**lean(conflict_shown(one, target=found.target, now_ms=found.now_ms)), "commit": one.sha}


def _lines(found: ConflictResult, others: tuple[Conflict, ...]) -> Iterator[str]:
    for one in found.conflicts:
        yield from _told(one, found, "This")
        yield ""
    for one in others:
        yield from _told(one, found, one.run_id)
        yield ""
    for agreement in found.agreements:
        told = f"{agreement.who} agreed ({agreement.by}): {agreement.text}"
        yield f"{click.style('OK', fg='green', bold=True):<4}    {agreement.sha[:10]} may go: {output.harmless(told)}"
    for repair in found.repairs:
        yield f"{click.style('OK', fg='green', bold=True):<4}    {output.harmless(repair)}"
    yield _answered(found)
    for gap in found.unchecked:
        yield click.style(f"Not checked: {output.harmless(gap)}.", fg="yellow")


def _answered(found: ConflictResult) -> str:
    """The answer; where nothing was compared none, unless a gap gives one."""
    verdict = f"{click.style(found.verdict, fg=_COLORS[found.verdict], bold=True)}: "
    if not found.nothing:
        return f"{verdict}compared with {counted(found.changes, 'change')} on {found.target} in {found.ms} ms."
    said = f"othing was compared: {found.nothing}."
    return f"N{said}" if found.verdict == "clear" else f"{verdict}n{said}"


def _told(one: Conflict, found: ConflictResult, subject: str) -> Iterator[str]:
    mark = click.style(f"{one.verdict.upper():<4}", fg=_COLORS[one.verdict], bold=True)
    yield f"{mark}  {subject} {output.harmless(conflict_words(one, now_ms=found.now_ms))}"
    if one.intent:
        yield f"      on purpose: {output.harmless(one.intent)}"
    yield f"      {output.harmless(one.evidence)}"
    yield f"      {output.harmless(conflict_advice(one, target=found.target))}"
