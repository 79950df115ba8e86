"""What stands between a token and the services over MCP: everything that is a service, and nothing else."""

from loomstack_mcp.core.permits import PERMITS, UNOFFERED
from loomstack_mcp.loom import Loom
from loomstack_mcp.server import principals
from loomstack_mcp.server.principals import loom_as_opened


def test_what_is_no_service_is_passed(loom: Loom) -> None:
    services = {name.partition(".")[0] for name in (*PERMITS, *UNOFFERED)}
    others = {name for name in dir(loom) if not name.startswith("_")} - services

    assert others == principals._PASSED


def test_whether_it_is_far_is_told_to_whoever_asks(loom: Loom) -> None:
    assert loom_as_opened(loom).is_far is False
