"""The dashboard of a hub: what each token opens, for whoever has signed in with it."""

from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.keys import Keys
from loomstack_mcp.server.principals import loom_as_opened
from loomstack_mcp.server.ui.dashboard import Dashboard
from loomstack_mcp.server.ui.deciding import HubDeciders
from loomstack_mcp.server.ui.opened import VisibleRepos
from loomstack_mcp.server.ui.streams import EventStreams
from loomstack_mcp.server.ui.visits import HubVisits


def hub_dashboard(loom: Loom, keys: Keys) -> Dashboard:
    """The pages under `/` of a hub."""
    opened = loom_as_opened(loom)
    return Dashboard(
        opened,
        visits=HubVisits(keys),
        deciders=HubDeciders(loom),
        repos=VisibleRepos(opened),
        streams=EventStreams(loom),
    )
