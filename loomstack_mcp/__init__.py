"""LoomStack: many agent loops, one team. The library face, which imports nothing heavy by itself."""

TYPE_CHECKING = False  # `typing` costs a hook, which imports this package too, 4 ms
if TYPE_CHECKING:
    from typing import Any

    from loomstack_mcp.loom import Loom, open_loom

__version__ = "0.1.0"
__all__ = ["Loom", "__version__", "open_loom"]


def __getattr__(
    name: str,
) -> "Any":  # PEP 562: nor may a hook pay for the services
    if name in ("Loom", "open_loom"):
        from loomstack_mcp import loom

        return getattr(loom, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
