"""What is too old is removed once a day, by a process of its own, where the settings say how long things are kept."""

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

from loomstack_mcp.adapters.settings import Settings, hub_of, postgres_url, sqlite_path
from loomstack_mcp.core.errors import StoreUnavailable

_EVERY_S = 24 * 60 * 60


def is_tidying_due(settings: Settings, /) -> bool:
    """Whether it is, and nobody began it today: from now on somebody did."""
    if not settings.keep_days or hub_of(settings):
        return False
    mark = _mark(settings)
    with contextlib.suppress(OSError, StoreUnavailable):
        if mark.exists() and time.time() - mark.stat().st_mtime < _EVERY_S:
            return False
        mark.touch(mode=0o600)
        return True
    return False


def start_tidying(settings: Settings, /) -> None:
    """Start it in the background, out of the reach of whatever ends with this process's session.

    Where that fails, another process tries again the next day.
    """
    # -P: what lies in the folder that it starts in is nobody's package.
    command = [sys.executable, "-P", "-m", "loomstack_mcp", "--home", settings.home]
    nowhere = subprocess.DEVNULL
    told = {
        "LOOMSTACK_STORE": settings.store,  # which may hold a password
        "LOOMSTACK_KEEP_DAYS": str(settings.keep_days),
        "LOOMSTACK_WINDOW_DAYS": str(settings.window_days),
    }
    with contextlib.suppress(OSError):
        subprocess.Popen(
            [*command, "db", "tidy"], cwd="/", stdin=nowhere, stdout=nowhere, stderr=nowhere,
            start_new_session=True, env={**os.environ, **told},
        )  # fmt: skip


def _mark(settings: Settings) -> Path:
    """The file whose time says when somebody began it last."""
    if url := postgres_url(settings):
        return Path(settings.home) / f"tidied-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    path = sqlite_path(settings)
    return path.with_name(f"{path.name}-tidied")
