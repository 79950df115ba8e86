"""Which files another server's tool would write, as far as the names of its arguments tell."""

from collections.abc import Iterator

from loomstack_mcp.core.clients.payload import Payload, is_sound_text
from loomstack_mcp.core.errors import Invalid

_NAMES = frozenset({
    *("path", "paths", "filepath", "filepaths", "file", "files", "filename", "filenames", "uri", "uris", "notebook"),
    *("dir", "directory", "folder", "src", "source", "dst", "dest", "destination", "target"),
})  # fmt: skip
"""The last word of an argument's name: `file_path`, `notebookPath`, `relative-path`, `targetFile`."""
_PATHS = frozenset({"path", "paths", "filepath", "filepaths", "filename", "filenames"})
"""Those that never hold a file's text, so that a line feed is one of a name."""
_READING = frozenset({
    *("read", "get", "list", "search", "find", "view", "show", "stat", "info", "describe", "query", "fetch", "diff"),
    *("log", "grep", "glob", "tree", "exists", "open", "lookup", "resolve", "inspect", "check", "validate", "analyze"),
    *("count", "preview", "watch"),
})  # fmt: skip
_WRITING = frozenset({
    *("write", "edit", "create", "delete", "remove", "move", "rename", "replace", "insert", "update", "append", "put"),
    *("patch", "apply", "save", "set", "add", "copy", "overwrite", "modify", "rewrite", "format", "refactor", "touch"),
    *("mkdir", "truncate", "restore", "revert"),
})  # fmt: skip
_FOLDERS = frozenset({"delete", "remove", "move", "rename", "rm", "rmdir", "replace"})
"""What a tool does that takes whole folders along."""
_DEPTH_MAX = 12
_PATH_CHARS_MAX = 4_096
_VALUES_MAX = 20_000
PATHS_NAMED_MAX = 200
"""Of one call; one that names more is not judged."""


def written_paths(tool: str, arguments: Payload, /) -> tuple[str, ...]:
    """The paths in the arguments of a tool that does not only read, nested ones and `file:` URIs too.

    A tool's name tells what it does: what neither reads nor writes by its words counts as writing. Raises Invalid where
    there are more than anybody would judge.
    """
    if is_reading(tool):
        return ()
    found: dict[str, None] = {}
    for name, value in _texts(arguments, tool):
        if path := _path(name, value) if _names_path(name) else _uri(value):
            found[path] = None
    if len(found) > PATHS_NAMED_MAX:
        raise Invalid(f"{tool[:80]} names more files than the {PATHS_NAMED_MAX} that are judged; call it for fewer")
    return tuple(found)


def is_reading(tool: str, /) -> bool:
    """Whether a tool only reads, by the words of its name; any word of writing outweighs them."""
    words = set(_words(tool.rpartition("__")[2]))
    return bool(words & _READING) and not words & _WRITING


def takes_folders(tool: str, /) -> bool:
    """Whether a folder among a tool's arguments means all that is in it."""
    return not _FOLDERS.isdisjoint(_words(tool.rpartition("__")[2]))


def _texts(arguments: Payload, tool: str) -> Iterator[tuple[str, str]]:
    """Every text in the arguments, with the name under which it stands."""
    todo: list[tuple[str, object, int]] = [("", arguments, 0)]
    for _ in range(_VALUES_MAX):
        if not todo:
            return
        name, value, depth = todo.pop()
        if isinstance(value, str):
            yield name, value
        elif depth < _DEPTH_MAX:
            todo += [(inner, one, depth + 1) for inner, one in _inside(name, value)]
        else:
            break
    raise Invalid(f"the arguments of {tool[:80]} are too many or too deep to be judged; call it for fewer files")


def _inside(name: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        # `{"src/a.py": "text"}` under a name of files: its keys are the files. A URI is one under any name.
        is_named = _names_path(name)
        keys = [(name, key) for key in map(str, value) if _is_uri(key) or (is_named and ("." in key or "/" in key))]
        return [*keys, *((str(key), one) for key, one in value.items())]
    return [(name, one) for one in value] if isinstance(value, list) else []


def _names_path(name: str) -> bool:
    words = _words(name)
    return bool(words) and words[-1] in _NAMES


def _words(name: str) -> list[str]:
    """`targetFilePath` and `target_file-path` as their words; `filepath` is one."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter if letter.isalnum() else " " for letter in name)
    joined = spaced if any(letter.islower() for letter in name) else name.replace("_", " ").replace("-", " ")
    return joined.lower().split()


def _path(name: str, value: str) -> str:
    """A path as a system takes it; "" for what is none: another URI, text of several lines but where a path stands."""
    if "://" in value or _is_uri(value):
        return _uri(value)
    is_one = "\n" not in value or (_words(name)[-1] in _PATHS and len(value) <= _PATH_CHARS_MAX)
    return value if value and is_one and is_sound_text(value) else ""


def _is_uri(value: str) -> bool:
    return value[:5].lower() == "file:" and "\n" not in value


def _uri(value: str) -> str:
    """The file of a `file:` URI (RFC 8089) on this machine; "" for any other text."""
    if not _is_uri(value):
        return ""
    from urllib.parse import unquote, urlsplit  # 5 ms, for the few calls that name a file so

    try:
        found = urlsplit(value)
        path = unquote(found.path, errors="strict")
    except ValueError:
        return ""
    is_here = found.netloc in ("", "localhost", "127.0.0.1")
    return path if is_here and path.startswith("/") and is_sound_text(path) else ""
