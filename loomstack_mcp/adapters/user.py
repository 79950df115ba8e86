"""Who runs this process, and what lies in that user's home of LoomStack: told in few modules."""

import json
import os
import pwd
from collections.abc import Mapping

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from typing import Any

PAUSES_FILE = "paused.json"
USER_FILE = "config.yaml"
WORKTREES_FILE = "worktrees.json"
"""How the worktrees of this machine are called where a hub is the store."""
MEMORY_FILE = "edge.db"
"""What hooks remember of this machine where a hub is the store."""
SQLITE = "sqlite:///"
HUB_RULES = "hub-rules-"
"""How the folder is called that holds the copy of a hub's rules, with a hash of its address behind it."""
RULES_FOLDER = "policies"
ASKED_FILE = "asked"
"""Beside the copy: written anew, with the hub's origin, whenever the hub told its rules."""
_PORT_DIGITS_MAX = 5
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._:-"
_NO_TEXTS = ("true", "false", "yes", "no", "on", "off", "null")
"""Words that are none to YAML 1.1."""
_USUAL_PORTS = {"https": ":443", "http": ":80"}


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
    if not (origin := hub_origin(store)):
        return home
    import hashlib  # for those alone who have a hub

    return os.path.join(home, HUB_RULES + hashlib.sha256(origin.encode()).hexdigest()[:16])


def hub_origin(store: str, /) -> str:
    """The origin of the hub that a `store` setting names, in lower case; "" for anything but a hub's whole origin.

    In the clear only on this machine: a token goes along.
    """
    scheme, _, place = store.strip().lower().rstrip("/").partition("://")
    host, colon, port = ("", "", "") if place.endswith("]") else place.rpartition(":")
    host = host if colon else place
    if not _is_host(host) or (colon and not (port.isdigit() and len(port) <= _PORT_DIGITS_MAX)):
        return ""
    usual = _USUAL_PORTS.get(scheme)
    if usual is None or (scheme == "http" and not _is_loopback(host)):
        return ""
    return f"{scheme}://{place.removesuffix(usual)}"


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return host.endswith("]") and not host[1:-1].strip("0123456789abcdef:.")
    return bool(host) and not host.strip("abcdefghijklmnopqrstuvwxyz0123456789.-")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "[::1]") or (host.startswith("127.") and not host.strip("0123456789."))


def plain_hub(environment: Mapping[str, str], home: str, /) -> str:
    """The hub that is plainly the store, told without YAML; "" for none, and for what only YAML can tell."""
    if store := environment.get("LOOMSTACK_STORE"):
        return hub_origin(store)
    try:
        with open(os.path.join(home, USER_FILE), encoding="utf-8") as opened:
            text = opened.read()
    except (OSError, UnicodeDecodeError):
        return ""
    lines = [line for line in text.split("\n") if "store" in line]
    if len(lines) != 1 or not lines[0].startswith("store:") or "\r" in text:
        return ""
    value = lines[0].removeprefix("store:").strip()
    return hub_origin(value[1:-1] if value[:1] == value[-1:] and value[:1] in ("'", '"') else value)


def plain_settings(text: str, /) -> "dict[str, Any] | None":
    """Settings of which each is one word on a line of its own, as YAML reads them; None where only YAML can tell.

    So `init --hub` writes them: to load YAML would cost each closer look of a hook 11 ms there.
    """
    found = {}
    for line in filter(None, text.split("\n")):
        name, _, word = line.partition(": ")
        is_text = word[:1].isalpha() and not word.strip(_WORD) and word[-1] != ":" and word.lower() not in _NO_TEXTS
        if not (is_text and name.isidentifier()):
            return None
        found[name] = word
    return found


def may_be_paused(home: str, /, *, now_ms: int) -> bool:
    """Whether any pause may hold now, whatever it is of; a file that makes no sense may hold one."""
    try:
        with open(os.path.join(home, PAUSES_FILE), encoding="utf-8") as opened:
            return any(pause["until_at_ms"] > now_ms for pause in json.load(opened))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, TypeError, KeyError):
        return True
