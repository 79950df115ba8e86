"""Whether Claude Code knows the server, may start it, and checks edits. All run on Claude Code 2.1.330, 2026-11."""

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.doctor_files import (
    Client,
    Entries,
    SettingsReader,
    Surroundings,
    table_at,
    text_at,
    texts_at,
    words_at,
)
from loomstack_mcp.adapters.install.doctor_hooks import hook_commands, missing_checks, our_hooks, unseen_checks
from loomstack_mcp.adapters.install.doctor_plugins import claude_plugin
from loomstack_mcp.core.clients.files.hook_entries import client_hooks
from loomstack_mcp.core.clients.files.own_names import NAME
from loomstack_mcp.core.clients.files.permission_rules import is_rule_for_all_tools, is_rule_for_tools
from loomstack_mcp.core.records import record

_CLIENT = "Claude Code"
_WANTED = client_hooks("claude")
_RULES = f"{_CLIENT} rules"
_LOCAL = ".claude/settings.local.json"
_ACCEPT = "start `claude` in this folder and accept"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@record
class _Settings:
    """What Claude Code reads, by who wrote it."""

    everywhere: Entries
    """The user's own entry of our server, for all folders."""
    state: Entries
    """What Claude Code keeps of this project; a linked worktree shares that of the main one."""
    is_trusted: bool
    user: tuple[Path, Entries]
    local: tuple[tuple[Path, Entries], ...]
    """The main worktree's count in a linked one as well."""
    tracked: tuple[Path, ...]
    """Those of `local` that are in git: not the user's word."""
    project: tuple[Path, Entries]
    shared: Entries
    """The entry in .mcp.json."""
    plugin: Entries
    """What a plugin of ours adds."""

    @property
    def files(self) -> tuple[tuple[Path, Entries], ...]:
        return (self.user, *self.local, self.project)

    @property
    def hooks(self) -> tuple[Entries, ...]:
        """All in which a hook may stand."""
        return (*(tree for _, tree in self.files), self.plugin)

    @property
    def personal(self) -> tuple[tuple[Path, Entries], ...]:
        return (self.user, *(each for each in self.local if each[0] not in self.tracked))

    @property
    def personal_answers(self) -> tuple[Entries, ...]:
        return (self.state, *(tree for _, tree in self.personal))


def claude_code(place: Surroundings) -> Client:
    """What Claude Code makes of the server in this worktree."""
    if shutil.which("claude") is None:
        return Client(name=_CLIENT, checks=(Check(check=_CLIENT, status="ok", found="not installed"),), is_there=False)
    files = SettingsReader(_CLIENT)
    settings = _read(place, files)
    if files.broken:
        return Client(name=_CLIENT, checks=tuple(files.broken))
    first, entry = _server(settings)
    if not entry:
        return Client(name=_CLIENT, checks=(first,))
    # Where only a file that came with the repository says yes, nobody has said yes to this server.
    is_approved = entry is not settings.shared or any(map(_accepts, settings.personal_answers))
    entry = _expanded(entry, place.environment)
    found = [hook for tree in settings.hooks for hook in our_hooks(tree, _WANTED)]
    return Client(
        name=_CLIENT,
        checks=(
            first,
            *_rules(settings),
            *missing_checks(_CLIENT, _WANTED, found),
            *unseen_checks(_CLIENT, _WANTED, found),
            *_print_mode(entry, settings),
        ),
        entry=entry,
        environment={**place.environment, **texts_at(entry, "env")},
        hooks=hook_commands(found),
        is_approved=first.status == "ok" and is_approved,
        denied=tuple((path, rule) for path, tree in settings.files for rule in _rules_of(tree, "deny")),
    )


def _read(place: Surroundings, files: SettingsReader) -> _Settings:
    moved = place.environment.get("CLAUDE_CONFIG_DIR")
    folder = Path(moved) if moved else place.home / ".claude"
    own = files.json((folder if moved else place.home) / ".claude.json")
    projects = table_at(own, "projects")
    local = tuple(root / _LOCAL for root in place.roots)
    project = place.root / ".claude" / "settings.json"
    user, ours = files.json(folder / "settings.json"), files.json(project)
    nearer = [*(files.json(path) for path in local), ours]
    return _Settings(
        everywhere=table_at(own, "mcpServers", NAME),
        state=table_at(projects, str(place.main)),
        is_trusted=any(table_at(projects, str(root)).get("hasTrustDialogAccepted") is True for root in place.roots),
        user=(folder / "settings.json", user),
        local=tuple(zip(local, nearer, strict=False)),
        tracked=tuple(root / _LOCAL for root in place.roots if place.tracks(root, _LOCAL)),
        project=(project, ours),
        shared=table_at(files.json(place.root / ".mcp.json"), "mcpServers", NAME),
        plugin=claude_plugin(folder, user, nearer, files),
    )


