"""Rules that loaded once, kept as JSON for processes that cannot afford to load them: hooks.

Reading takes the standard library alone: 2 ms for 200 rules instead of 150 with the imports (two shared
cores). What is kept decides what an agent may do, and lies where an agent can write, so each file bears a
MAC (RFC 2104) over its own name and what it holds.
"""

import hashlib
import hmac
import json
import os
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.policy.folders import BUILTIN_FILE
from loomstack_mcp.core.people import Person
from loomstack_mcp.core.policy import rules
from loomstack_mcp.core.policy.rules import Layer, Rule, Rulebook, Waiver
from loomstack_mcp.core.records import record

ENGINE = 1
"""Raised whenever the same files come to mean something else: what is kept, and every hash, changes with it."""
KEPT_MAX = 32
"""Rulebooks in the folder; the oldest go first."""
KEPT_BYTES_MAX = 16_000_000

_MAC_CHARS = 64
_KEY_BYTES = 32
# No two records have a field of the same name that holds another record.
_RECORDS: dict[str, type] = {
    "rules": Rule, "waivers": Waiver, "who": rules.Who, "where": rules.Where, "when": rules.When,
    "windows": rules.Window, "freezes": rules.Freeze, "check": rules.Checks, "limits": rules.Limits,
    "evidence": rules.Evidence, "boundaries": rules.Boundaries, "forbid": rules.Forbid,
    "content": rules.Content, "approve": rules.Approve, "examples": rules.Examples,
    "people": Person,
}  # fmt: skip


@record
class PolicyFile:
    """A file of policies, wherever it was read from."""

    layer: Layer
    name: str
    """As messages name it: `policies/core.yaml`."""
    content: bytes


def builtin() -> tuple[PolicyFile, ...]:
    """The layer that is always there."""
    return (PolicyFile(layer="builtin", name=BUILTIN_FILE.name, content=BUILTIN_FILE.read_bytes()),)


def policy_hash(rule_records: Sequence[Rule], waivers: Sequence[Waiver], people: Sequence[Person] = ()) -> str:
    """`sha256:…` over what the rules mean, and who is who: the same for other places, comments, quoting and order."""
    ours = {
        "engine": ENGINE,
        "rules": [_without_place(rule) for rule in sorted(rule_records, key=lambda rule: rule.id)],
        "waivers": [_without_place(waiver) for waiver in sorted(waivers, key=lambda waiver: waiver.id)],
        **({"people": [_plain(one) for one in sorted(people, key=lambda one: one.name)]} if people else {}),
    }
    return f"sha256:{hashlib.sha256(_json(ours)).hexdigest()}"


def encoded_rulebook(rulebook: Rulebook) -> bytes:
    """The rulebook as JSON, without what is at its default."""
    return _json(_plain(rulebook))


def decoded_rulebook(kept: bytes) -> Rulebook:
    """The rulebook that `encoded` wrote."""
    raw = json.loads(kept)
    return Rulebook(**{name: policy_record(name, value) for name, value in raw.items()})


def policy_record(name: str, raw: Any) -> Any:
    """What the field `name` of a record holds, out of JSON: records, tuples, plain values."""
    if isinstance(raw, list):
        return tuple([policy_record(name, each) for each in raw])
    if isinstance(raw, dict) and name in _RECORDS:
        return _RECORDS[name](**{key: policy_record(key, value) for key, value in raw.items()})
    return raw


def cache_key(files: Sequence[PolicyFile]) -> str:
    """Names the rulebook of exactly these files, in this order, for this version of the engine."""
    each = [[file.layer, file.name, hashlib.sha256(file.content).hexdigest()] for file in files]
    return hashlib.sha256(_json([ENGINE, each])).hexdigest()


def kept_rulebook(home: Path, files: Sequence[PolicyFile], *, secret: bytes) -> Rulebook | None:
    """The kept rulebook of these files; None where there is none that we wrote: load the files then."""
    return kept_under(home, cache_key(files), secret=secret)


def kept_under(home: Path, key: str, *, secret: bytes) -> Rulebook | None:
    """The rulebook that was kept under a key; None where there is none that we wrote."""
    try:
        with _path(home, key).open("rb") as file:
            content = file.read(KEPT_BYTES_MAX + 1)
    except OSError:
        return None
    mac, body = content[:_MAC_CHARS], content[_MAC_CHARS + 1 :]
    if len(content) > KEPT_BYTES_MAX or not hmac.compare_digest(mac, _mac(secret, key, body)):
        return None
    return decoded_rulebook(body)


def keep_rulebook(home: Path, files: Sequence[PolicyFile], rulebook: Rulebook, *, secret: bytes) -> bool:
    """Keep the rulebook of these files for the next process. False where the disk does not allow it: it is loaded
    again next time."""
    return keep_under(home, cache_key(files), rulebook, secret=secret)


def keep_under(home: Path, key: str, rulebook: Rulebook, *, secret: bytes) -> bool:
    """Keep a rulebook under a key. False where the disk does not allow it."""
    body = encoded_rulebook(rulebook)
    path = _path(home, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written_whole(path, _mac(secret, key, body) + b"\n" + body)
        _thin_out(path.parent)
    except OSError:
        return False
    return True


def cache_secret(home: Path) -> bytes:
    """The key of what is kept, readable by its owner alone; b"" where none can be had."""
    path = home / "cache" / "policy" / "key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(_KEY_BYTES))
        about = path.lstat()
        is_private = stat.S_ISREG(about.st_mode) and not about.st_mode & 0o077 and about.st_uid == os.getuid()
        found = path.read_bytes() if is_private else b""
    except OSError:
        return b""
    return found if len(found) == _KEY_BYTES else b""


def _path(home: Path, key: str) -> Path:
    return home / "cache" / "policy" / f"{key}.json"


def _mac(secret: bytes, key: str, body: bytes) -> bytes:
    if not secret:
        raise ValueError("the secret is empty, so that anybody could write what decides")
    return hmac.new(secret, key.encode() + b"\n" + body, hashlib.sha256).hexdigest().encode()


def written_whole(path: Path, content: bytes) -> None:
    """A private file has this content, or is as it was. Raises OSError."""
    # Not the tempfile module: it takes 4 ms to import.
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _thin_out(folder: Path) -> None:
    dated = []
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):  # another process thins out as well
            dated.append((path.stat().st_mtime_ns, path))
    for _, path in sorted(dated)[:-KEPT_MAX]:
        path.unlink(missing_ok=True)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _without_place(record: Rule | Waiver) -> dict[str, Any]:
    written: dict[str, Any] = _plain(record)
    written.pop("place", None)
    return written


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    written = {}
    for each in fields(value):
        found = getattr(value, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if found != default:
            written[each.name] = _plain(found)
    return written
