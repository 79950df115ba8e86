"""Whether Codex knows the server, may start it, and runs the hook. All run on Codex 0.169.0, 2026-11."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.doctor_files import (
    Client,
    Entries,
    SettingsReader,
    Surroundings,
    table_at,
    tables_at,
    text_at,
    texts_at,
    words_at,
)
from loomstack_mcp.adapters.install.doctor_plugins import codex_plugins
from loomstack_mcp.core.clients.files.own_names import HOOK, NAME, VARIABLES

_CLIENT = "Codex"
_INHERITED = ("HOME", "LANG", "PATH", "TERM")
_HOOK_SECONDS = 600
_HOOK_KEYS = {"type": str, "command": str, "timeout": int, "async": bool}


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """What Codex reads, by who wrote it."""

    own: Entries
    """The user's config.toml, which also holds what they trust."""
    user: Entries
    """Their own entry of our server."""
    project: Entries
    """The worktree's."""
    is_trusted: bool
    own_hooks: tuple[tuple[Path | str, Entries], ...]
    """What may hold hooks of the user's, by its file or by a plugin's name for that."""
    project_hooks: tuple[tuple[Path, Entries], ...]
    """The files that may hold a project's, those of its main worktree."""

    @property
    def states(self) -> list[tuple[str, str]]:
        """Of each hook that counts here, why Codex does not run it, and its command. A user's own count everywhere."""
        counted = (*self.own_hooks, *(self.project_hooks if self.is_trusted else ()))
        return [state for where, tree in counted for state in _states(where, tree, self.own)]

    @property
    def has_hook(self) -> bool:
        """Whether there is one at all, also where none counts."""
        theirs = (state for where, tree in self.project_hooks for state in _states(where, tree, self.own))
        return bool(self.states) or any(True for _ in theirs)


def codex(place: Surroundings) -> Client:
    """What Codex makes of the server in this worktree."""
    if shutil.which("codex") is None:
        return Client(name=_CLIENT, checks=(Check(check=_CLIENT, status="ok", found="not installed"),), is_there=False)
    files = SettingsReader(_CLIENT)
    settings = _read(place, files)
    if files.broken:
        return Client(name=_CLIENT, checks=tuple(files.broken))
    entry = {**settings.user, **settings.project}
    if not entry:
        return Client(name=_CLIENT, checks=(_warns("does not know the server here", INIT),))
    if entry.get("enabled") is False:
        mend = f"take `enabled = false` out of [mcp_servers.{NAME}], in .codex/config.toml or your own"
        return Client(name=_CLIENT, checks=(_warns("the server is switched off", mend),))
    first = Check(check=_CLIENT, status="ok", found="knows the server")
    if settings.project and not settings.is_trusted:
        found = "the folder is not trusted, so its settings do not count"
        first = _warns(found, "start `codex` here and trust the folder")
    env = {**texts_at(settings.user, "env"), **texts_at(settings.project, "env")}
    passed = (*_INHERITED, *words_at(entry, "env_vars"), *_named(entry))
    return Client(
        name=_CLIENT,
        checks=(
            first,
            *_passing(entry, passed),
            *_hook(settings, place),
            *_unseen(settings),
        ),
        entry=entry,
        environment={**{name: place.environment[name] for name in passed if name in place.environment}, **env},
        hook=next((command for state, command in settings.states if not state), ""),
        is_approved=settings.is_trusted or "url" not in settings.project,
    )


def _read(place: Surroundings, files: SettingsReader) -> _Settings:
    moved = place.environment.get("CODEX_HOME")
    folder = Path(moved) if moved else place.home / ".codex"
    own = files.toml(folder / "config.toml")
    levels = [table_at(own, "projects", str(root)).get("trust_level") for root in place.roots]
    theirs = place.main / ".codex"
    shared = {root: files.toml(root / ".codex" / "config.toml") for root in place.roots}
    return _Settings(
        own=own,
        user=table_at(own, "mcp_servers", NAME),
        project=table_at(shared[place.root], "mcp_servers", NAME),
        # What is said of the worktree itself goes first.
        is_trusted=next((level for level in levels if level), None) == "trusted",
        own_hooks=(
            (folder / "hooks.json", files.json(folder / "hooks.json")),
            (folder / "config.toml", own),
            *codex_plugins(folder, own, files),
        ),
        project_hooks=(
            (theirs / "hooks.json", files.json(theirs / "hooks.json")),
            (theirs / "config.toml", shared[place.main]),
        ),
    )


