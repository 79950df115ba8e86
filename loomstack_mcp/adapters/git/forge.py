"""Where a forge shows the commits of a clone."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from loomstack_mcp.adapters.git.addresses import remote_address
from loomstack_mcp.adapters.git.clone_settings import clone_settings, default_remote, remotes
from loomstack_mcp.adapters.git.discovery import Place, place_at
from loomstack_mcp.adapters.git.trunk import USUAL
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.forges import commit_pages

_ORIGINS_MAX = 5
"""Local origins that are followed: a clone of a clone of …"""


def forge_pages(place: Place) -> str:
    """An address that lacks the id of a commit at its end, by the clone's remote; "" where none is known."""
    with suppress(NotFound):  # settings that git cannot read, or a folder that is gone, lead nowhere
        for _ in range(_ORIGINS_MAX):
            settings = clone_settings(place)
            remote = default_remote(settings, USUAL)
            told = next((one.url for one in remotes(settings) if one.name == remote), "")
            url = remote_address(place, told).url if told else ""
            if not url or ("://" in url and not url.startswith("file://")) or not url.startswith(("file://", "/", ".")):
                return commit_pages(url) if url else ""
            place = place_at(place.folder / Path(unquote(url.removeprefix("file://"))))
    return ""
