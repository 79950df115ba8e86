"""Whether Codex knows the server, may start it, and runs the hook. All run on Codex 0.169.0, 2026-11."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from loomstack_mcp.adapters.install.doctor_hooks import (
    FoundHook,
    hook_commands,
    idle_checks,
    missing_checks,
    our_hooks,
    unseen_checks,
)
from loomstack_mcp.adapters.install.doctor_plugins import codex_plugins
from loomstack_mcp.core.clients.files.hook_entries import client_hooks
from loomstack_mcp.core.clients.files.own_names import NAME, VARIABLES
from loomstack_mcp.core.records import record

_CLIENT = "Codex"
_WANTED = client_hooks("codex")
_INHERITED = ("HOME", "LANG", "PATH", "TERM")
_HOOK_SECONDS = 600
_HOOK_KEYS: dict[str, type] = {"type": str, "command": str, "timeout": int, "async": bool}
_HOOK_KEYS |= {"server": str, "tool": str, "input": dict}


@record
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
    def hooks(self) -> list[FoundHook]:
        """Each hook of ours that counts here. A user's own count everywhere."""
        counted = (*self.own_hooks, *(self.project_hooks if self.is_trusted else ()))
        return [hook for where, tree in counted for hook in _found(where, tree, self.own)]

    @property
    def all_hooks(self) -> list[FoundHook]:
        """Those, and those that do not count as long as the folder is not trusted."""
        theirs = () if self.is_trusted else self.project_hooks
        return [*self.hooks, *(hook for where, tree in theirs for hook in _found(where, tree, self.own))]


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
            *idle_checks(_CLIENT, settings.hooks, "start `codex` here and see to it with /hooks"),
            *unseen_checks(_CLIENT, _WANTED, settings.all_hooks),
            *_updates(settings),
        ),
        entry=entry,
        environment={**{name: place.environment[name] for name in passed if name in place.environment}, **env},
        hooks=hook_commands(settings.hooks),
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
    for check in missing_checks(_CLIENT, _WANTED, settings.all_hooks):
        if place.root == place.main:
            yield check
        else:
            found = check.found.replace("no hook", f"no hook in {place.main}, where Codex looks for it,", 1)
            yield replace(check, found=found, mend=f"cd {place.main} && {INIT}")


def _updates(settings: _Settings) -> Iterator[Check]:
    """Codex trusts a plugin's hook together with each file of the plugin, by a hash that only it can compute."""
    for where, tree in settings.own_hooks:
        if isinstance(where, str) and any(not hook.reason for hook in _found(where, tree, settings.own)):
            found = "each update of it has to be trusted anew; whether that was done is not seen here, /hooks tells"
            yield Check(check=f"{_CLIENT} plugin", status="ok", found=found)


def _found(path: Path | str, tree: Entries, own: Entries) -> Iterator[FoundHook]:
    """Our hooks in a file, each with why Codex does not run it, "" where it does or that cannot be told."""
    for hook in our_hooks(tree, _WANTED):
        kept = table_at(own, "hooks", "state", f"{path}:{hook.place}")
        yield replace(hook, reason=_state(kept, hook))


def _state(kept: Entries, hook: FoundHook) -> str:
    if kept.get("enabled") is False:
        return "it is switched off"
    if not (trusted := kept.get("trusted_hash")):
        return "you have not trusted it"
    is_plain = all(isinstance(value, _HOOK_KEYS.get(name, ())) for name, value in hook.entry.items())
    if is_plain and trusted != f"sha256:{_hash(hook)}":
        return "it has changed since you trusted it"
    return ""


def _hash(hook: FoundHook) -> str:
    """As Codex computes it: over sorted JSON without blanks, with its defaults filled in."""
    of_commands = {"async": False} if "command" in hook.entry else {}
    filled = {**of_commands, "timeout": _HOOK_SECONDS, **hook.entry}
    matcher = {"matcher": text_at(hook.group, "matcher")} if "matcher" in hook.group else {}
    told = {"event_name": hook.place.partition(":")[0], "hooks": [filled], **matcher}
    printed = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(printed.encode("utf-8", "surrogatepass")).hexdigest()


def _warns(found: str, mend: str) -> Check:
    return Check(check=_CLIENT, status="warn", found=found, mend=mend)
