"""The message of a commit that git is making: what it will say, and the trailers that are added to it."""

import os
from collections.abc import Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.run import as_text, run
from loomstack_mcp.core.changes.trailers import TRAILER, named_runs
from loomstack_mcp.core.errors import Invalid

_FIXUPS_MAX = 200


def message_text(path: Path, /) -> str:
    """The file that git is about to read, every byte of it."""
    return as_text(path.read_bytes())


def has_words(place: Place, text: str, /) -> bool:
    """Whether anything but comments, by git's own settings of those, is in a message."""
    return bool(run(place.folder, "stripspace", "--strip-comments", stdin=text.encode("utf-8", "surrogateescape")).text)


def keeps_comments(place: Place, /) -> bool:
    """Whether git takes lines like comments for words: it opens no editor (githooks(5)), and no setting takes them out.

    So `git commit -m '#12 mend'` has a title (git-commit(1), --cleanup).
    """
    is_unedited = os.environ.get("GIT_EDITOR") == ":"
    return is_unedited and run(place.folder, "config", "--get", "commit.cleanup").text != "strip"


def is_moved(place: Place, /) -> bool:
    """Whether a rebase only moves this commit: it has not stopped for anybody to work on it (git-rebase(1))."""
    folder = place.git_dir / "rebase-merge"
    return folder.exists() and not (folder / "stopped-sha").exists()


def melded_runs(place: Place, text: str, /) -> tuple[str, ...]:
    """The runs of all that a squash makes one commit of: by the messages in its file, comments counted, and by those
    of fixups, which git leaves out of it."""
    try:
        listed = (place.git_dir / "rebase-merge" / "current-fixups").read_text("utf-8", "replace").split("\n")
    except OSError:
        listed = []
    shas = [line.rpartition(" ")[2] for line in listed if line][:_FIXUPS_MAX]
    log = run(place.folder, "log", "--no-walk", "--format=%B", *shas, "--").text if shas else ""
    return tuple(dict.fromkeys((*named_runs(text), *named_runs(log))))


def add_trailers(place: Place, path: Path, runs: Sequence[str], /) -> None:
    """Name these runs at the end of the message in a file, each once, where git looks for trailers.

    Raises Invalid where git does not.
    """
    text = path.read_bytes()
    if text and not text.endswith(b"\n"):  # as a merge leaves it; then git would set no blank line before a trailer
        path.write_bytes(text + b"\n")
    options = ("--in-place", "--no-divider", "--where=end", "--if-exists=addIfDifferent", "--if-missing=add")
    trailers = [f"--trailer={TRAILER}: {one}" for one in runs]
    # Settings of trailers may leave a token out, or take another separator.
    asked = ("-c", "trailer.separators=:", "interpret-trailers", *options, *trailers, "--", os.path.abspath(path))  # noqa: PTH100
    if (ran := run(place.folder, *asked)).code:
        raise Invalid(f"the message got no {TRAILER} line: {ran.complaint}")


def staged_paths(place: Place, /) -> tuple[str, ...]:
    """What is about to be committed, by the index that git names to its hooks; renames are both ends."""
    index = os.environ.get("GIT_INDEX_FILE")
    named = {"GIT_INDEX_FILE": str(place.folder / index)} if index else {}
    asked = ("diff", "--cached", "--no-renames", "--no-ext-diff", "--name-only", "-z", "--ignore-submodules=none")
    ran = run(place.folder, *asked, variables=named)
    return tuple(as_text(ran.printed).split("\0")[:-1]) if ran.code == 0 else ()


def changed_paths(place: Place, /) -> frozenset[str]:
    """What of the worktree's files is not as the index has it."""
    ran = run(place.folder, "diff", "--no-ext-diff", "--name-only", "-z", "--ignore-submodules=none")
    return frozenset(as_text(ran.printed).split("\0"))


def made_commit(place: Place, /) -> tuple[str, str, tuple[str, ...]]:
    """What HEAD is now: its id, its message, and the paths that it changed; of a merge none. Raises Invalid."""
    asked = ("log", "-1", "--no-renames", "--no-ext-diff", "--no-show-signature", "--name-only", "-z")
    ran = run(place.folder, *asked, "--format=%H%x00%B%x00")
    sha, _, rest = as_text(ran.printed).partition("\0")
    message, _, names = rest.partition("\0")
    if ran.code or not sha:
        raise Invalid(f"the commit cannot be read: {ran.complaint}")
    return sha, message, tuple(name for name in names.strip("\0\n").split("\0") if name.strip("\n"))


def messages_of(place: Place, shas: Sequence[str], /) -> dict[str, str]:
    """The message of each of these commits; where one cannot be read, of none."""
    asked = ("log", "--no-walk=unsorted", "--no-show-signature", "-z", "--format=%H%n%B", "--stdin")
    ran = run(place.folder, *asked, stdin="".join(f"{sha}\n" for sha in dict.fromkeys(shas)).encode())
    found = (one.partition("\n") for one in as_text(ran.printed).split("\0")) if ran.code == 0 else ()
    return {sha: message for sha, _, message in found if sha}
