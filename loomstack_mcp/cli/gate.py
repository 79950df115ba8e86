"""`gate`: what would land, judged by the rules of where it lands; the last word in CI."""

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from loomstack_mcp.adapters.git import delta
from loomstack_mcp.adapters.git.proposal import Landing
from loomstack_mcp.adapters.git.repository import ask, branch_name, commit_of, full_name, repository_at, trunk
from loomstack_mcp.adapters.policy import files, situations
from loomstack_mcp.adapters.settings import sqlite_path
from loomstack_mcp.cli import output
from loomstack_mcp.cli.main import Invocation
from loomstack_mcp.core.errors import Invalid, NotFound, StoreUnavailable
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.phrases import lean
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.decision_views import decision_shown, reasons_shown
from loomstack_mcp.core.policy.needs import needs_store
from loomstack_mcp.core.policy.sarif import annotations, sarif
from loomstack_mcp.core.policy.situation import Actor, Situation
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.core.views import conflict_shown
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.conflicts import ConflictResult

DENIED, APPROVAL = 2, 3
_EXITS = {"allow": 0, "warn": 0, "deny": DENIED, "require_approval": APPROVAL}
_COLORS = {"allow": "green", "warn": "yellow", "require_approval": "magenta", "deny": "red"}
_STDIN_CHARS_MAX = 10_000_000
_UPDATE = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs/.+)")
_WORKFLOW = Path(__file__).with_name("gate_workflow.yml")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The answer, and what it does not cover."""

    decision: Decision
    skipped: tuple[str, ...]
    gaps: tuple[str, ...]
    conflicts: ConflictResult | None = None
    """None where the ledger was not asked."""

    @property
    def status(self) -> int:
        """The exit status: a conflict that stops denies."""
        stopped = self.conflicts is not None and self.conflicts.verdict == "stop"
        return DENIED if stopped else _EXITS[self.decision.answer]


@click.command()
@click.option("--base", default="", help="Where it would land: a branch or commit.")
@click.option("--head", default="HEAD", show_default=True, help="What would land.")
@click.option("--deploy", default="", metavar="ENV", help="Judge a deployment of HEAD there instead.")
@click.option("--pre-receive", is_flag=True, help="Judge the updates on stdin, as git's hook of that name.")
@click.option("--actor", default="", help="The person who lands it, as the trunk's own workflow knows them.")
@click.option("--git-only", is_flag=True, help="Skip, and list, the rules that need the store.")
@click.option("--json", "form", flag_value="json", help="One JSON object.")
@click.option("--sarif", "form", flag_value="sarif", help="SARIF 2.1.0, for code scanning.")
@click.option("--github", "form", flag_value="github", help="Annotations for GitHub Actions.")
@click.option("--workflow", is_flag=True, help="Print a ready GitHub Actions workflow, and do nothing.")
@click.pass_obj
def gate(invocation: Invocation, /, form: str | None, workflow: bool, pre_receive: bool, **asked: Any) -> int:
    """Judge what would land, by the rules of BASE. Exit status: 0 allow or warn, 2 deny, 3 approval or store needed."""
    if workflow:
        click.echo(_WORKFLOW.read_text("utf-8"), nl=False)
        return 0
    if pre_receive + bool(asked["base"]) + bool(asked["deploy"]) != 1:
        raise click.UsageError("give one of --base BRANCH, --deploy ENV and --pre-receive")
    try:
        found = list(_received(invocation, **asked) if pre_receive else _asked(invocation, **asked))
    except StoreUnavailable as error:
        click.echo(f"loomstack-mcp: {error.code}: {error}", err=True)
        return APPROVAL
    except Unknown as error:
        click.echo(f"loomstack-mcp: cannot tell {output.harmless(str(error))}; so it is denied", err=True)
        return DENIED
    for judged in found:
        for line in _shown(judged, form):
            click.echo(line)
    return max((judged.status for judged in found), key=(0, APPROVAL, DENIED).index, default=0)


def _asked(
    invocation: Invocation, *, base: str, head: str, deploy: str, actor: str, git_only: bool
) -> Iterator[Judged]:
    root = _root()
    base, head = full_name(root, base), full_name(root, head)
    rules = base or trunk(repository_at(root)) or "HEAD"
    if not (commit := commit_of(root, rules)):
        raise NotFound(f"{rules} is no commit here; fetch it, or name another")
    court = Court(invocation, root, commit, actor=actor, git_only=git_only)
    if deploy:
        yield court.judged(situations.deploy(deploy, point="deploy"))
        return
    with situations.landing(root, base, head, point="ci", branch=branch_name(base)) as (situation, landed):
        yield court.judged(situation, gaps=landed.gaps, onto=base, head=head, after=landed.after)


def _received(invocation: Invocation, *, actor: str, git_only: bool, **_: Any) -> Iterator[Judged]:
    """Each update by the rules of the trunk as it was before: what a push removes still judges that push."""
    root = _root()
    default = ask(root, "symbolic-ref", "--quiet", "HEAD").text  # of a bare repository, its default branch
    before = commit_of(root, default)
    if not before and ask(root, "for-each-ref", "--count=1", "refs/heads").text:
        raise NotFound(
            f"HEAD of {root} names {default}, which is no branch of it; name the trunk there: "
            "git symbolic-ref HEAD refs/heads/BRANCH"
        )
    court = Court(invocation, root, before, actor=actor, git_only=git_only)
    for old, new, ref in _updates():
        with situations.pushed(root, old, new, ref, point="pre-receive", trunk=default if before else "") as situation:
            yield court.judged(situation)


def _updates() -> Iterator[tuple[str, str, str]]:
    given = sys.stdin.read(_STDIN_CHARS_MAX + 1)
    if len(given) > _STDIN_CHARS_MAX:
        raise Invalid(f"more than {_STDIN_CHARS_MAX} characters on stdin; push fewer refs at once")
    for line in given.split("\n"):  # a ref may hold other line ends
        if line:
            if not (found := _UPDATE.fullmatch(line)):
                raise click.UsageError("stdin holds lines of `OLD NEW REF`, as git gives them to its pre-receive hook")
            yield found[1], found[2], found[3]


class Court:
    """The rules of one commit, and the store where there is one."""

    def __init__(self, invocation: Invocation, root: Path, commit: str, *, actor: str, git_only: bool) -> None:
        settings = invocation.settings()
        book = files.rulebook(root, settings.home, commit=commit)
        asking = tuple(rule.id for rule in book.rules if needs_store(rule))
        self._store = None if git_only or not sqlite_path(settings).exists() else settings
        self._skipped = asking if git_only else ()
        if asking and not git_only and self._store is None:
            raise StoreUnavailable(
                f"{', '.join(asking)} ask what only the store knows, and there is none here; "
                "pass --git-only to skip and list them"
            )
        self._book = replace(book, rules=tuple(rule for rule in book.rules if rule.id not in self._skipped))
        self._root = root
        self._commit = commit
        self._invocation = invocation
        # A person only where the trunk's workflow says so: who wrote the commits is no authority.
        self._actor = Actor(kind="human" if actor else None, developer=actor or None)

    def judged(
        self, situation: Situation, *, gaps: Sequence[str] = (), onto: str = "", head: str = "", after: str = ""
    ) -> Judged:
        # Under a person's account or not: commits that a run signed with its trailer are a loop's.
        quarantined = situation.point == "pre-receive"
        signed = situation.head and delta.signed_by_run(
            self._root, self._commit, situation.head, quarantined=quarantined
        )
        actor = replace(self._actor, kind="loop") if signed else self._actor
        situation = replace(situation, actor=actor, now_ms=round(time.time() * SECOND_MS))
        if self._store is None:
            return Judged(decision=decide(self._book, situation), skipped=self._skipped, gaps=tuple(gaps))
        checkout = self._invocation.checkout()
        with open_loom(self._store) as loom:
            found = None
            if onto:
                repo = repository_at(self._root)
                landing = Landing(repo, target=onto, head=head, key=loom.changes.key(), generated=self._store.generated)
                read = landing.read(output.progress)
                loom.changes.fill(checkout, landing.history, since_ms=landing.since_ms, is_trunk=False, read=read)
                proposal = landing.proposal_of(after)
                found = loom.conflicts.check(checkout, proposal)
                situation = replace(situation, undoing=lambda: loom.conflicts.undoing(checkout, proposal))
            decision = loom.policy.judge(checkout, self._actor.developer or "ci", self._book, situation).decision
        return Judged(decision=decision, skipped=(), gaps=tuple(gaps), conflicts=found)


def _root() -> Path:
    top = (
        ask(Path.cwd(), "rev-parse", "--show-toplevel").text or ask(Path.cwd(), "rev-parse", "--absolute-git-dir").text
    )
    if not top:
        raise Invalid("this folder is in no git repository; go to one")
    return Path(top)


def _shown(judged: Judged, form: str | None) -> Iterator[str]:
    decision = judged.decision
    if form == "json":
        body: dict[str, Any] = {**decision_shown(decision), "skipped": judged.skipped, "gaps": judged.gaps}
        body["conflicts"] = [dict(one) for one in _conflicts(judged)]
        yield json.dumps(body, ensure_ascii=True)
    elif form == "sarif":
        yield json.dumps(sarif(decision), ensure_ascii=True)
    elif form == "github":
        yield from annotations(decision)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in _lines(judged))
    else:
        yield from _lines(judged)


def _lines(judged: Judged) -> Iterator[str]:
    decision = judged.decision
    for reason in reasons_shown(decision):
        yield from _reason(reason)
    for conflict in _conflicts(judged):
        yield click.style(f"{conflict['verdict']}", bold=True) + f"  {conflict['kind']}  {conflict['evidence']}"
        yield f"    {conflict['commit']} of {output.harmless(conflict['who'])}: {output.harmless(conflict['title'])}"
        yield f"    → {output.harmless(conflict['do'])}"
    yield click.style(decision.answer, fg=_COLORS[decision.answer], bold=True) + f" by {decision.policy[:19]}…"
    yield from _told("Not judged without the store", judged.skipped)
    yield from (f"Note: {output.harmless(gap)}." for gap in judged.gaps)


def _reason(reason: dict[str, Any]) -> Iterator[str]:
    outcome = f" ({reason['outcome']})" if "outcome" in reason else ""
    yield click.style(f"{reason['effect']}{outcome}", bold=True) + f"  {reason['rule']}  {reason.get('at', '')}"
    yield f"    {output.harmless(reason['why'])}"
    yield from (f"    - {output.harmless(matched)}" for matched in reason.get("matched", ()))
    if "fix" in reason:
        yield f"    → {output.harmless(reason['fix'])}"


def _conflicts(judged: Judged) -> Iterator[dict[str, Any]]:
    if found := judged.conflicts:
        for one in found.conflicts:
            yield dict(lean(conflict_shown(one, target=found.target, now_ms=found.now_ms)))


def _told(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {', '.join(names)}."
