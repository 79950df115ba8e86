"""`inbox`, `approve`, `deny`: what waits for people in this repository, and their answers."""

from collections.abc import Iterator, Sequence

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json, limit
from loomstack_mcp.cli.people import deciding, open_to_all, person
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import APPROVAL_USE_MS
from loomstack_mcp.core.phrases import Body, age
from loomstack_mcp.core.policy.approvals import Approval, ApprovalVerdict, missing
from loomstack_mcp.core.waiting import question_shown, stop_shown
from loomstack_mcp.edge.approver import approver_here
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

why = click.option("--why", default="", help="Who asked reads it.")
dry_run = click.option("--dry-run", is_flag=True, help="Only show what it is.")


@open_to_all
@click.command()
@limit
@as_json
@click.pass_obj
def inbox(here: Here, limit: int, as_json: bool) -> None:
    """List what waits for a person here: questions of the rules, and landings that a conflict stops."""
    with open_loom(here.settings) as loom:
        repo_id = loom.repos.id_of(here.checkout())
        waiting, now_ms = loom.approvals.waiting(repo_id, limit=limit)
        stops, _ = loom.conflicts.open(repo_id, limit=limit, verdict="stop")
    shown = [
        *(question_shown(one, now_ms=now_ms) for one in waiting),
        *(stop_shown(one, now_ms=now_ms) for one in stops),
    ]
    _print(shown[:limit], as_json=as_json)


@deciding
@click.command()
@click.argument("id", metavar="ID")
@why
@dry_run
@click.pass_obj
def approve(here: Here, id: str, why: str, dry_run: bool) -> None:  # noqa: A002 it is called so
    """Let exactly the action of ID happen, once and soon. What it is, is shown first."""
    _answer(here, id, "granted", why=why, dry_run=dry_run)


@deciding
@click.command()
@click.argument("id", metavar="ID")
@why
@dry_run
@click.pass_obj
def deny(here: Here, id: str, why: str, dry_run: bool) -> None:  # noqa: A002 it is called so
    """Say no to the question ID."""
    _answer(here, id, "denied", why=why, dry_run=dry_run)


def approval_lines(approval: Approval, /, *, now_ms: int) -> Iterator[str]:
    """What exactly is approved, who asks, and which rules want it; harmless to a terminal."""
    asked = f"{'/'.join(approval.actions)}, asked {age(now_ms - approval.asked_at_ms)} ago by {approval.who}"
    run = f" ({approval.run_id})" if approval.run_id else ""
    yield f"{click.style(approval.id, bold=True)}  {output.harmless(asked)}{run}"
    if approval.head:
        yield f"  of {approval.head[:12]}"
    yield from (f"    {output.harmless(line)}" for line in approval.shown)
    for rule in approval.rules:
        number = f"{rule.count} of " if rule.count > 1 else ""
        other = ", who did not make it" if rule.not_maker else ""
        place = f" ({rule.at})" if rule.at else ""
        yield output.harmless(f"  {rule.rule}{place} asks {number}{' or '.join(rule.by)}{other}:")
        yield f"    {output.harmless(rule.why)}"
    yield from (f"  {output.harmless(one.text)}" for one in approval.answers)


def _answer(here: Here, approval_id: str, verdict: ApprovalVerdict, *, why: str, dry_run: bool) -> None:
    account = person()
    with open_loom(here.settings) as loom:
        asked, now_ms = loom.approvals.approval(approval_id)
        if here.flags.get("repo") or loom.repos.id_of(here.checkout()) != asked.repo_id:
            raise Invalid(f"{asked.id} is of {asked.repo_id}: go to a clone of it, whose trunk says who you are")
        for line in approval_lines(asked, now_ms=now_ms):
            click.echo(line)
        if dry_run:
            return
        answered = loom.approvals.answer(asked.id, approver_here(here, loom, account), verdict, why=why)
    click.echo(_became(answered))


def _became(answered: Approval) -> str:
    who = output.harmless(answered.answers[-1].who)
    if answered.state == "denied":
        return f"Denied by {who}."
    if answered.state == "granted":
        return f"Granted by {who}: it may happen within {age(APPROVAL_USE_MS)}, once."
    left = ", ".join(f"{number} more for {rule}" for rule, number in missing(answered).items())
    return f"{who} approves. Still wanted, each from an account of their own: {output.harmless(left)}."


def _print(shown: Sequence[Body], *, as_json: bool) -> None:
    """What is to be typed next stands below the table, for which it is too wide."""
    rows = shown if as_json else [{name: one[name] for name in one if name != "next"} for one in shown]
    output.print_rows(rows, as_json=as_json, empty="nothing waits for a person")
    for command in () if as_json else dict.fromkeys(str(one["next"]).rpartition(" ")[0] for one in shown):
        click.echo(f"→ {command} ID")
