"""The final judgement: what would land, by the rules of where it lands, and by what the store knows of it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from loomstack_mcp.adapters.git.history import Made, made_since
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.symrefs import moved_refs, resolved_ref, symbolic_refs
from loomstack_mcp.adapters.policy import early, situations
from loomstack_mcp.core.deploys import Deploy, DeployDraft, environment_named
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.policy.decide import Decision
from loomstack_mcp.core.policy.rules import Answer
from loomstack_mcp.core.policy.situation import Actor, LostIntent, Situation
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.core.records import record
from loomstack_mcp.edge.bench import Bench
from loomstack_mcp.edge.here import Here, Progress
from loomstack_mcp.edge.loading import judging_target
from loomstack_mcp.edge.store_facts import StoreFacts
from loomstack_mcp.services.conflicts import ConflictResult

DENIED, APPROVAL = 2, 3
_STATUSES: dict[Answer, int] = {"allow": 0, "warn": 0, "deny": DENIED, "require_approval": APPROVAL}


@record
class Judgement:
    """The answer, and what it does not cover."""

    decision: Decision
    skipped: tuple[str, ...]
    """Rules that were not asked, for want of the store."""
    gaps: tuple[str, ...] = ()
    conflicts: ConflictResult | None = None
    """None where the ledger was not asked."""
    decision_id: str = ""
    """Under which it is kept; "" where no store was asked."""
    approval: str = ""
    """The question that it asked of people; "" where it asked none."""
    deploy: Deploy | None = None
    """As which a deployment was recorded that may go on."""
    refused: str = ""
    """That the answer was no, or why nothing could be asked."""

    @property
    def is_stopped(self) -> bool:
        """Whether a conflict denies it, whatever the rules say."""
        return self.conflicts is not None and self.conflicts.verdict == "stop"

    @property
    def status(self) -> int:
        """The exit status."""
        return DENIED if self.is_stopped else _STATUSES[self.decision.answer]


@record
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

    def landing(self, base: str, head: str) -> Judgement:
        """What `head` would land on `base`. Raises NotFound, PolicyError, StoreUnavailable; Unknown, which denies."""
        with self._here.any_repository() as repo:
            base, head = _landed_on(repo, base), repo.branch_ref(head)
            bench = self._bench(repo, base, _needed(repo, base))
            # Of a commit nobody knows which branch is meant: what is not known counts as any.
            branch = repo.branch_name(base) if base.startswith("refs/") else ""
            situation, delta = situations.landing(repo, base, head, point="ci", branch=branch, trunk=repo.trunk)
            made = _made_since(repo, base, situation.head)
            situation = bench.landing(self._by_whom(situation, made), delta.after)
            if not bench.asks_store(situation):
                return judged_situation(bench, situation, made, gaps=delta.gaps)
            is_unmerged = delta.after == situation.head
            proposal = bench.store.proposal(base, delta.after, situation.head, made, since_fork=is_unmerged)
            found = bench.store.conflicts(proposal)
            situation = replace(situation, undoing=partial(bench.store.undoing, proposal))
            judged = judged_situation(bench, situation, made, gaps=delta.gaps, is_stopped=found.verdict == "stop")
            return replace(judged, conflicts=found)

    def deploy(self, environment: str) -> Judgement:
        """A deployment, by the rules of the trunk. What is let through is recorded where the store was asked."""
        with self._here.any_repository() as repo:
            trunk = repo.told_trunk()
            bench = self._bench(repo, trunk, _needed(repo, trunk))
            head = repo.commit("HEAD")
            situation = early.deploy(environment_named(environment), point="deploy", commit=head)
            judged = judged_situation(bench, self._by_whom(situation, ()))
            if judged.status or not head:
                return judged
            if not judged.decision_id:
                why = "it was not to be asked" if self._git_only else bench.store.missing
                gap = f"not recorded as a deploy: the store alone keeps those, and {why}"
                return replace(judged, gaps=(*judged.gaps, gap) if why else judged.gaps)
            draft = DeployDraft(
                environment=environment, sha=head, how="gate", kind="first", decision=judged.decision_id
            )
            deploy, gaps = bench.store.let_through(draft, self._actor.developer or "ci")
            return replace(judged, deploy=deploy, gaps=(*judged.gaps, *gaps))

    def push(self, updates: Iterable[Update]) -> Iterator[Judgement]:
        """Each update by the rules of the trunk as it was before: what a push removes still judges that push.

        An update of a symbolic ref, or of what one stands for, is judged under each name that it moves.
        """
        with self._here.any_repository(quarantined=True) as repo:
            trunk = resolved_ref(repo, repo.head_ref) if repo.head_ref else ""  # of a bare one, its default branch
            before = repo.commit(trunk)
            if not before and repo.run("for-each-ref", "--count=1", "refs/heads").text:
                raise NotFound(
                    f"HEAD of {repo.folder} names {trunk or 'a commit'}, which is no branch of it; "
                    "name the trunk there: git symbolic-ref HEAD refs/heads/BRANCH"
                )
            bench = self._bench(repo, trunk, before)
            symbolic = symbolic_refs(repo)
            for update in updates:
                for ref in moved_refs(repo, update.ref, symbolic):
                    yield self._pushed(bench, replace(update, ref=ref), before)

    def unanswerable(self) -> tuple[str, ...]:
        """The rules of the trunk that ask a store, where there is none for them: what they apply to is refused."""
        with self._here.any_repository() as repo:
            return self._bench(repo, repo.head_ref, _needed(repo, repo.head_ref)).unanswerable

    def _pushed(self, bench: Bench, update: Update, before: str) -> Judgement:
        repo, trunk = bench.repo, bench.target_ref
        situation = situations.pushed(repo, update.old, update.new, update.ref, point="pre-receive", trunk=trunk)
        made = _made_since(repo, before, situation.head) if situation.head else ()
        situation = self._by_whom(situation, made)
        if "land" in situation.actions:
            situation = bench.landing(situation, situation.head)
            situation = replace(situation, undoing=partial(_undone_by_push, bench, situation.head, made))
        return judged_situation(bench, situation, made)

    def _bench(self, repo: Repository, ref: str, commit: str) -> Bench:
        """By what is judged: the rules and the settings of the target, which hold from here on."""
        target = judging_target(repo, self._here.flags, commit=commit)
        self._here.settings = target.settings
        facts = StoreFacts(self._here, repo, progress=self._progress)
        return Bench(repo, ref, target, facts, git_only=self._git_only)

    def _by_whom(self, situation: Situation, made: Sequence[Made]) -> Situation:
        """Under a person's account or not: commits that a run signed with its trailer are a loop's."""
        signed = any(commit.runs for commit in made)
        actor = replace(self._actor, kind="loop") if signed else self._actor
        return replace(situation, actor=actor, now_ms=round(time.time() * SECOND_MS))


def judged_situation(
    bench: Bench,
    situation: Situation,
    made: Sequence[Made] = (),
    *,
    gaps: tuple[str, ...] = (),
    is_stopped: bool = False,
) -> Judgement:
    """The decision on what a situation says, with what it asked of people and what it does not cover."""
    found = bench.decision(situation, made, is_stopped=is_stopped)
    return Judgement(
        decision=found.decision,
        skipped=bench.skipped,
        gaps=(*gaps, *bench.gaps),
        decision_id=found.id,
        approval=found.approval,
        refused=found.refused,
    )


def _undone_by_push(bench: Bench, head: str, made: Sequence[Made]) -> tuple[LostIntent, ...]:
    if not head or not bench.repo.commit(bench.target_ref):
        return ()  # before the first commit there is nothing to take back, and with a trunk that goes, all of it
    return bench.store.undoing(bench.store.proposal(bench.target_ref, head, head, made))


def _landed_on(repo: Repository, name: str) -> str:
    """The ref of a name, and of a symbolic one, as `origin/HEAD` and HEAD are, what that stands for."""
    ref = repo.head_ref if name == "HEAD" else repo.branch_ref(name)
    return resolved_ref(repo, ref) if ref.startswith("refs/") else name


def _needed(repo: Repository, name: str) -> str:
    if found := repo.commit(name):
        return found
    raise NotFound(f"{name} is no commit here; fetch it, or name another")


def _made_since(repo: Repository, base: str, head: str) -> tuple[Made, ...]:
    try:
        return made_since(repo, base, head)
    except Invalid as error:
        raise Unknown(f"who made {head[:12]} ({error})") from None
