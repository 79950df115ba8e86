"""What a person tuned in our table of Codex's TOML, kept when the table is written again."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

_KEY = re.compile(r"([A-Za-z_]+)\s*=")
_TABLE = re.compile(r"^(?=\[)", re.MULTILINE)
_LIST_END = r"^{}\s*=\s*\[[^\]\n]*(?=\])"
_WAY_IN = frozenset({"command", "args", "cwd", "env", "env_vars", "url", "bearer_token_env_var", "http_headers"})
"""How the server is reached: what is said of a program is nothing to a URL, and the other way round."""


def tuned_table(old: str, table: str, name: str) -> str:
    """Our table as it stood in `old`: a person's lines stay, and those of `table` come in that are not there yet.

    Where the server is reached in another way than before, only what has nothing to do with that stays.
    """
    found, wanted = _server(old, name), _server(table, name)
    if not found:
        return table
    head, *others = _TABLE.split(old)[1:]
    if found.get("url") != wanted.get("url"):
        lines = [line for line in head.splitlines() if (key := _key(line)) and key not in _WAY_IN]
        head = _without(table, {_key(line) for line in lines}) + "".join(f"{line}\n" for line in lines)
        others = [each for each in others if not each.startswith(f"[mcp_servers.{name}.env]")]
    else:
        missing = [line for line in table.splitlines() if (key := _key(line)) and key not in found]
        head = "".join([_filled(head, found, wanted).rstrip("\n"), "\n", *(f"{line}\n" for line in missing)])
    changed = "".join([head, *(f"\n{each.strip()}\n" for each in others)])
    return changed if _server(changed, name) else table


def _server(text: str, name: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(text).get("mcp_servers", {}).get(name, {})
    except (tomllib.TOMLDecodeError, RecursionError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def _filled(head: str, found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """With the words that our lists have and a person's, on one line, lack."""
    for key, words in wanted.items():
        at = re.search(_LIST_END.format(key), head, re.MULTILINE) if isinstance(words, list) else None
        if at and isinstance(found.get(key), list):
            more = "".join(f', "{word}"' for word in _lacking(found[key], words))
            head = head[: at.start()] + at[0].rstrip().rstrip(",") + more + head[at.end() :]
    return head


def _lacking(found: Sequence[Any], words: Sequence[str]) -> list[str]:
    named = [each.get("name") if isinstance(each, dict) else each for each in found]
    return [word for word in words if word not in named]


def _without(table: str, keys: set[str]) -> str:
    return "".join(f"{line}\n" for line in table.splitlines() if not _key(line) or _key(line) not in keys)


def _key(line: str) -> str:
    found = _KEY.match(line)
    return found[1] if found else ""
