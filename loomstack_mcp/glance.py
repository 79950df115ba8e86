"""A hook's first look: whether an edit surely stands in nobody's way. In few modules, and without git.

It need not know which repository a file lies in: it is sure only where nobody else holds
anything near that path in any.
"""

import json
import os
import time

from loomstack_mcp.adapters.git.layout import marked_clone, marked_tops, plain_layout
from loomstack_mcp.adapters.user import (
    ASKED_FILE,
    HUB_RULES,
    MEMORY_FILE,
    RULES_FOLDER,
    USER_FILE,
    home_named,
    may_be_paused,
    plain_hub,
    principal,
    store_file,
)
from loomstack_mcp.core.limits import (
    CALL_SEEN_FOR_MS,
    GLANCED_PATHS_MAX,
    HOOK_LOOKS_AGAIN_MS,
    PATTERN_CHARS_MAX,
    SECOND_MS,
)
from loomstack_mcp.store.sqlite.hasty import (
    has_no_alerts,
    line_began,
    line_stamp,
    noted_call,
    remembered_stamps,
    seen_stamps,
)

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loomstack_mcp.core.clients.payload import Action
    from loomstack_mcp.remote.glance import HubGlance

_SETTINGS = (
    "LOOMSTACK_REPO",
    "LOOMSTACK_REWORK_MAX",
    "LOOMSTACK_WINDOW_DAYS",
    "LOOMSTACK_GENERATED",
    "LOOMSTACK_GUARD",
)
"""What is checked the full way, where it is set."""
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-"
"""Letters of a path that is its own pattern; of another only the closer look asks a hub."""
_UNSURE, _IN_NONE = ("", "?"), ("", "")
"""Places of files: where only the closer look can tell, and in no repository."""


def is_settled(action: "Action", /) -> bool:
    """Whether nothing is left to be said or told: a call of ours was noted, or an edit is clear and was seen before.

    False is no answer.
    """
    home, hub, store = _stores()
    if not store or not home.startswith("/") or any(os.environ.get(name) for name in _SETTINGS):
        return False
    if action.is_ours:
        return (bool(hub) or not _is_there(f"{home}/{USER_FILE}")) and _is_noted(store, action)
    if action.kind == "edit":
        return _is_clear(home, hub, store, action)
    return _is_read(home, hub, store, action)


def has_line(action: "Action", /) -> bool:
    """Whether a shell line that is over may be one that was seen to begin. True is no answer."""
    home, hub, store = _stores()
    if not store or (not hub and _is_there(f"{home}/{USER_FILE}")):
        return True
    return _is_there(store) and line_began(store, action.session, action.tool_use)


def is_unalerted(session: str, agent: str, /) -> bool:
    """Whether there is surely nothing to tell an agent. False is no answer."""
    if not session:
        return True
    home, hub, store = _stores()
    if hub:
        return _over_hub(hub, home).is_unalerted({"principal": "", "session": session, "agent": agent})
    if not store or not home.startswith("/") or _is_there(f"{home}/{USER_FILE}"):
        return False
    return not _is_there(store) or has_no_alerts(store, {"principal": principal(), "session": session, "agent": agent})


def _stores() -> tuple[str, str, str]:
    """The home, the hub that is plainly the store, if any, and the file that is, or what is remembered beside a hub."""
    home = home_named(os.environ)
    hub = plain_hub(os.environ, home)
    return home, hub, f"{home}/{MEMORY_FILE}" if hub else store_file(os.environ, home)


def _over_hub(hub: str, home: str) -> "HubGlance":
    from loomstack_mcp.remote.glance import HubGlance  # sockets, for those who have a hub

    return HubGlance(hub, home, os.environ)


