"""Which repository a worktree is of, by which settings: what git said before, for as long as that holds."""

from contextlib import suppress

from loomstack_mcp.adapters.git.deciding import deciding_files, is_told_by_files, system_file
from loomstack_mcp.adapters.git.identity import Derivation, derived
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.settings import REPO_FILE, Settings, load_settings
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.repos import Bearing, Checkout
from loomstack_mcp.glance import stamp_of
from loomstack_mcp.quick import Quick


def checkout_of(quick: Quick, worktree: Worktree) -> tuple[Checkout, Settings]:
    """The worktree by the settings of its repository itself, and those settings."""
    known = quick.sightings.bearing_of(str(worktree.root))
    if known and known.stamp == _stamp(worktree, known.system):
        settings = load_settings({}, in_repo=known.settings)
        told = Derivation(identity=known.identity, source="", others=known.others) if known.identity else None
        return worktree.checkout(repo=settings.repo, told=told), settings
    system = system_file(worktree.place)
    stamp = _stamp(worktree, system)  # before what it is of is read
    with Repository(worktree.place) as opened:
        text = opened.trunk_text(REPO_FILE)
    settings = load_settings({}, in_repo=text)
    found = None if settings.repo else derived(worktree.place)
    if is_told_by_files(worktree.place, system) and (found is None or found.is_lasting):
        named = {"identity": found.identity, "others": found.others} if found else {"identity": ""}
        with suppress(StoreUnavailable):  # git is asked again, then
            quick.sightings.keep_bearing(
                str(worktree.root),
                Bearing(stamp=stamp, system=system, settings=text, **named),
            )
    return worktree.checkout(repo=settings.repo, told=found), settings


def _stamp(worktree: Worktree, system: str) -> str:
    return stamp_of(map(str, deciding_files(worktree.place, system)))
