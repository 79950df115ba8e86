"""Our entries among a client's hooks: one for each event that we answer, by a command or by a tool of the server."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from loomstack_mcp.core.clients.files.json_text import JsonTree, branch, pruned
from loomstack_mcp.core.clients.files.own_names import GUARD, HOOK, NAME
from loomstack_mcp.core.records import record

ClientName = Literal["claude", "codex"]
ON_STEPS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
"""The events of a step, which the tool can answer as well; the server is not there yet, or no more, at the others."""

_EVENTS = ("SessionStart", "UserPromptSubmit", "SubagentStart", *ON_STEPS, "SubagentStop", "Stop", "SessionEnd")
# Claude Code tells of a shell line that failed by an event of its own (run on 2.1.330), Codex as of any other.
_CLAUDES_OWN = {"PostToolUseFailure"}
# What edits, runs a line, or may write through another server; calls of ours too, for only a hook is told which
# sub-agent calls, and from where. Codex matches its patches by `Edit` and `Write` (run on 0.169.0, 2026-11).
_MATCHERS = {
    ("claude", "PreToolUse"): "Edit|Write|MultiEdit|NotebookEdit|Bash|Monitor|mcp__.*",
    ("claude", "PostToolUse"): "Bash|Monitor",
    ("claude", "PostToolUseFailure"): "Bash|Monitor",
    ("codex", "PreToolUse"): "Edit|Write|Bash|mcp__.*",
    ("codex", "PostToolUse"): "Bash",
}
_OLD = f"mcp__{NAME}__.*"
"""What stood there before the tools of all servers did."""
_SECONDS_MAX = {"SessionEnd": 3}  # Codex cuts a longer one to that, and says so to a person (0.169.0)
_SECONDS_MAX_ELSE = 10
_TOLD = ("session_id", "cwd", "tool_use_id", "tool_name", "tool_input")
# What says how we are called. All else in an entry is a person's.
_WAY = {"type", "command", "server", "tool", "input", "onFailure"}


@record
class ClientHook:
    """What we write for one event of a client."""

    event: str
    matcher: str
    """The tools by which it is called; "" of an event that is about none."""
    entry: JsonTree


def client_hooks(client: ClientName, *, guard: bool = False) -> tuple[ClientHook, ...]:
    """The hooks of a client, in the order of a session; those on steps by the server's tool where `guard` says so."""
    return tuple(
        ClientHook(
            event=event,
            matcher=_MATCHERS.get((client, event), ""),
            entry=_tool(client, event) if guard and event in ON_STEPS else _command(client, event),
        )
        for event in _EVENTS
        if client == "claude" or event not in _CLAUDES_OWN
    )


def with_hooks(tree: JsonTree, wanted: Sequence[ClientHook]) -> JsonTree:
    """Settings of either client with these hooks, each once.

    What a person added to an entry of ours, or to its matcher, stays. Raises Invalid where they are of another kind.
    """
    hooks = branch(tree, "hooks", {})
    for hook in wanted:
        hooks = {**hooks, hook.event: _with_hook(branch(hooks, hook.event, []), hook)}
    return {**tree, "hooks": hooks}


def without_hooks(tree: JsonTree) -> JsonTree:
    """Settings of either client without any hook of ours."""
    hooks = tree.get("hooks")
    if not isinstance(hooks, dict):
        return tree
    left = hooks
    for event, groups in hooks.items():
        if isinstance(groups, list):
            left = pruned(left, event, _without_hook(groups))
    return pruned(tree, "hooks", left)


def is_our_hook(entry: object) -> bool:
    """Whether an entry calls our command, or our server's tool."""
    if not isinstance(entry, dict):
        return False
    if entry.get("type") == "mcp_tool":
        return entry.get("tool") == GUARD and str(entry.get("server")).rpartition(":")[2] == NAME
    command = entry.get("command")
    words = command.split() if isinstance(command, str) else []
    return bool(words) and re.split(r"[/\\]", words[0])[-1] == HOOK


def uncovered(matcher: object, wanted: str) -> tuple[str, ...]:
    """The tools that `wanted` names and a group's matcher does not; one that names none is told of all."""
    found = matcher if isinstance(matcher, str) else "?"
    if found in ("", "*", ".*"):
        return ()
    named = found.split("|")
    return tuple(tool for tool in wanted.split("|") if tool and not any(_names(each, tool) for each in named))


def _names(pattern: str, tool: str) -> bool:
    return pattern == tool or (pattern.endswith(".*") and tool.startswith(pattern[:-2]))


def _command(client: str, event: str) -> JsonTree:
    timeout = _SECONDS_MAX.get(event, _SECONDS_MAX_ELSE)
    return {"type": "command", "command": f"{HOOK} {client} {event}", "timeout": timeout}


def _tool(client: str, event: str) -> JsonTree:
    """As a call of the server's tool. Codex lets a step go on where a placeholder is empty, so it is given few."""
    given = (*_TOLD, "agent_id") if client == "claude" else _TOLD
    asked = {"hook_event_name": event, **{name: f"${{{name}}}" for name in given}}
    called: JsonTree = {"type": "mcp_tool", "server": NAME, "tool": GUARD, "input": asked}
    entry = {**called, "timeout": _SECONDS_MAX_ELSE}
    # Only what comes before a step can be kept from it, and only Claude Code can be told so.
    return {**entry, "onFailure": "block"} if (client, event) == ("claude", "PreToolUse") else entry


def _with_hook(groups: list[Any], hook: ClientHook) -> list[Any]:
    found = [(group, entry) for group in groups for entry in _entries(group) if is_our_hook(entry)]
    if not found:
        return [*groups, _group(hook.matcher, hook.entry)]
    group, entry = found[0]
    kept = _kept(entry, hook.entry)
    missing = uncovered(group.get("matcher", ""), hook.matcher)
    if len(found) == 1 and kept == entry and not missing:
        return groups
    matcher = _widened(group["matcher"], missing) if missing else group.get("matcher", "")
    return [*_without_hook(groups), _group(matcher, kept)]


def _group(matcher: str, entry: JsonTree) -> JsonTree:
    return {"matcher": matcher, "hooks": [entry]} if matcher else {"hooks": [entry]}


def _kept(found: JsonTree, wanted: JsonTree) -> JsonTree:
    """The entry with what a person changed in it: all but how we are called, and there the path of our program."""
    if found.get("type", "command") != wanted["type"]:
        return {**wanted, **{name: value for name, value in found.items() if name not in _WAY}}
    if "command" not in wanted:
        return {**found, "input": wanted["input"]}
    program = found["command"].split()[0]
    return {**found, "command": " ".join([program, *wanted["command"].split()[1:]])}


def _widened(matcher: object, missing: Sequence[str]) -> str:
    """A group's matcher with these tools behind those that a person named, and those that we did."""
    named = matcher.split("|") if isinstance(matcher, str) else []
    return "|".join([*(each for each in named if each != _OLD), *missing])


def _without_hook(groups: list[Any]) -> list[Any]:
    """The groups without our hook; a group that has no other is gone."""
    return [left for group in groups for left in _without_ours(group)]


def _without_ours(group: Any) -> Iterator[Any]:
    entries = _entries(group)
    others = [entry for entry in entries if not is_our_hook(entry)]
    if others or not entries:
        yield group if others == entries else {**group, "hooks": others}


def _entries(group: object) -> list[Any]:
    entries = group.get("hooks") if isinstance(group, dict) else None
    return entries if isinstance(entries, list) else []