def surely_committing(session: str, agent: str, certain: bool, /) -> str:
    """The run in which an agent commits where this process stands; "" where only a closer look can tell."""
    from loomstack_mcp.store.sqlite.hasty_runs import surely_committing_run  # what an edit does without

    store, layout = _plain_store(), plain_layout(os.getcwd())
    git_dir = os.environ.get("GIT_DIR")
    if not (store and layout and layout[0].isprintable()) or (git_dir and os.path.realpath(git_dir) != layout[1]):
        return ""
    who = {"principal": principal(), "session": session}
    return surely_committing_run(store, who, agent=agent, certain=certain, worktree=layout[0])


def surely_unedited() -> bool:
    """Whether nothing is held for the edits of anybody; False is no answer."""
    from loomstack_mcp.store.sqlite.hasty_runs import surely_holds_no_edits  # what an edit does without

    store = _plain_store()
    return bool(store) and surely_holds_no_edits(store)


def _plain_store() -> str:
    """The store where no settings may choose another; "" where there is none, or that is not plain."""
    home = home_named(os.environ)
    store = store_file(os.environ, home)
    is_chosen = _is_there(f"{home}/{USER_FILE}") or any(map(os.environ.get, _SETTINGS))
    if is_chosen or not home.startswith("/") or may_be_paused(home, now_ms=round(time.time() * SECOND_MS)):
        return ""
    return store if store and _is_there(store) else ""


def stamp_of(files: "Iterable[str]", /) -> str:
    """What the file system says of some files now, as a text: by it a glance knows that nobody wrote to them since."""
    return json.dumps({file: _said_of(file) for file in files})


def plain_place(path: str, cwd: str) -> tuple[str, str]:
    """The top of a file's worktree, and the file's path there, where both are plain; else not what any path is.

    Plain are ASCII letters, no link on the way, and one clone: what lies in another one may be its submodule.
    """
    name = path if path.startswith("/") else os.path.join(cwd, path) if os.path.isdir(cwd) else ""
    if not (name.startswith("/") and name.isascii() and name.isprintable() and _is_straight(name)):
        return _UNSURE
    tops = marked_tops(os.path.dirname(name))
    top, above = next(tops, ""), next(tops, "")
    if not top:
        return _IN_NONE
    inside = name.removeprefix(top).lstrip("/")
    is_usual = ".git" not in inside.split("/") and 2 * len(inside) <= PATTERN_CHARS_MAX  # each letter may be escaped
    return (top, inside) if is_usual and _is_plain(top, above) else _UNSURE


def _is_noted(store: str, action: "Action") -> bool:
    if not (action.session and action.tool_use):
        return False
    call = {"session": action.session, "agent": action.agent, "tool_use": action.tool_use, "folder": action.cwd}
    return _is_there(store) and noted_call(store, call, kept_for_ms=CALL_SEEN_FOR_MS)


def _is_read(home: str, hub: str, store: str, action: "Action") -> bool:
    """Whether a step is for certain one that only reads, and no rule of its worktree minds any of its kind."""
    if not action.session or not _only_reads(action) or may_be_paused(home, now_ms=round(time.time() * SECOND_MS)):
        return False
    top, inside = plain_place(f"{action.cwd.rstrip('/')}/x", "")
    if not (top and inside):
        return False
    stamp = line_stamp(store, {"session": action.session, "agent": action.agent}, top)
    return bool(stamp) and _holds(stamp, home, hub)


def _only_reads(action: "Action") -> bool:
    """Whether a shell line writes nothing for certain; a tool of another server is held to the files that it names."""
    if action.kind == "tool":
        return not action.paths
    from loomstack_mcp.core.shell.plain import only_reads  # which no edit needs

    return only_reads(action.command)


def _is_clear(home: str, hub: str, store: str, action: "Action") -> bool:
    if not action.session or len(action.paths) > GLANCED_PATHS_MAX:
        return False
    inside = [plain_place(path, action.cwd) for path in action.paths]
    is_sure = _IN_NONE not in inside and _UNSURE not in inside
    if not is_sure or may_be_paused(home, now_ms=round(time.time() * SECOND_MS)):
        return False
    if hub:
        return _is_clear_there(home, hub, store, action, inside)
    caller = {"principal": principal(), "session": action.session, "agent": action.agent}
    stamps = seen_stamps(store, caller, inside, claim_edits=os.environ.get("LOOMSTACK_CLAIM_EDITS", ""))
    return bool(stamps) and all(_holds(stamp, home, "") for stamp in dict.fromkeys(stamps))


