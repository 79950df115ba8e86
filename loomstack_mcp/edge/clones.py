"""Whether the clone that somebody stands in is one of the repo that `--repo` names."""

from contextlib import suppress

from loomstack_mcp.adapters.git.discovery import Unreadable
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.repos import provisional
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom


def clone_of_meant(here: Here, loom: Loom) -> Here | None:
    """The place here, as its clone itself is called, where that is one of the repo that is meant; None where not.

    Raises Unreadable where git refuses the clone.
    """
    if not here.meant:
        return here
    own = here.unnamed()
    try:
        checkout = own.checkout()
    except Unreadable:
        raise
    except (Invalid, NotFound):
        return None
    named = here.checkout()
    if named.identity == checkout.identity:  # which the store may not know yet, where the origin is new
        return own
    return own if loom.repos.id_of(checkout) == loom.repos.id_of(named) else None


def must_be_clone_of_meant(here: Here, loom: Loom) -> Here:
    """The same, or the place as it is named where its clone has no name of its own, for want of an origin.

    Raises Invalid where another repo is meant: what git says here is nothing of that one's.
    """
    if found := clone_of_meant(here, loom):
        return found
    named, own = here.checkout().identity, "in no git repository"
    with suppress(Invalid, NotFound):
        own = here.unnamed().checkout().identity
        if provisional(own):
            return here
    raise Invalid(
        f"--repo names {named}, and git is asked here, which is {own}: go to a clone of {named}, or leave --repo out; "
        f"if both are one repository, say so once: loomstack-mcp repo alias {named}; in CI, "
        f"LOOMSTACK_REPO={named} calls this clone so"
    )
