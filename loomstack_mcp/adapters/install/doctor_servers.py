"""What the clients would start: whether it is ours, and opens one store for all of them."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from loomstack_mcp.adapters.install.addresses import address_of
from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.doctor_files import Client, Entries, text_at, words_at
from loomstack_mcp.adapters.settings import load_settings, store_shown
from loomstack_mcp.core.clients.files.own_names import COMMAND, VARIABLES
from loomstack_mcp.core.errors import LoomError

_OURS = {COMMAND, "loomstack", "loomstack_mcp"}
_STORE_FLAGS = ("home", "store")
_STORE_VARIABLES = {"LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME", "HOME"}


def command_checks(clients: Sequence[Client], root: Path) -> Iterator[Check]:
    """Whether what a client starts is our program, and there."""
    for client in clients:
        if not client.entry or text_at(client.entry, "url"):
            continue
        name, command = f"{client.name} command", text_at(client.entry, "command")
        mend = f"call {COMMAND} in its entry, or take the entry out and run {INIT}"
        program = str(root / command) if "/" in command else command
        if shutil.which(program, path=client.environment.get("PATH")) is None:
            # That ours is not on PATH has been said already.
            if command != COMMAND or shutil.which(COMMAND):
                yield Check(
                    check=name,
                    status="fail",
                    found=f"starts {command or 'nothing'}, which is no program here",
                    mend=mend,
                )
        elif _OURS.isdisjoint((Path(command).name, *words_at(client.entry, "args"))):
            yield Check(check=name, status="warn", found=f"starts {command}, not {COMMAND}", mend=mend)


def same_store_checks(clients: Sequence[Client], environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether the clients' servers, and the hook in the environment of both, share one store."""
    places = {client.name: _place(client) for client in clients if client.entry}
    if any(client.entry and not text_at(client.entry, "url") for client in clients):
        places["this shell"] = _store({}, environment)
    if len(set(places.values())) > 1:
        found = "; ".join(f"{name} opens {place}" for name, place in places.items())
        mend = INIT
        if any(_chooses_a_store(client.entry) for client in clients):
            mend = "choose the store in your shell's environment or config.yaml alone, not in a client's entry"
        yield Check(check="same store", status="fail", found=found, mend=mend)


def same_settings_checks(clients: Sequence[Client]) -> Iterator[Check]:
    """Whether the servers that the clients start get the same settings; which store they open is looked at apart."""
    started = [client for client in clients if client.entry and not text_at(client.entry, "url")]
    compared = [name for name in VARIABLES if name not in _STORE_VARIABLES]
    differing = [name for name in compared if len({client.environment.get(name) for client in started}) > 1]
    if differing:
        # By name alone: a repository's URL may hold a token.
        found = f"{', '.join(differing)}: not the same for the servers of {' and '.join(one.name for one in started)}"
        mend = f"{INIT}, and set them in your shell's environment or config.yaml, not in a client's entry"
        yield Check(check="same settings", status="warn", found=found, mend=mend)


def _place(client: Client) -> str:
    if url := text_at(client.entry, "url"):
        return str(address_of(url) or "a server at no URL")
    return _store(client.entry, client.environment)


def _store(entry: Entries, environment: Mapping[str, str]) -> str:
    """The store that a server with this environment and these arguments opens."""
    flags: dict[str, str | None] = {}
    arguments = words_at(entry, "args")
    for word, after in pairwise((*arguments, "")):
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in _STORE_FLAGS:
            flags[name] = value if equals else after
    try:
        return store_shown(load_settings(flags, environment=environment))
    except (LoomError, OSError, ValueError, RuntimeError) as error:
        return f"nothing ({error})"


def _chooses_a_store(entry: Entries) -> bool:
    named = entry.get("env")
    arguments = {word.split("=")[0].removeprefix("--") for word in words_at(entry, "args")}
    return bool(isinstance(named, dict) and _STORE_VARIABLES & set(named)) or bool(arguments & set(_STORE_FLAGS))
