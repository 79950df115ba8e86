"""Whoever adds a method says who may call it over a wire."""

import inspect
from functools import cached_property

from loomstack_mcp.core.permits import PERMITS, UNOFFERED
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.offered import Services


def test_every_public_method_of_a_service_has_one_permit(loom: Loom) -> None:
    services = {name for name, kind in vars(Services).items() if isinstance(kind, cached_property)}
    methods = {
        f"{service}.{name}"
        for service in services - UNOFFERED
        for name, _ in inspect.getmembers(getattr(loom, service), inspect.ismethod)
        if not name.startswith("_")
    }
    assert methods - UNOFFERED == set(PERMITS)