def _server(settings: _Settings) -> tuple[Check, Entries]:
    """What is so, and the entry that Claude Code would use: of this folder, else .mcp.json, else of the user."""
    answers = (settings.state, *(tree for _, tree in settings.files))
    is_off = any(NAME in words_at(tree, "disabledMcpjsonServers") for tree in answers)
    is_accepted = any(map(_accepts, answers))
    may_start = not is_off and (_accepts(settings.user[1]) or (is_accepted and settings.is_trusted))
    own = _own(settings, shared_goes_first=bool(settings.shared) and may_start)
    if not own and not settings.shared:
        return _warns("does not know the server here", INIT), {}
    if NAME in words_at(settings.state, "disabledMcpServers") or (is_off and not own):
        mend = "start `claude` here and enable it with /mcp"
        return _warns("the server is switched off for this folder", mend), {}
    if own:
        return Check(check=_CLIENT, status="ok", found="knows the server from your own settings"), own
    return _shared_check(may_start=may_start, is_accepted=is_accepted), settings.shared


def _own(settings: _Settings, *, shared_goes_first: bool) -> Entries:
    """The user's own entry that counts: that of this folder, else the one for all folders."""
    here = table_at(settings.state, "mcpServers", NAME)
    return here or ({} if shared_goes_first else settings.everywhere)


def _shared_check(*, may_start: bool, is_accepted: bool) -> Check:
    """What is so of the entry in .mcp.json, where no other goes before it."""
    if may_start:
        return Check(check=_CLIENT, status="ok", found="knows the server and may start it")
    if is_accepted:
        found = "the server waits for your approval: the folder is not trusted, so what approves it does not count"
        return _warns(found, _ACCEPT)
    mend = f"{_ACCEPT} the server (`claude -p` does not ask)"
    return _warns("the server waits for your approval", mend)


def _rules(settings: _Settings) -> Iterator[Check]:
    for path, tree in settings.files:
        yield from _denied(path, tree)
    if settings.tracked:
        found = f"{_LOCAL} is in git, so that its permissions do not count"
        mend = f"git -C {shlex.quote(str(settings.tracked[0].parent.parent))} rm --cached {_LOCAL}"
        yield Check(check=_RULES, status="warn", found=found, mend=mend)
        return
    # Claude Code heeds a project's permissions only once its folder is trusted.
    counted = (*settings.personal, *((settings.project,) if settings.is_trusted else ()))
    if not any(map(is_rule_for_tools, (rule for _, tree in counted for rule in _rules_of(tree, "allow")))):
        found = "our tools are not allowed: it asks about each call, and `claude -p` refuses them"
        yield Check(check=_RULES, status="warn", found=found, mend=INIT)


def _denied(path: Path, tree: Entries) -> Iterator[Check]:
    if denied := [rule for rule in _rules_of(tree, "deny") if is_rule_for_tools(rule)]:
        found = f"{path} denies {', '.join(denied)}"
        mend = f"take that out of permissions.deny in {path}"
        yield Check(
            check=_RULES, status="fail" if any(map(is_rule_for_all_tools, denied)) else "warn", found=found, mend=mend
        )


def _rules_of(tree: Entries, answer: str) -> Sequence[str]:
    """The permissions of a file that allow, or deny."""
    return words_at(table_at(tree, "permissions"), answer)


def _print_mode(entry: Entries, settings: _Settings) -> Iterator[Check]:
    if entry.get("command") == settings.shared.get("command") is not None:
        found = "waits two seconds for the server and then asks its model without our tools; with --mcp-config it waits"
        yield Check(check="claude -p", status="ok", found=f"{found}: claude -p --mcp-config .mcp.json …")


def _warns(found: str, mend: str) -> Check:
    return Check(check=_CLIENT, status="warn", found=found, mend=mend)


def _accepts(answers: Entries) -> bool:
    """Whether the answers that a person gave let a project's server start."""
    return NAME in words_at(answers, "enabledMcpjsonServers") or answers.get("enableAllProjectMcpServers") is True


def _expanded(entry: Entries, environment: Mapping[str, str]) -> Entries:
    """The entry with `${NAME}` and `${NAME:-default}` as Claude Code fills them in; an unset name stays.

    Not in the URL: `doctor` asks it, and no repository shall learn a variable that way.
    """

    def filled(word: str) -> str:
        return _VARIABLE.sub(lambda found: environment.get(found[1], found[0] if found[2] is None else found[2]), word)

    changed: dict[str, object] = {"args": [filled(word) for word in words_at(entry, "args")]}
    changed["env"] = {name: filled(value) for name, value in texts_at(entry, "env").items()}
    if command := text_at(entry, "command"):
        changed["command"] = filled(command)
    return {**entry, **changed}
