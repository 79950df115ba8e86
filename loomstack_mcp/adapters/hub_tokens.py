"""The tokens of this user's hubs, each kept with the one origin that it is sent to."""

import json
import os
import pwd

from loomstack_mcp.adapters.git.layout import marked_tops

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

TOKENS_FILE = "hub-tokens.json"
_OTHERS = 0o077


def kept_hub(home: str, origin: str, /) -> "Mapping[str, str]":
    """What is kept of a hub: its `token`, and the file of its `ca` where it has one; empty for an unknown origin.

    A file that others may read, or that is another's, is none; nor is one that came with a repository, which can have
    such a home named by the settings of a client.
    """
    file = f"{home}/{TOKENS_FILE}"
    if lies_in_repository(home):
        return {}
    try:
        found = os.stat(file)
        if found.st_uid != os.getuid() or found.st_mode & _OTHERS:
            return {}
        with open(file, encoding="utf-8") as opened:
            hubs = json.load(opened)
        return next((each for each in hubs if each.get("origin") == origin), {})
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def named_token(environment: "Mapping[str, str]", origin: str, /) -> str:
    """The token that the environment names together with this very store; "" where either is missing.

    Not inside a client: its environment may be a repository's, from `.mcp.json` or the settings of hooks.
    """
    from loomstack_mcp.adapters.client_shell import client_variable  # for those who keep none

    names_it = environment.get("LOOMSTACK_STORE", "").rstrip("/").lower() == origin
    return environment.get("LOOMSTACK_TOKEN", "") if names_it and not client_variable(environment) else ""


def forget_named_token(environment: "MutableMapping[str, str]", /) -> None:
    """For what is always started by a client, whose settings may be a repository's; not each says that it is one."""
    environment.pop("LOOMSTACK_TOKEN", None)


def lies_in_repository(home: str, /) -> bool:
    """Whether a folder belongs to a worktree, or a folder with worktrees, that is not the person's own home."""
    own = os.path.realpath(_own_home())
    top = next(marked_tops(os.path.realpath(home)), "")
    return bool(top) and top != own and not own.startswith(f"{top.rstrip('/')}/")


def _own_home() -> str:
    """Whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


def hub_token(home: str, origin: str, environment: "Mapping[str, str]", /) -> "Mapping[str, str]":
    """The token for an origin, with its `ca`; empty where there is none for exactly that one."""
    kept = kept_hub(home, origin)
    if token := named_token(environment, origin):
        return {**kept, "token": token}
    return kept
