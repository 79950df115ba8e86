"""Where a final judgement is made: the rules of one target, the store in front of it, and what cannot be asked here."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from loomstack_mcp.adapters.git.history import Made
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.errors import PolicyError, StoreUnavailable
from loomstack_mcp.core.policy.applies import applies
from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.known import signing
from loomstack_mcp.core.policy.needs import needs_store
from loomstack_mcp.core.policy.rules import ActionKind, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.edge.deciding import PolicyResult
from loomstack_mcp.edge.loading import Target, unloadable
from loomstack_mcp.edge.store_facts import StoreFacts

_WITHOUT_TRUNK = ("this is the trunk, and every rule goes with it; point HEAD at another branch first",)
_FINAL: frozenset[ActionKind] = frozenset({"push", "land", "deploy"})
"""What is judged here; an edit or a commit has been made by now."""


class Bench:
    """What a change is judged by.

    Where the rules or settings of the target do not load, a person may land what mends them, by the layers above,
    and nobody anything else.
    """

    def __init__(self, repo: Repository, target_ref: str, target: Target, store: StoreFacts, *, git_only: bool) -> None:
        self.repo = repo
        self.target_ref = target_ref
        self.store = store
        self._target = target
        self._git_only = git_only

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is not asked although it is the target's."""
        aged = (self._target.is_aged,) if self._target.is_aged else ()
        if self._target.has_rules:
            return aged
        return (
            *aged,
            f"the rules of {self.repo.branch_name(self.target_ref)} do not load, so those above them alone were asked",
        )

    @property
    def skipped(self) -> tuple[str, ...]:
        """Rules that are not asked, for want of the store."""
        return tuple(rule.id for rule in self._asking) if self._by_git else ()

    @property
    def unanswerable(self) -> tuple[str, ...]:
        """Rules that refuse whatever they apply to, for want of the store."""
        if self._by_git or not self.store.missing:
            return ()
        binding = (rule for rule in self._asking if rule.mode == "enforce" and not _FINAL.isdisjoint(rule.on))
        return tuple(rule.id for rule in binding)

    def landing(self, situation: Situation, after: str) -> Situation:
        """With what would not load once the tree `after`, or that of this commit, is there; "" is a ref that goes."""
        home = self._target.settings.rules_home
        return replace(situation, unloadable=unloadable(self.repo, home, tree=after) if after else _WITHOUT_TRUNK)

    def asks_store(self, situation: Situation) -> bool:
        """Whether the store is asked. Raises what `decision` raises."""
        self._must_load(situation)
        if self._by_git:
            return False
        if self.store.missing:
            self._must_not_need_store(situation)
        return not self.store.missing

    def decision(self, situation: Situation, made: Sequence[Made], *, is_stopped: bool = False) -> PolicyResult:
        """The decision on the commits `made`, recorded where there is a store; `is_stopped` by something else.

        Raises PolicyError where the rules do not load and this is no person's change, StoreUnavailable where a rule
        applies that asks what is not here.
        """
        left_out = set(self.skipped)
        book = replace(self._book, rules=tuple(rule for rule in self._book.rules if rule.id not in left_out))
        situation = signing(situation, book.people, [one.address for one in made])
        if self.asks_store(situation):
            who = situation.actor.developer or "ci"
            return self.store.decision(who, book, situation, made, is_stopped=is_stopped)
        decision = decide(book, situation)
        why = "it was not to be asked" if self._by_git else self.store.missing
        unasked = f"no person can be asked: the store alone keeps a question, and {why}"
        return PolicyResult(id="", decision=decision, refused=unasked if decision.answer == "require_approval" else "")

    @property
    def _by_git(self) -> bool:
        # Under another name than its settings give it, a repository would look as if nobody worked in it.
        return self._git_only or not self._target.has_settings

    @property
    def _book(self) -> Rulebook:
        return self._target.book

    @cached_property
    def _asking(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self._book.rules if needs_store(rule))

    def _must_load(self, situation: Situation) -> None:
        is_mend = situation.actor.kind == "human" and "deploy" not in situation.actions
        if self._target.problems and not is_mend:
            raise PolicyError(
                "\n".join(self._target.problems)
                + f"\nso it is on {self.repo.branch_name(self.target_ref)}: until a person lands "
                "a change after which all loads again, nothing else does. Mend these lines on a branch, and land it as "
                "a person (--actor NAME, as the server or its workflow knows them)"
            )

    def _must_not_need_store(self, situation: Situation) -> None:
        applying = [rule.id for rule in self._asking if rule.id in self.unanswerable and applies(rule, situation)]
        if applying:
            raise StoreUnavailable(
                f"{', '.join(applying)} ask what only the store knows, and {self.store.missing}; "
                "pass --git-only to skip and list them"
            )
