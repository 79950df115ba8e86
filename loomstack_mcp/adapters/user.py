"""Who runs this process, and what lies in that user's home of LoomStack: told in few modules."""

import json
import os
import pwd
from collections.abc import Mapping

PAUSES_FILE = "paused.json"
USER_FILE = "config.yaml"
SQLITE = "sqlite:///"
HUB_RULES = "hub-rules-"
"""How the folder is called that holds the copy of a hub's rules, with a hash of its address behind it."""
_HUBS = ("https://", "http://")


def principal() -> str:
    """The operating system's user, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


def home_named(environment: Mapping[str, str], /) -> str:
    """The folder that the environment names, else the usual one."""
    # https://specifications.freedesktop.org/basedir-spec: a relative XDG_DATA_HOME is ignored.
    shared = environment.get("XDG_DATA_HOME", "")
    if not shared.startswith("/"):
        shared = os.path.join(environment.get("HOME") or os.path.expanduser("~"), ".local", "share")
    return environment.get("LOOMSTACK_HOME") or os.path.join(shared, "loomstack")


def store_file(environment: Mapping[str, str], home: str, /) -> str:
    """The store's file where no file of settings chooses another; "" for what is not plainly a file's whole path."""
    store = environment.get("LOOMSTACK_STORE") or f"{SQLITE}{home}/loom.db"
    path = store.removeprefix(SQLITE)
    return path if path.startswith("/") and "://" not in path else ""


def rules_home(home: str, store: str, /) -> str:
    """The folder with the organisation's `policies`: the home, or where a copy of a hub's is kept."""
    origin = store.rstrip("/").lower()
    if not origin.startswith(_HUBS):
        return home
    import hashlib  # for those alone who have a hub

    return os.path.join(home, HUB_RULES + hashlib.sha256(origin.encode()).hexdigest()[:16])


def may_be_paused(home: str, /, *, now_ms: int) -> bool:
    """Whether any pause may hold now, whatever it is of; a file that makes no sense may hold one."""
    try:
        with open(os.path.join(home, PAUSES_FILE), encoding="utf-8") as opened:
            return any(pause["until_at_ms"] > now_ms for pause in json.load(opened))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, TypeError, KeyError):
        return True
