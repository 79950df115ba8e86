"""`gate`: what would land, judged by the rules of where it lands; the last word in CI."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.gate_install import install_gate
from loomstack_mcp.cli.people import ConfiguringOption, open_to_all
from loomstack_mcp.core.changes.conflict_records import Agreement, Conflict
from loomstack_mcp.core.changes.conflicts import conflict_advice, conflict_words
from loomstack_mcp.core.deploys import covered_words
from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.core.phrases import lean
from loomstack_mcp.core.policy.approvals import approval_advice
from loomstack_mcp.core.policy.decision_views import decision_shown, reasons_shown
from loomstack_mcp.core.policy.sarif import annotations, approval_annotation, conflict_annotations, sarif
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.core.views import agreement_shown, conflict_shown
from loomstack_mcp.edge.gate import APPROVAL, DENIED, Gate, Judgement, Update
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.org_rules import UntoldRules, lacks_token
from loomstack_mcp.services.conflicts import ConflictResult

_COLORS = {"allow": "green", "warn": "yellow", "require_approval": "magenta", "deny": "red"}
_STDIN_BYTES_MAX = 10_000_000
_SHA = "[0-9a-f]{40}(?:[0-9a-f]{24})?"
# What a ref cannot hold (git-check-ref-format(1)), git sends no hook.
_UPDATE = re.compile(rf"({_SHA}) ({_SHA}) (refs/[^\x00-\x20\x7f~^:?*\[\\]+)")
_UNHEARD = (
    "no token for {hub} is here (LOOMSTACK_TOKEN), as for pull requests of forks: judged by git alone, "
    "without the organisation's rules and what the hub knows; so it is no pass: somebody with a token runs it again"
)
_WORKFLOW = Path(__file__).with_name("gate_workflow.yml")


@open_to_all
@click.command()
@click.option("--base", default="", help="Where it would land: a branch or commit.")
@click.option("--head", default="HEAD", show_default=True, help="What would land.")
@click.option("--deploy", default="", metavar="ENV", help="Judge a deployment of HEAD there instead.")
@click.option("--pre-receive", is_flag=True, help="Judge the updates on stdin, as git's hook of that name.")
@click.option("--actor", default="", help="The person who lands it, as the trunk's own workflow knows them.")
@click.option("--git-only", is_flag=True, help="Skip, and list, the rules that need the store.")
@click.option(
    "--install",
    cls=ConfiguringOption,
    metavar="PATH",
    help="Make --pre-receive the hook of that repository, and try it.",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--json", "form", flag_value="json", help="One JSON object; of a push, one for each ref.")
@click.option("--sarif", "form", flag_value="sarif", help="SARIF 2.1.0, for code scanning.")
@click.option("--github", "form", flag_value="github", help="Annotations for GitHub Actions.")
@click.option("--workflow", is_flag=True, help="Print a ready GitHub Actions workflow, and do nothing.")
@click.pass_obj
def gate(
    here: Here,
    /,
    form: str | None,
    workflow: bool,
    base: str,
    head: str,
    deploy: str,
    pre_receive: bool,
    install: Path | None,
    **who: Any,
) -> int:
    """Judge what would land, by the rules of BASE. Exit status: 0 allow or warn, 2 deny, 3 approval or store needed."""
    if workflow:
        click.echo(_WORKFLOW.read_text("utf-8"), nl=False)
        return 0
    if pre_receive + bool(base) + bool(deploy) + bool(install) != 1:
        raise click.UsageError("give one of --base BRANCH, --deploy ENV, --pre-receive and --install PATH")
    if install:
        return install_gate(here, install, **who)
    least = 0
    if hub := lacks_token(here.own_settings):
        said = _UNHEARD.format(hub=output.harmless(hub))
        click.echo(f"::warning::{said}" if form == "github" else f"loomstack-mcp: {said}", err=form != "github")
        here, who, least = here.by_git_alone(), {**who, "git_only": True}, APPROVAL
    judge = Gate(here, progress=output.progress, **who)
    try:
        if pre_receive:
            found = list(judge.push(list(_updates())))
        else:
            found = [judge.deploy(deploy) if deploy else judge.landing(base, head)]
    except (StoreUnavailable, UntoldRules) as error:
        click.echo(f"loomstack-mcp: {error.code}: {error}", err=True)
        return APPROVAL
    except Unknown as error:
        click.echo(f"loomstack-mcp: cannot tell {output.harmless(str(error))}; so it is denied", err=True)
        return DENIED
    for judgement in found:
        for line in _shown(judgement, form):
            click.echo(line)
    return max((least, *(judgement.status for judgement in found)), key=(0, APPROVAL, DENIED).index)


def _updates() -> Iterator[Update]:
    if space := os.environ.get("GIT_NAMESPACE"):
        # Refs come without it (gitnamespaces(7)), and the trunk of all is not the trunk of one.
        raise Invalid(f"this push is to the namespace {space}, which has a trunk of its own; that is not judged here")
    given = sys.stdin.buffer.read(_STDIN_BYTES_MAX + 1)
    if len(given) > _STDIN_BYTES_MAX:
        raise Invalid(f"more than {_STDIN_BYTES_MAX} bytes on stdin; push fewer refs at once")
    # A ref may hold other line ends, and bytes that are no UTF-8.
    for line in given.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n"):
        if not (found := _UPDATE.fullmatch(line)):
            what = "a line of it is none" if given else "nothing is there, so nothing was judged"
            raise click.UsageError(
                f"on stdin git gives its pre-receive hook a line `OLD NEW REF` for each ref of a push; {what}. "
                "A command of the hook that reads stdin leaves nothing for the next: hand the lines on to both"
            )
        yield Update(old=found[1], new=found[2], ref=found[3])


def _object(judgement: Judgement) -> dict[str, Any]:
    body: dict[str, Any] = {**decision_shown(judgement.decision), "skipped": judgement.skipped, "gaps": judgement.gaps}
    if judgement.is_stopped:
        body["decision"] = "deny"
    if judgement.approval:
        body["approval"] = judgement.approval
    if advice := approval_advice(judgement.approval, judgement.refused):
        body["next"] = advice
    if deploy := judgement.deploy:
        body["deploy"] = {"deploy": deploy.id, "commit": deploy.sha, "covers": covered_words(deploy)}
    body["conflicts"] = [dict(one) for one in _conflicts(judgement)]
    if agreed := _agreed(judgement):
        body["agreed"] = [agreement_shown(one) for one in agreed]
    return body


def _shown(judgement: Judgement, form: str | None) -> Iterator[str]:
    decision = judgement.decision
    if form == "json":
        yield json.dumps(_object(judgement), ensure_ascii=True)
    elif form == "sarif":
        yield json.dumps(sarif(decision), ensure_ascii=True)
    elif form == "github":
        yield from annotations(decision)
        yield from approval_annotation(approval_advice(judgement.approval, judgement.refused))
        if found := judgement.conflicts:
            yield from conflict_annotations(found.conflicts, target=found.target, now_ms=found.now_ms)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.writelines(f"{click.unstyle(line)}\n" for line in _lines(judgement))
    else:
        yield from _lines(judgement)


def _lines(judgement: Judgement) -> Iterator[str]:
    decision = judgement.decision
    for reason in reasons_shown(decision):
        yield from _reason(reason)
    if found := judgement.conflicts:
        for conflict in found.conflicts:
            yield from _conflict(conflict, found)
    for one in _agreed(judgement):
        yield f"agreed  {one.sha[:12]} may go, says {output.harmless(one.who)} ({one.by}): {output.harmless(one.text)}"
    for repair in judgement.conflicts.repairs if judgement.conflicts else ():
        yield f"repair  {output.harmless(repair)}"
    yield from _verdict(judgement)
    yield from _told("Not judged without the store", judgement.skipped)
    nothing = judgement.conflicts.nothing if judgement.conflicts else ""
    gaps = (f"nothing was compared: {nothing}",) if nothing else ()
    yield from (f"Note: {output.harmless(gap)}." for gap in (*judgement.gaps, *gaps))


def _verdict(judgement: Judgement) -> Iterator[str]:
    answer, rules = judgement.decision.answer, f"{judgement.decision.policy[:19]}…"
    if judgement.is_stopped:
        yield f"{click.style('deny', fg=_COLORS['deny'], bold=True)} by what it takes back; {answer} by {rules}"
    else:
        yield f"{click.style(answer, fg=_COLORS[answer], bold=True)} by {rules}"
    if advice := approval_advice(judgement.approval, judgement.refused):
        yield f"    → {output.harmless(advice)}"
    if deploy := judgement.deploy:
        yield output.harmless(f"recorded as {deploy.id} to {deploy.environment}: {covered_words(deploy)}")
        yield f"    → loomstack-mcp trace deploy:{deploy.id}"


def _reason(reason: dict[str, Any]) -> Iterator[str]:
    outcome = f" ({reason['outcome']})" if "outcome" in reason else ""
    effect = click.style(f"{reason['effect']}{outcome}", bold=True)
    yield f"{effect}  {reason['rule']}  {output.harmless(reason.get('at', ''))}"
    yield f"    {output.harmless(reason['why'])}"
    yield from (f"    - {output.harmless(matched)}" for matched in reason.get("matched", ()))
    if "fix" in reason:
        yield f"    → {output.harmless(reason['fix'])}"


def _conflict(one: Conflict, found: ConflictResult) -> Iterator[str]:
    """In the words of `conflicts` and of `audit`."""
    verdict = click.style(one.verdict, bold=True)
    yield f"{verdict}  {one.kind}  {output.harmless(conflict_words(one, now_ms=found.now_ms))}"
    if one.intent:
        yield f"    on purpose: {output.harmless(one.intent)}"
    yield f"    {output.harmless(one.evidence)}"
    yield f"    → {output.harmless(conflict_advice(one, target=found.target))}"


def _conflicts(judgement: Judgement) -> Iterator[dict[str, Any]]:
    if found := judgement.conflicts:
        for one in found.conflicts:
            yield dict(lean(conflict_shown(one, target=found.target, now_ms=found.now_ms)))


def _agreed(judgement: Judgement) -> Sequence[Agreement]:
    return judgement.conflicts.agreements if judgement.conflicts else ()


def _told(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {', '.join(names)}."
