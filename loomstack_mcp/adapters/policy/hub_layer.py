"""The organisation's rules: as a hub offers them, and the copy that a machine keeps of them between two looks.

A copy decides what an agent may do, and lies where an agent can write: it bears a MAC, as kept rules do.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.policy.cache import PolicyFile, cache_secret, written_whole
from loomstack_mcp.adapters.policy.folders import FOLDER, LAYER_FILE
from loomstack_mcp.adapters.user import ASKED_FILE
from loomstack_mcp.core.errors import Invalid, PolicyError

_MAC_CHARS = 64
_BYTES_MAX = 16_000_000


def offered_layer(files: Sequence[PolicyFile]) -> dict[str, Any]:
    """What a hub answers to `GET /api/policies`: its hash, and each file by name with its text."""
    texts = {file.name: file.content.decode("utf-8", "surrogateescape") for file in files}
    return {"hash": _hash(texts), "files": texts}


def kept_layer(home: str) -> tuple[PolicyFile, ...]:
    """The hub's rules as they were when it was asked last. Raises PolicyError where there is no copy that we wrote."""
    path = Path(home) / FOLDER / LAYER_FILE
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    mac, body = content[:_MAC_CHARS], content[_MAC_CHARS + 1 :]
    if not content or not hmac.compare_digest(mac, _mac(home, body)):
        what = "is not as it was written" if content else "was not read yet"
        raise PolicyError(
            f"org:1: the copy of the hub's rules, {path}, {what}, so nothing can be judged by them; "
            "`loomstack-mcp policy check` reads them anew where the hub answers"
        )
    texts = json.loads(body)["files"]
    return tuple(
        PolicyFile(layer="org", name=name, content=text.encode("utf-8", "surrogateescape"))
        for name, text in sorted(texts.items())
    )


def kept_hash(home: str) -> str:
    """The hash of the copy; "" where there is none to go on."""
    try:
        return _hash({file.name: file.content.decode("utf-8", "surrogateescape") for file in kept_layer(home)})
    except PolicyError:
        return ""


def keep_layer(home: str, answer: Any, *, hub: str = "") -> None:
    """Keep what the hub of that origin answered.

    Raises Invalid for what is no such answer, OSError where it cannot be written.
    """
    texts = answer.get("files") if isinstance(answer, dict) else None
    is_right = isinstance(texts, dict) and all(_is_text(one) for pair in texts.items() for one in pair)
    if not is_right or not isinstance(texts, dict) or answer.get("hash") != _hash(texts):
        raise Invalid("the hub's answer is no set of rules with its hash")
    body = json.dumps({"files": texts}, ensure_ascii=True).encode()
    if len(body) > _BYTES_MAX:
        raise Invalid(f"the hub's rules have more than {_BYTES_MAX} bytes")
    if answer["hash"] != kept_hash(home):
        folder = Path(home) / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        written_whole(folder / LAYER_FILE, _mac(home, body) + b"\n" + body)
    written_whole(Path(home) / ASKED_FILE, hub.encode())


def _is_text(told: Any) -> bool:
    """Whether it is what a file may hold: a half of a letter that stands for no byte is nothing that could be read."""
    if not isinstance(told, str):
        return False
    try:
        told.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _hash(texts: Mapping[str, str]) -> str:
    body = json.dumps(sorted(texts.items()), ensure_ascii=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"


def _mac(home: str, body: bytes) -> bytes:
    """Of the place and what it holds; of nothing where no key can be had, so that nothing is ever right."""
    secret = cache_secret(Path(home))
    found = hmac.new(secret or os.urandom(32), f"{LAYER_FILE} {home}\n".encode() + body, hashlib.sha256)
    return found.hexdigest().encode()