def _passing(entry: Entries, passed: Sequence[str]) -> Iterator[Check]:
    """Whether what somebody sets reaches the server, as it reaches Claude Code's."""
    missing = [name for name in VARIABLES if name not in passed and name not in texts_at(entry, "env")]
    if missing and "url" not in entry:
        found = f"does not pass {', '.join(missing)} on to the server, as Claude Code does"
        yield Check(check=f"{_CLIENT} settings", status="warn", found=found, mend=INIT)


def _named(entry: Entries) -> Iterator[str]:
    """The variables of `env_vars` that are written as tables."""
    for _, each in tables_at(entry, "env_vars"):
        yield text_at(each, "name")


def _hook(settings: _Settings, place: Surroundings) -> Iterator[Check]:
    name = f"{_CLIENT} hook"
    reasons = [reason for reason, _ in settings.states]
    if not settings.has_hook:
        found, mend = "no hook: edits are not checked against claims", INIT
        if place.root != place.main:
            found, mend = f"no hook in {place.main}, where Codex looks for it", f"cd {place.main} && {INIT}"
        yield Check(check=name, status="warn", found=found, mend=mend)
    elif reasons and "" not in reasons:
        mend = "start `codex` here and see to it with /hooks"
        yield Check(check=name, status="warn", found=f"Codex does not run the hook: {reasons[0]}", mend=mend)


def _unseen(settings: _Settings) -> Iterator[Check]:
    """Codex trusts a plugin's hook together with each file of the plugin, by a hash that only it can compute."""
    for where, tree in settings.own_hooks:
        if isinstance(where, str) and any(not state for state, _ in _states(where, tree, settings.own)):
            found = "each update of it has to be trusted anew; whether that was done is not seen here, /hooks tells"
            yield Check(check=f"{_CLIENT} plugin", status="ok", found=found)


def _states(path: Path | str, tree: Entries, own: Entries) -> Iterator[tuple[str, str]]:
    """Why Codex does not run each hook of ours in a file, "" where it does or that cannot be told, and its command."""
    for group_index, group in tables_at(table_at(tree, "hooks"), "PreToolUse"):
        for index, handler in tables_at(group, "hooks"):
            if f"{HOOK} codex" in text_at(handler, "command"):
                kept = table_at(own, "hooks", "state", f"{path}:pre_tool_use:{group_index}:{index}")
                yield _state(kept, group, handler), text_at(handler, "command")


def _state(kept: Entries, group: Entries, handler: Entries) -> str:
    if kept.get("enabled") is False:
        return "it is switched off"
    if not (trusted := kept.get("trusted_hash")):
        return "you have not trusted it"
    is_plain = all(isinstance(value, _HOOK_KEYS.get(name, ())) for name, value in handler.items())
    if is_plain and trusted != f"sha256:{_hash(group, handler)}":
        return "it has changed since you trusted it"
    return ""


def _hash(group: Entries, handler: Entries) -> str:
    """As Codex computes it: over sorted JSON without blanks, with its defaults filled in."""
    filled = {"async": False, "timeout": _HOOK_SECONDS, **handler}
    matcher = {"matcher": text_at(group, "matcher")} if "matcher" in group else {}
    told = {"event_name": "pre_tool_use", "hooks": [filled], **matcher}
    printed = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(printed.encode("utf-8", "surrogatepass")).hexdigest()


def _warns(found: str, mend: str) -> Check:
    return Check(check=_CLIENT, status="warn", found=found, mend=mend)
