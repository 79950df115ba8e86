"""Where a process stands: its worktree, its settings, its identity, its rules, and what it would land.

One class for every face that sees a worktree. Each call opens a `Repository` of its own, which asks each fact once and
ends with the call: what was true for one need not be for the next.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from loomstack_mcp.adapters.git.discovery import Unreadable, no_worktree, place_at
from loomstack_mcp.adapters.git.identity import derived
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree, bare_at, container_at, worktree_at
from loomstack_mcp.adapters.settings import REPO_FILE, Settings, hub_of, load_settings
from loomstack_mcp.adapters.user import SQLITE
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import DAY_MS, NAME_CHARS_MAX
from loomstack_mcp.core.patterns.typed import claimed
from loomstack_mcp.core.repos import Checkout, earlier_identities, named_identity
from loomstack_mcp.core.texts import bounded

if TYPE_CHECKING:
    from loomstack_mcp.adapters.git.proposal import Landing
    from loomstack_mcp.edge.rules import Rules
    from loomstack_mcp.services.ledger import LedgerService

Progress = Callable[[int, int], None]
"""Told how many of how many are done."""


ELSEWHERE = "pass repo to start_run: the URL of its origin, or a name all sessions use"
"""How a repository that is not seen is named over MCP."""


def unwatched(_: int, __: int) -> None:
    """Nobody watches the progress."""


class Here:
    """The worktree around a folder, or none. Making it asks nothing."""

    def __init__(
        self,
        folder: Path | None,
        flags: Mapping[str, str | None],
        *,
        elsewhere: str,
        meant: str = "",
        bare_too: bool = False,
    ) -> None:
        """`flags` are those of the command line, `elsewhere` says how this face names a repo that it does not see.

        `meant` is a repo, by URL or name, that is meant instead of the one here. `bare_too` is for who needs no files:
        a bare repository, as on a forge, is one to stand in.
        """
        self.folder = folder
        self.flags = flags
        self.meant = meant
        self._elsewhere = elsewhere
        self._bare_too = bare_too
        self._worktree: Worktree | None = None

    @property
    def worktree(self) -> Worktree | None:
        """The worktree that the folder lies in, once there is one. Raises Unreadable where git refuses to read it."""
        if self._worktree is None and self.folder:
            self._worktree = worktree_at(self.folder)
        return self._worktree

    @property
    def clone(self) -> Worktree | None:
        """What of the clone is seen here: the worktree, or the folder around a bare repository and its worktrees."""
        return self.worktree or self._container

    @cached_property
    def _container(self) -> Worktree | None:
        return container_at(self.folder) if self.folder else None

    @cached_property
    def _bare(self) -> Worktree | None:
        return bare_at(self.folder) if self._bare_too and self.folder else None

    @property
    def root(self) -> Path:
        """The top of the worktree. Raises Invalid where none is seen."""
        return self._seen().root

    @property
    def one_of_several(self) -> str:
        """The top of the worktree where the clone has others beside it; else "", for then it says nothing."""
        worktree = self.worktree
        return str(worktree.root) if worktree and worktree.has_siblings else ""

    def must_see_worktree(self, *, instead: str = "go to one") -> None:
        """Raises Invalid where none is seen: what needs its files can be told no other repository by name."""
        if self.worktree is None and self.folder:
            raise Invalid(f"{no_worktree(self.folder)}; {instead}")

    @cached_property
    def own_settings(self) -> Settings:
        """Those of the person, whatever the repository's file says: it cannot choose the home folder nor the store."""
        return load_settings(self.flags)

    @cached_property
    def settings(self) -> Settings:
        """The settings, those of the repository as its trunk has them. Raises Invalid for what makes no sense.

        Where no trunk can be told, the repository says nothing.
        """
        seen = self.clone or self._bare
        return load_settings(self.flags, in_repo=seen.on_trunk(REPO_FILE) if seen else "")

    @property
    def any_settings(self) -> Settings:
        """The person's own where the trunk's cannot be read, or do not load: each call says so, and what mends it."""
        try:
            return self.settings
        except (Invalid, Unreadable):
            return self.own_settings

    def checkout(self, *, repo: str = "", branch: str = "") -> Checkout:
        """The checkout that the process stands in, or the repo of that name without one. Raises Invalid."""
        branch = bounded("branch", branch, chars_max=NAME_CHARS_MAX)
        if repo := repo or self.meant:
            return Checkout(identity=named_identity(repo), others=earlier_identities(repo), branch=branch)
        found = (self.clone or self._bare or self._seen()).checkout(repo=self.settings.repo)
        is_checked_out = self.worktree is not None
        return found if is_checked_out and not branch else replace(found, branch=branch)

    def unnamed(self) -> "Here":
        """The same place, whatever repo is meant instead."""
        return self._as({**self.flags, "repo": None}, meant="")

    def identity_source(self) -> str:
        """How the identity of the checkout here was told, in words. Raises Invalid."""
        if self.meant:
            return "flag"
        found = self.clone or self._bare or self._seen()
        return f"repo in {self.settings.origins['repo']}" if self.settings.repo else derived(found.place).source

    def by_git_alone(self) -> "Here":
        """The same place, as it is without any store."""
        nowhere = f"{SQLITE}{Path(self.own_settings.home).absolute()}/none.db"
        return self._as({**self.flags, "store": nowhere}, meant=self.meant)

    @cached_property
    def rules(self) -> "Rules":
        """The rules that hold in the worktree. Raises Invalid where none is seen."""
        from loomstack_mcp.edge.rules import Rules  # parsers and RE2: 150 ms that a start must not cost

        worktree, own = self._seen(), self.own_settings
        rules = partial(Rules, worktree, self.folder or worktree.root, own.rules_home)
        if not hub_of(own):
            return rules()
        from loomstack_mcp.edge.org_rules import LOOK_AGAIN_MS, look_at_org_rules  # for those who have a hub

        return rules(look=partial(look_at_org_rules, own, within_ms=LOOK_AGAIN_MS))

    @contextmanager
    def repository(self, *, target: str = "") -> Iterator[Repository]:
        """The repository around the folder, bare or not, also without a commit. Raises NotFound where there is none.

        The settings are read with it, where they were not yet: of the trunk, or of the `target` that was named where
        none can be told.
        """
        with self.any_repository() as repo:
            if "settings" not in vars(self):
                says = repo.trunk_file(REPO_FILE, target=target) if repo.place.root or self.clone or self._bare else ""
                self.settings = load_settings(self.flags, in_repo=says)
            yield repo

    @contextmanager
    def any_repository(self, *, quarantined: bool = False) -> Iterator[Repository]:
        """The same without its settings, which may not load. `quarantined` is for a pre-receive hook."""
        with Repository(place_at(self.folder or self.root), quarantined=quarantined) as repo:
            yield repo

    def landing(
        self,
        repo: Repository,
        ledger: "LedgerService",
        checkout: Checkout,
        *,
        target: str = "",
        head: str = "HEAD",
        progress: Progress = unwatched,
    ) -> "Landing":
        """What is checked out, or `head`, in front of a target, the trunk by default, whose history the ledger has.

        Raises NotFound where either is no commit, or they share none.
        """
        from loomstack_mcp.adapters.git.made_work import MadeWork  # what compares changes, which few calls do
        from loomstack_mcp.adapters.git.proposal import Landing
        from loomstack_mcp.edge.filling import fill_ledger, keep_imprints
        from loomstack_mcp.edge.people import persons_on_trunk

        target = bounded("base", target, chars_max=NAME_CHARS_MAX)
        key = ledger.key(checkout)
        landing = Landing(
            repo,
            target=target,
            head=head,
            key=key,
            generated=self._generated(repo, target),
            window_ms=self.settings.window_days * DAY_MS,
            people=persons_on_trunk(repo),
        )
        clone = MadeWork(repo, key=key)
        keep_imprints(ledger, checkout, clone)
        fill_ledger(
            ledger,
            checkout,
            landing.history,
            since_ms=landing.since_ms,
            is_trunk=landing.is_trunk,
            read=landing.reader(progress),
            clone=clone,
        )
        if landing.is_trunk and (mark := self.filling_mark(repo)):
            ledger.keep_filled(checkout, [change.sha for change in landing.history], mark)
        return landing

    def filling_mark(self, repo: Repository) -> str:
        """How far the trunk reaches now, and what the ledger keeps of it; "" without one, and where not all is here."""
        tip = repo.commit(repo.trunk) if repo.trunk and not repo.is_shallow else ""
        return f"{MEANING} {self.settings.window_days} {tip}" if tip else ""

    def imprint(self, repo: Repository, ledger: "LedgerService", checkout: Checkout) -> None:
        """Keep the content of what runs said to have made, to know it again however it lands."""
        from loomstack_mcp.adapters.git.made_work import MadeWork  # what compares changes, which few calls do
        from loomstack_mcp.edge.filling import keep_imprints

        keep_imprints(ledger, checkout, MadeWork(repo, key=ledger.key(checkout)))

    def _generated(self, repo: Repository, target: str) -> tuple[str, ...]:
        """The patterns of files that machines write, as each commit has them that decides."""
        found = [
            load_settings(self.flags, in_repo=repo.text_of(commit, REPO_FILE), at=commit[:12]).generated
            for commit in repo.deciders(target)
        ] or [self.settings.generated]
        return tuple(pattern for pattern in found[0] if all(pattern in others for others in found))

    def patterns(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Paths as somebody typed them, as canonical patterns. Raises Invalid."""
        clone = self.clone
        if clone is None:
            return tuple(map(claimed, paths))
        return tuple(wanted for path in paths for wanted in clone.both_ends(path))

    def moved_to(self, folder: str) -> "Here":
        """The same repository, seen from another folder in one of its worktrees.

        Raises Invalid, or NotFound where the folder is in no repository.
        """
        asked = (self.folder or Path("/")) / bounded("worktree", folder)
        worktree = (self.clone or self._seen()).moved_to(asked)
        moved = Here(asked, self.flags, elsewhere=self._elsewhere, meant=self.meant, bare_too=self._bare_too)
        moved._worktree = worktree
        return moved

    def _as(self, flags: Mapping[str, str | None], *, meant: str) -> "Here":
        return Here(self.folder, flags, elsewhere=self._elsewhere, meant=meant, bare_too=self._bare_too)

    def _seen(self) -> Worktree:
        if (worktree := self.worktree) is None:
            where = no_worktree(self.folder) if self.folder else "over HTTP no worktree is seen"
            raise Invalid(f"{where}; {self._elsewhere}")
        return worktree
