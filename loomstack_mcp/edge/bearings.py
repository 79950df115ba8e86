"""Which repository a worktree is of, by which settings and rules: what was said before, for as long as that holds."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module

from loomstack_mcp.adapters.git.deciding import deciding_files, is_told_by_files, system_file
from loomstack_mcp.adapters.git.identity import Derivation, derived
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.policy.folders import deciding_paths
from loomstack_mcp.adapters.settings import REPO_FILE, Settings, load_settings
from loomstack_mcp.core.errors import PolicyError, StoreUnavailable
from loomstack_mcp.core.limits import HOOK_LOOKS_AGAIN_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Bearing, Checkout
from loomstack_mcp.glance import stamp_of
from loomstack_mcp.quick import Quick

_NO_FLAGS: Mapping[str, str | None] = {}

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.policy.rules import Rulebook


@record
class Stand:
    """A worktree as the settings of its repository itself have it."""

    worktree: Worktree
    checkout: Checkout
    settings: Settings
    files: Sequence[str]
    """All that decides what the clone is; empty where git has to be asked each time."""

    @property
    def rules(self) -> "Rulebook":
        """The rules that hold here. Raises what `edge.rules.Rules.book` raises."""
        from loomstack_mcp.adapters.policy.stamped import book_under, keep_book  # records of rules, which no claim asks

        home = self.settings.rules_home
        if home == self.settings.home and not os.path.isdir(home):  # noqa: PTH112 a hook makes no home
            home = ""
        files = [*self.files, *deciding_paths(self.worktree.root, home)]
        stamp = stamp_of(files) if self.files and home else ""  # before they are read
        if stamp and (kept := book_under(home, stamp)):
            return kept
        # By its name: what loads rules brings YAML and models, which no hook may need where they were loaded before.
        rules = import_module("loomstack_mcp.edge.rules").Rules(self.worktree, self.worktree.root, home)
        book: Rulebook = rules.book()
        if stamp:
            keep_book(home, stamp, book)
        return book


def stand_of(quick: Quick | None, worktree: Worktree, *, flags: Mapping[str, str | None] = _NO_FLAGS) -> Stand:
    """The worktree by the settings of its repository itself; what git says of it is kept, where there is a store."""
    known = _known(quick, worktree) if quick else None
    if known and known.stamp == _stamp(worktree, known.system):
        settings = load_settings(flags, in_repo=known.settings)
        told = Derivation(identity=known.identity, source="", others=known.others) if known.identity else None
        return _stand(worktree, settings, told, known.system)
    system = system_file(worktree.place)
    stamp = _stamp(worktree, system)  # before what it is of is read
    with Repository(worktree.place) as opened:
        text = opened.trunk_text(REPO_FILE)
    settings = load_settings(flags, in_repo=text)
    found = None if settings.repo else derived(worktree.place)
    if not is_told_by_files(worktree.place, system):
        return _stand(worktree, settings, found, None)
    if quick:
        _keep(quick, worktree, found, stamp=stamp, system=system, text=text)
    return _stand(worktree, settings, found, system)


def _known(quick: Quick, worktree: Worktree) -> Bearing | None:
    with suppress(StoreUnavailable):  # git is asked, then: settings and rules hold without the store
        return quick.sightings.bearing_of(str(worktree.root))
    return None


def _keep(quick: Quick, worktree: Worktree, found: Derivation | None, *, stamp: str, system: str, text: str) -> None:
    named = {"identity": found.identity, "others": found.others} if found else {"identity": ""}
    if found is None or found.is_lasting:
        with suppress(StoreUnavailable):  # git is asked again, then
            quick.sightings.keep_bearing(
                str(worktree.root), Bearing(stamp=stamp, system=system, settings=text, **named)
            )


def _stand(worktree: Worktree, settings: Settings, told: Derivation | None, system: str | None) -> Stand:
    if settings.rules_home != settings.home:
        from loomstack_mcp.edge.org_rules import look_at_org_rules  # for those who have a hub

        with suppress(PolicyError):  # whoever asks for the rules hears of it
            look_at_org_rules(settings, within_ms=HOOK_LOOKS_AGAIN_MS, is_hasty=True)
    files = () if system is None else tuple(map(str, deciding_files(worktree.place, system)))
    checkout = worktree.checkout(repo=settings.repo, told=told)
    return Stand(worktree=worktree, checkout=checkout, settings=settings, files=files)


def _stamp(worktree: Worktree, system: str) -> str:
    return stamp_of(map(str, deciding_files(worktree.place, system)))
