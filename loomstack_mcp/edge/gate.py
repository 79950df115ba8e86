"""The final judgement: what would land, by the rules of where it lands, and by what the store knows of it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from loomstack_mcp.adapters.git.history import Made, made_since
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.adapters.policy.files import rulebook
from loomstack_mcp.adapters.settings import sqlite_path
from loomstack_mcp.core.errors import Invalid, NotFound, StoreUnavailable
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.needs import needs_store
from loomstack_mcp.core.policy.rules import Answer, Rulebook
from loomstack_mcp.core.policy.situation import Actor, Situation
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.here import Here, Progress
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.services.conflicts import ConflictResult

DENIED, APPROVAL = 2, 3
_STATUSES: dict[Answer, int] = {"allow": 0, "warn": 0, "deny": DENIED, "require_approval": APPROVAL}


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The answer, and what it does not cover."""

    decision: Decision
    skipped: tuple[str, ...]
    """Rules that were not asked, for want of the store."""
    gaps: tuple[str, ...] = ()
    conflicts: ConflictResult | None = None
    """None where the ledger was not asked."""

    @property
    def status(self) -> int:
        """The exit status: a conflict that stops denies."""
        stopped = self.conflicts is not None and self.conflicts.verdict == "stop"
        return DENIED if stopped else _STATUSES[self.decision.answer]


@dataclass(frozen=True, kw_only=True)
class Update:
    """One ref of a push, as git tells its pre-receive hook (githooks(5)); zeros create or delete it."""

    old: str
    new: str
    ref: str


class Gate:
    """A repository, with or without a worktree, and the store where there is one."""

    def __init__(self, here: Here, *, actor: str, git_only: bool, progress: Progress) -> None:
        """`actor` is the person who lands it, as the trunk's own workflow or the server's hook knows them."""
        self._here = here
        self._git_only = git_only
        self._progress = progress
        # A person only where the trunk's workflow says so: who wrote the commits is no authority.
        self._actor = Actor(kind="human" if actor else None, developer=actor or None)

    @cached_property
    def _checkout(self) -> Checkout:
        return self._here.checkout()

    def landing(self, base: str, head: str) -> Judgement:
        """What `head` would land on `base`. Raises NotFound, PolicyError, StoreUnavailable; Unknown, which denies."""
        with self._here.repository(target=base) as repo:
            base, head = repo.branch_ref(base), repo.branch_ref(head)
            rules = self._rules(repo, _needed(repo, base))
            situation, delta = situations.landing(
                repo, base, head, point="ci", branch=repo.branch_name(base), trunk=repo.trunk
            )
            made = _made_since(repo, base, situation.head)
            situation = self._by_whom(situation, made)
            if not rules.has_store:
                return replace(self._judged(rules, situation), gaps=delta.gaps)
            with open_loom(self._here.settings) as loom:
                found, situation = self._compared(loom, repo, situation, base, delta.after, made)
                return replace(self._kept(loom, rules, situation), gaps=delta.gaps, conflicts=found)

    def deploy(self, environment: str) -> Judgement:
        """A deployment, by the rules of the trunk."""
        with self._here.repository() as repo:
            rules = self._rules(repo, _needed(repo, repo.told_trunk()))
            situation = situations.deploy(environment, point="deploy")
            return self._judged(rules, self._by_whom(situation, ()))

    def push(self, updates: Iterable[Update]) -> Iterator[Judgement]:
        """Each update by the rules of the trunk as it was before: what a push removes still judges that push."""
        with self._here.repository(quarantined=True) as repo:
            trunk = repo.head_ref  # of a bare repository, its default branch
            before = repo.commit(trunk)
            if not before and repo.run("for-each-ref", "--count=1", "refs/heads").text:
                raise NotFound(
                    f"HEAD of {repo.folder} names {trunk or 'a commit'}, which is no branch of it; "
                    "name the trunk there: git symbolic-ref HEAD refs/heads/BRANCH"
                )
            rules = self._rules(repo, before)
            for update in updates:
                situation = situations.pushed(
                    repo, update.old, update.new, update.ref, point="pre-receive", trunk=trunk if before else ""
                )
                made = _made_since(repo, before, situation.head) if situation.head else ()
                yield self._judged(rules, self._by_whom(situation, made))

    def _rules(self, repo: Repository, commit: str) -> "_Rules":
        """The rules of a commit ("" before the first one), as far as they can be asked here."""
        settings = self._here.settings
        book = rulebook(repo, settings.home, commit=commit)
        asking = tuple(rule.id for rule in book.rules if needs_store(rule))
        has_store = not self._git_only and sqlite_path(settings).exists()
        if asking and not self._git_only and not has_store:
            raise StoreUnavailable(
                f"{', '.join(asking)} ask what only the store knows, and there is none here; "
                "pass --git-only to skip and list them"
            )
        skipped = asking if self._git_only else ()
        kept = tuple(rule for rule in book.rules if rule.id not in skipped)
        return _Rules(book=replace(book, rules=kept), skipped=skipped, has_store=has_store)

    def _by_whom(self, situation: Situation, made: Sequence[Made]) -> Situation:
        """Under a person's account or not: commits that a run signed with its trailer are a loop's."""
        signed = any(commit.runs for commit in made)
        actor = replace(self._actor, kind="loop") if signed else self._actor
        return replace(situation, actor=actor, now_ms=round(time.time() * SECOND_MS))

    def _compared(
        self, loom: Loom, repo: Repository, situation: Situation, base: str, after: str, made: Sequence[Made]
    ) -> tuple[ConflictResult, Situation]:
        """What would be taken back, and the situation with it."""
        landing = self._here.landing(
            repo, loom.ledger, self._checkout, target=base, head=situation.head, progress=self._progress
        )
        proposal = landing.proposal_of(after, made)
        found = loom.conflicts.check(self._checkout, proposal)
        return found, replace(situation, undoing=lambda: loom.conflicts.undoing(self._checkout, proposal))

    def _judged(self, rules: "_Rules", situation: Situation) -> Judgement:
        if not rules.has_store:
            return Judgement(decision=decide(rules.book, situation), skipped=rules.skipped)
        with open_loom(self._here.settings) as loom:
            return self._kept(loom, rules, situation)

    def _kept(self, loom: Loom, rules: "_Rules", situation: Situation) -> Judgement:
        """Judged by what the store knows besides, and recorded there."""
        who = self._actor.developer or "ci"
        result = loom.policy.judge(self._checkout, who, rules.book, situation)
        return Judgement(decision=result.decision, skipped=rules.skipped)


@dataclass(frozen=True, kw_only=True)
class _Rules:
    book: Rulebook
    skipped: tuple[str, ...]
    has_store: bool


def _needed(repo: Repository, name: str) -> str:
    if found := repo.commit(name):
        return found
    raise NotFound(f"{name} is no commit here; fetch it, or name another")


def _made_since(repo: Repository, base: str, head: str) -> tuple[Made, ...]:
    try:
        return made_since(repo, base, head)
    except Invalid as error:
        raise Unknown(f"who made {head[:12]} ({error})") from None