def _is_clear_there(home: str, hub: str, memory: str, action: "Action", places: "Sequence[tuple[str, str]]") -> bool:
    """The same where what others hold is the hub's to say: of one worktree, whose rules this machine remembers."""
    who = {"session": action.session, "agent": action.agent}
    found = remembered_stamps(memory, who, places)
    where = {(folder, repo) for (folder, _), (_, _, repo, _) in zip(places, found, strict=False)}
    if len(where) != 1 or not all(_holds(stamp, home, hub) for stamp, *_ in found):
        return False
    edits = os.environ.get("LOOMSTACK_CLAIM_EDITS", "") or found[0][1]
    patterns = [path for _, path in places]
    if not edits or "".join(patterns).strip(_PLAIN):
        return False
    asked = {"principal": "", **who}
    if not any(about for *_, about in found):
        return _over_hub(hub, home).is_clear(asked, *where.pop(), patterns, claim_edits=edits)
    [(folder, repo)] = where
    is_here = plain_place(f"{action.cwd.rstrip('/')}/x", "")[0] == folder  # whose rules have a say, too
    is_beyond = is_here and all(
        _is_beyond(folder, path, about) for path, (*_, about) in zip(patterns, found, strict=True)
    )
    return is_beyond and edits == "auto" and _over_hub(hub, home).is_held(asked, folder, repo, patterns)


def _is_beyond(folder: str, path: str, about: str) -> bool:
    """Whether a file was judged itself, or is nothing that rules are about."""
    if not about:
        return True
    from loomstack_mcp.core.patterns.gitignore import compiled  # expressions, which no further edit needs

    return not (compiled(json.loads(about)).loose(path) or os.path.isdir(f"{folder}/{path}"))


def _holds(stamp: str, home: str, hub: str) -> bool:
    """Whether a stamp is still right, and is of the user's settings and the hub's rules, as they were lately.

    A text that is no stamp never is.
    """
    found = json.loads(stamp) if stamp else {}
    is_whole = f"{home}/{USER_FILE}" in found and (not hub or _was_told_lately(found, home, hub))
    return is_whole and all(_said_of(each) == said for each, said in found.items())


def _was_told_lately(files: "Iterable[str]", home: str, hub: str) -> bool:
    """Whether some files are of the copy of this hub's rules, and it told them lately: a closer look asks it anew."""
    copies = (file for file in files if file.startswith(f"{home}/{HUB_RULES}") and file.endswith(f"/{RULES_FOLDER}"))
    asked = f"{os.path.dirname(next(copies, ''))}/{ASKED_FILE}"
    try:
        with open(asked, encoding="utf-8") as opened:
            age_ms = (time.time() - os.fstat(opened.fileno()).st_mtime) * SECOND_MS
            return opened.read() == hub and age_ms < HOOK_LOOKS_AGAIN_MS
    except (OSError, UnicodeDecodeError):
        return False


def _said_of(file: str) -> list[int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    # Nobody sets the time of the last change back, as `cp --preserve` does the other one.
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]


def _is_plain(top: str, above: str) -> bool:
    """Whether a worktree lies as most do, and what is marked above it is of the same clone."""
    layout = plain_layout(top)
    return layout is not None and layout[0] == top and (not above or marked_clone(above) == layout[2])


def _is_straight(name: str) -> bool:
    """Whether a path is all there is to say of where a file lies."""
    return os.path.normpath(name) == name == os.path.realpath(name)


def _is_there(path: str) -> bool:
    return os.path.lexists(path)
