"""Whether a client has a hook of ours at each event, and whether it is told of each step that matters."""

from collections.abc import Iterator, Sequence

from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.doctor_files import Entries, table_at, tables_at, text_at
from loomstack_mcp.core.clients.files.hook_entries import ClientHook, is_our_hook, uncovered
from loomstack_mcp.core.clients.files.own_names import NAME
from loomstack_mcp.core.records import record

_LOST = {
    "SessionStart": "sessions are not briefed",
    "UserPromptSubmit": "messages wait for a call",
    "SubagentStart": "sub-agents have no run of their own",
    "PreToolUse": "edits are not checked against claims",
    "PostToolUse": "what shell commands changed is not looked at",
    "PostToolUseFailure": "what shell commands that failed had changed is not looked at",
    "SubagentStop": "what sub-agents held stays held for a while",
    "Stop": "what is left open is not told",
    "SessionEnd": "runs end by their lease alone",
}
_CALLS = f"mcp__{NAME}__"


@record
class FoundHook:
    """A hook of ours as it stands in a file."""

    event: str
    group: Entries
    entry: Entries
    place: str
    """By which Codex keeps whether it is trusted: the event in its spelling, the group and the entry, by number."""
    reason: str = ""
    """Why the client does not run it; "" where it does, or that cannot be told."""

    @property
    def command(self) -> str:
        """What the client starts; "" where it asks the server's tool."""
        return "" if text_at(self.entry, "type") == "mcp_tool" else text_at(self.entry, "command")


def our_hooks(tree: Entries, wanted: Sequence[ClientHook]) -> Iterator[FoundHook]:
    """Our hooks in one file, at the events that we want."""
    for event in (hook.event for hook in wanted):
        spelled = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in event).strip("_")
        for at, group in tables_at(table_at(tree, "hooks"), event):
            for index, entry in tables_at(group, "hooks"):
                if is_our_hook(dict(entry)):
                    yield FoundHook(event=event, group=group, entry=entry, place=f"{spelled}:{at}:{index}")


def missing_checks(client: str, wanted: Sequence[ClientHook], found: Sequence[FoundHook]) -> Iterator[Check]:
    """What is lost without the hooks that are not there."""
    there = {hook.event for hook in found}
    missing = [hook.event for hook in wanted if hook.event not in there]
    if not there:
        said = f"no hook: {_LOST['PreToolUse']}"
        yield Check(check=f"{client} hook", status="warn", found=said, mend=INIT)
    elif missing:
        lost = "; ".join(f"{event}: {_LOST[event]}" for event in missing)
        yield Check(check=f"{client} events", status="warn", found=f"no hook at {lost}", mend=INIT)


def unseen_checks(client: str, wanted: Sequence[ClientHook], found: Sequence[FoundHook]) -> Iterator[Check]:
    """Steps that no hook of ours is told of, by the matchers that somebody chose."""
    for hook in wanted:
        matchers = [each.group.get("matcher", "") for each in found if each.event == hook.event]
        unseen = set.intersection(*(set(uncovered(each, hook.matcher)) for each in matchers)) if matchers else ()
        if not unseen:
            continue
        names = ", ".join(tool for tool in hook.matcher.split("|") if tool in unseen)
        said = f"the hook at {hook.event} is not told of {names}"
        yield Check(check=f"{client} matcher", status="warn", found=said, mend=INIT)
        if hook.event == "PreToolUse" and all(uncovered(each, _CALLS) for each in matchers):
            said = "the hook does not see calls of our tools: sub-agents are not told apart"
            yield Check(check=f"{client} sub-agents", status="warn", found=said, mend=INIT)


def idle_checks(client: str, found: Sequence[FoundHook], mend: str) -> Iterator[Check]:
    """Events at which the client runs no hook of ours, though there is one."""
    running = {hook.event for hook in found if not hook.reason}
    idle = {hook.event: hook.reason for hook in reversed(found) if hook.event not in running}
    for reason in dict.fromkeys(reversed(idle.values())):
        events = [event for event in reversed(idle) if idle[event] == reason]
        where = "" if not running and len(set(idle.values())) == 1 else f" at {', '.join(events)}"
        said = f"{client} does not run the hook{where}: {reason}"
        yield Check(check=f"{client} hook", status="warn", found=said, mend=mend)


def hook_commands(found: Sequence[FoundHook]) -> tuple[str, ...]:
    """What the client starts, one for each event that has one."""
    commands = {hook.event: hook.command for hook in reversed(found) if hook.command and not hook.reason}
    return tuple(commands[event] for event in _LOST if event in commands)
