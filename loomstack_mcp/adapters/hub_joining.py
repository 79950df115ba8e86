"""A person joins a hub, or leaves it: its token beside the store, and the line of their own settings that names it."""

from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.beside_store import read_entries, write_entries
from loomstack_mcp.adapters.hub_tokens import TOKENS_FILE, lies_in_repository
from loomstack_mcp.adapters.user import USER_FILE, plain_hub
from loomstack_mcp.core.errors import Invalid

_SETTING = "store:"


def join_hub(home: str, origin: str, *, token: str, ca: str = "") -> None:
    """Keep the token for that origin, and make it the store. Raises Invalid as `_settings`, and in a repository."""
    if lies_in_repository(home):
        raise Invalid(f"{home} lies in a repository, where no token is kept: let LOOMSTACK_HOME be a folder of yours")
    before, text = _settings(home)
    named = [line for line in before if line.startswith(_SETTING)]
    known, others = _known(home, origin)
    instead = named[0] if named and not plain_hub({}, home) else str(known.get("instead", ""))
    entry = {"origin": origin, "token": token, **({"ca": ca} if ca else {}), "instead": instead}
    write_entries(home, TOKENS_FILE, [*others, entry])
    kept = [line for line in before if not line.startswith(_SETTING)]
    _write(home, text, [*kept, f"{_SETTING} {origin}"])


def leave_hub(home: str) -> str:
    """Take out the hub that is the store now, and its token; what was the store before is so again.

    Returns its origin, "" where the settings name none.
    """
    if not (origin := plain_hub({}, home)):
        return ""
    before, text = _settings(home)
    known, left = _known(home, origin)
    instead = str(known.get("instead", ""))
    if left:
        write_entries(home, TOKENS_FILE, left)
    else:
        (Path(home) / TOKENS_FILE).unlink(missing_ok=True)
    kept = [line for line in before if not line.startswith(_SETTING)]
    _write(home, text, [*kept, instead] if instead else kept)
    return origin


def _known(home: str, origin: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is kept of the hub of that origin, and of others."""
    entries = read_entries(home, TOKENS_FILE)
    others = [each for each in entries if each.get("origin") != origin]
    return next((each for each in entries if each.get("origin") == origin), {}), others


def _settings(home: str) -> tuple[list[str], str]:
    """The lines of the settings, and their text. Raises Invalid where only a person can tell what they mean."""
    file = Path(home) / USER_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return [], ""
    lines = text.splitlines()
    if sum("store" in line.partition("#")[0] for line in lines) > sum(line.startswith(_SETTING) for line in lines):
        raise Invalid(f"{file} names a store in a way of its own; write `store: https://…` there yourself, on one line")
    if text.lstrip().startswith(("{", "---", "%")):
        raise Invalid(f"{file} is not lines of `name: value` alone; write `store: https://…` there yourself")
    return lines, text


def _write(home: str, before: str, lines: list[str]) -> None:
    file = Path(home) / USER_FILE
    after = "".join(f"{line}\n" for line in lines)
    if after == before:
        return
    if not after:
        file.unlink(missing_ok=True)
        return
    made = file.with_name(f".{file.name}.new")
    made.touch(mode=0o600)
    made.write_text(after, encoding="utf-8")
    made.replace(file)
