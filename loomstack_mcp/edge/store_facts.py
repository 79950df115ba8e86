"""What the store knows of a repository at a final point: whose its changes are, and what they would take back."""

from collections.abc import Sequence
from functools import cached_property

from loomstack_mcp.adapters.git.history import Made
from loomstack_mcp.adapters.git.made_work import MadeWork
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.settings import has_store, store_shown
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.deploys import Deploy, DeployDraft
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.policy.facts import told_situation
from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.core.policy.situation import LostIntent, Situation
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.clones import must_be_clone_of_meant
from loomstack_mcp.edge.deciding import PolicyResult, decided_change
from loomstack_mcp.edge.deploys import recorded_deploy
from loomstack_mcp.edge.here import Here, Progress
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.conflicts import ConflictResult

_MADE_MAX = 500
"""Of commits that land at once, so many are read to tell whose they are."""


class StoreFacts:
    """The store in front of one repository, bare or not. Nothing is asked before it is used."""

    def __init__(self, here: Here, repo: Repository, *, progress: Progress) -> None:
        """`here` has its settings already: those of where something would land."""
        self._here = here
        self._repo = repo
        self._progress = progress
        self._read: dict[str, Change] = {}
        """What commits that would land changed, as far as it was read for another question."""

    @cached_property
    def missing(self) -> str:
        """Why there is nothing to be asked, in the second half of a sentence; "" where there is.

        A bare repository often has no origin, and so another identity than its clones: what the store does not know
        under that, it may know under another.
        """
        if not has_store(self._here.settings):
            return "there is none here"
        if self._repo.place.root:
            return ""
        with open_loom(self._here.settings) as loom:
            is_known = loom.repos.id_of(self.checkout) in loom.repos.ids()
        repo = self.checkout.identity
        return (
            ""
            if is_known
            else f"the one at {store_shown(self._here.settings)} knows no repository {repo} (--repo names another)"
        )

    @cached_property
    def checkout(self) -> Checkout:
        """The repository as the store is to know it."""
        if self._here.meant:
            with open_loom(self._here.settings) as loom:
                return must_be_clone_of_meant(self._here, loom).checkout()
        if self._repo.place.root:
            return self._here.checkout()
        return Worktree(root=self._repo.folder, place=self._repo.place).checkout(repo=self._here.settings.repo)

    def let_through(self, draft: DeployDraft, who: str) -> tuple[Deploy | None, tuple[str, ...]]:
        """Record a deploy that may go on. Returns it, or why it was not, in a sentence, where it could not be."""
        with open_loom(self._here.settings) as loom:
            try:
                return recorded_deploy(loom, self._repo, self.checkout, draft, who=who).deploy, ()
            except LoomError as error:
                return None, (f"what was let through is not recorded as a deploy: {error}",)

    def decision(
        self, who: str, book: Rulebook, situation: Situation, made: Sequence[Made], *, is_stopped: bool
    ) -> PolicyResult:
        """Judged by what the store knows, also of the commits `made` in whatever form they land; recorded there."""
        shas = [one.sha for one in made]
        with open_loom(self._here.settings) as loom:

            def changes() -> tuple[Change, ...]:
                few = shas[:_MADE_MAX]
                if all(sha in self._read for sha in few):
                    return tuple(self._read[sha] for sha in few)
                return MadeWork(self._repo, key=loom.ledger.key(self.checkout)).named_changes(few)

            told = told_situation(book, situation, lambda: loom.ledger.key(self.checkout))
            return decided_change(
                loom.policy, self.checkout, who, book, told, shas=shas, made=changes, is_stopped=is_stopped
            )

    def proposal(self, base: str, after: str, head: str, made: Sequence[Made], *, since_fork: bool = False) -> Proposal:
        """What landing the tree `after` on `base` would change there; `made` are the commits of `head`.

        With `since_fork`, what it changed since it left `base`.
        """
        with open_loom(self._here.settings) as loom:
            landing = self._here.landing(
                self._repo, loom.ledger, self.checkout, target=base, head=head, progress=self._progress
            )
        proposal = landing.proposal_of(after, made, since_fork=since_fork)
        self._read |= {one.sha: one for one in (proposal.branch.commits if proposal.branch else ())}
        return proposal

    def conflicts(self, proposal: Proposal) -> ConflictResult:
        """What it takes back or touches of what others landed."""
        with open_loom(self._here.settings) as loom:
            return loom.conflicts.check(self.checkout, proposal)

    def undoing(self, proposal: Proposal) -> tuple[LostIntent, ...]:
        """The changes made on purpose that it takes back or replaces."""
        with open_loom(self._here.settings) as loom:
            return loom.conflicts.undoing(self.checkout, proposal)
