"""Which messages the front knows: their fields, and what may stand in each. All else is the SDK's server's to judge."""

from collections.abc import Mapping
from typing import Any

from loomstack_mcp.server.front.definitions import PREFIX
from loomstack_mcp.server.front.messages import Json, NotKnown

VERSION, CAPABILITIES, CLIENT = f"{PREFIX}protocolVersion", f"{PREFIX}clientCapabilities", f"{PREFIX}clientInfo"
_ENVELOPE = frozenset({VERSION, CAPABILITIES, CLIENT})
_NOTHING: frozenset[str] = frozenset()
_PAGE = frozenset({"cursor"})
"""Of a list that has one page."""
_PARAMS: Mapping[str, frozenset[str]] = {
    "initialize": frozenset({"protocolVersion", "capabilities", "clientInfo"}),
    "ping": _NOTHING,
    "server/discover": _NOTHING,
    "tools/list": _PAGE,
    "resources/list": _PAGE,
    "resources/templates/list": _PAGE,
    "prompts/list": _PAGE,
    "tools/call": frozenset({"name", "arguments"}),
    "prompts/get": frozenset({"name", "arguments"}),
    "resources/read": frozenset({"uri"}),
    "subscriptions/listen": frozenset({"notifications"}),
}
"""The methods that are known, and the parameters of each besides `_meta`."""
_CAPABILITIES: Mapping[str, int] = {"experimental": 1, "sampling": 1, "elicitation": 1, "extensions": 1, "tasks": 3}
"""Those of a client, besides roots: each an object of objects, so many levels deep."""
_INFO = frozenset({"name", "title", "version", "description", "websiteUrl"})
_FLAGS = frozenset({"toolsListChanged", "promptsListChanged", "resourcesListChanged"})


def known_request(message: Json) -> tuple[int | str, str, Json]:
    """The id, the method and the parameters of a request. Raises NotKnown."""
    id, method = message["id"], message.get("method")  # noqa: A001 the protocol's word
    params = known_object(message.get("params"))
    is_request = message.get("jsonrpc") == "2.0" and message.keys() <= {"jsonrpc", "id", "method", "params"}
    if not (is_request and _is_id(id) and isinstance(method, str)):
        raise NotKnown
    if method not in _PARAMS or not params.keys() <= _PARAMS[method] | {"_meta"}:
        raise NotKnown
    if not isinstance(params.get("cursor", ""), str | None):
        raise NotKnown
    _known_meta(params)
    return id, method, params


def must_be_notification(message: Json) -> None:
    """Raises NotKnown for what only looks like one."""
    if message.get("jsonrpc") != "2.0":
        raise NotKnown
    _known_meta(known_object(message.get("params")))


def is_enveloped(params: Json) -> bool:
    """Whether a request brings its protocol version, as each of the modern era does. Raises NotKnown for half of it."""
    meta = params.get("_meta", {})
    if VERSION not in meta:
        return False
    if CAPABILITIES not in meta or not isinstance(meta[VERSION], str):
        raise NotKnown
    _known_capabilities(meta[CAPABILITIES])
    if CLIENT in meta:
        _known_info(meta[CLIENT])
    return True


def known_initialize(params: Json) -> str:
    """The revision that a client asks for. Raises NotKnown."""
    revision = params.get("protocolVersion")
    if not isinstance(revision, str):
        raise NotKnown
    _known_capabilities(params.get("capabilities"))
    _known_info(params.get("clientInfo"))
    return revision


def known_filter(params: Json) -> tuple[Json, frozenset[str]]:
    """What a client wants to hear of, as it is acknowledged, and the resources among it. Raises NotKnown."""
    wanted = params.get("notifications")
    if not isinstance(wanted, dict) or not wanted.keys() <= _FLAGS | {"resourceSubscriptions"}:
        raise NotKnown
    uris = wanted.get("resourceSubscriptions", [])
    flags = {name: wanted[name] for name in _FLAGS & wanted.keys()}
    if not _are_texts(uris) or not all(isinstance(flag, bool) for flag in flags.values()):
        raise NotKnown
    honored: Json = {name: True for name, flag in flags.items() if flag}
    return (honored | {"resourceSubscriptions": uris} if uris else honored), frozenset(uris)


def known_object(given: Any) -> Json:
    """An object, an empty one where nothing is given: an empty list is something. Raises NotKnown."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise NotKnown
    return given


def known_texts(given: Any) -> dict[str, str]:
    """Named texts, none where nothing is given. Raises NotKnown."""
    found = known_object(given)
    if not _are_texts(list(found.values())):
        raise NotKnown
    return found


def client_named(params: Any) -> str:
    """How a client calls itself in what it sends, "" where it does not."""
    meta = params.get("_meta") if isinstance(params, dict) else None
    info = params.get("clientInfo") if isinstance(params, dict) else None
    info = info or (meta.get(CLIENT) if isinstance(meta, dict) else None)
    return f"{info.get('name')} {info.get('version')}" if isinstance(info, dict) else ""


def revision_asked(message: Json) -> str:
    """The revision of the protocol that a message asks for, in words, where it opens a session; else ""."""
    params = message.get("params")
    if message.get("method") != "initialize" or not isinstance(params, dict):
        return ""
    return f"it asks for revision {params.get('protocolVersion')} of the protocol"


def _known_meta(params: Json) -> None:
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        raise NotKnown
    if "progressToken" in meta and not _is_id(meta["progressToken"]):
        raise NotKnown
    if any(name.startswith(PREFIX) and name not in _ENVELOPE for name in meta):
        raise NotKnown


def _known_capabilities(given: Any) -> None:
    if not isinstance(given, dict) or not given.keys() <= {"roots", *_CAPABILITIES}:
        raise NotKnown
    roots = given.get("roots", {})
    if not isinstance(roots, dict) or not all(isinstance(flag, bool) for flag in roots.values()):
        raise NotKnown
    if not all(_are_objects(given[name], _CAPABILITIES[name]) for name in given.keys() - {"roots"}):
        raise NotKnown


def _known_info(given: Any) -> None:
    if not isinstance(given, dict) or not {"name", "version"} <= given.keys() <= _INFO:
        raise NotKnown
    if not _are_texts(list(given.values())):
        raise NotKnown


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _are_objects(value: Any, levels: int) -> bool:
    """Whether a value is an object, and all in it so many levels down."""
    return isinstance(value, dict) and (not levels or all(_are_objects(part, levels - 1) for part in value.values()))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
