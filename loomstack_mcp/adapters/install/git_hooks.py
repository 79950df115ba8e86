"""Git's own hooks in a clone: ours beside a person's, which runs first, is never changed, and comes back as it was."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from loomstack_mcp.adapters.install.hooks_folders import GIT_HOOKS
from loomstack_mcp.core.clients.files.own_names import HOOK
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record

MARK = "# loomstack git hook "
KEPT = ".loomstack-kept"
"""The ending of the name of a hook that was there before ours."""
_STUB = Path(__file__).with_name("git_hook.sh")
_MARKED_BYTES = 200
_PRE_COMMIT = b"hook-impl"
"""What is in each hook of pre-commit's, and in nobody else's."""
_PROGRAM = re.compile(r"^program=.*\n", re.MULTILINE)

GitHookVerb = Literal["new", "chain", "change", "remove", "restore"]
_WORDS: dict[GitHookVerb, str] = {
    "new": "git's hook",
    "chain": "git's hook; the one that is there is kept, and runs first",
    "change": "git's hook, as this version has it",
    "remove": "git's hook",
    "restore": "the hook that was there before",
}


@record
class GitHookStep:
    """One hook as it is to be changed."""

    verb: GitHookVerb
    name: str
    path: Path

    @property
    def brief(self) -> str:
        """What a person is shown of it."""
        return _WORDS[self.verb]

    @property
    def kept_path(self) -> Path:
        """Where the hook is that was there before ours."""
        return self.path.with_name(f"{self.name}{KEPT}")


def planned_git_hooks(folder: Path) -> tuple[GitHookStep, ...]:
    """What has to change so that git runs ours, and what it ran before. Raises Invalid."""
    return tuple(_planned(folder))


def planned_git_hooks_removal(folder: Path) -> tuple[GitHookStep, ...]:
    """What has to change so that git runs what it ran before us, and nothing of ours is left."""
    return tuple(_removal(folder))


def carry_out_git_hooks(steps: Sequence[GitHookStep]) -> None:
    """Do it. Each step alone leaves a clone whose hooks run; after a kill the next one goes on from there.

    Raises Invalid, naming the hook that cannot be written.
    """
    for step in steps:
        try:
            _carry_out(step)
        except OSError as error:
            raise Invalid(
                f"cannot write {step.path}: {error.strerror}; hooks before it are changed, run it again"
            ) from None


def git_hook_text(path: Path) -> str:
    """The text of our hook at a path. Where people share the file, it names no program of one of them."""
    program = Path(sys.executable).with_name(HOOK) if _is_of_git(path) else Path()
    named = shlex.quote(str(program)) if program.is_file() else ""
    return _STUB.read_text("utf-8").replace("__NAME__", path.name).replace("__PROGRAM__", named)


def is_current_git_hook(path: Path) -> bool:
    """Whether a hook of ours is as this version writes it, and can run; another installation's program is as good."""
    text = path.read_text("utf-8", "replace")
    return os.access(path, os.X_OK) and _PROGRAM.sub("", text) == _PROGRAM.sub("", git_hook_text(path))


def is_our_git_hook(path: Path) -> bool:
    """Whether a file is a hook of ours, of whatever version."""
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(_MARKED_BYTES)
    except OSError:
        return False


def _is_of_git(path: Path) -> bool:
    """Whether a hook lies in git's own folder of the clone, a bare one's too, which nobody shares."""
    return ".git" in path.parts or (path.parent.parent / "HEAD").is_file()


def _planned(folder: Path) -> Iterator[GitHookStep]:
    for name in GIT_HOOKS:
        step = GitHookStep(verb="new", name=name, path=folder / name)
        if is_our_git_hook(step.path):
            if not is_current_git_hook(step.path):
                yield GitHookStep(verb="change", name=name, path=step.path)
        elif os.path.lexists(step.path):
            if step.path.is_dir():
                raise Invalid(f"{step.path} is a folder; move it away, nothing was changed")
            yield GitHookStep(verb="chain", name=name, path=step.path)
        else:
            yield step


def _removal(folder: Path) -> Iterator[GitHookStep]:
    for name in GIT_HOOKS:
        step = GitHookStep(verb="restore", name=name, path=folder / name)
        is_ours = is_our_git_hook(step.path)
        if os.path.lexists(step.kept_path):
            yield step
        elif is_ours or any(_moved_aside(step)):
            yield GitHookStep(verb="remove", name=name, path=step.path)


def _carry_out(step: GitHookStep) -> None:
    if step.verb == "chain":
        _put_back_kept(step)
        _keep(step)
    if step.verb in ("new", "chain", "change"):
        _write(step)
        return
    is_ours = is_our_git_hook(step.path)
    if os.path.lexists(step.kept_path) and (is_ours or not os.path.lexists(step.path)):
        step.kept_path.replace(step.path)
    elif is_ours:
        step.path.unlink()
    _put_back_kept(step)
    for moved in _moved_aside(step):
        moved.unlink()


def _keep(step: GitHookStep) -> None:
    """Keep a person's hook beside ours: by a second name first, so that there is a hook at every moment."""
    try:
        os.link(step.path, step.kept_path, follow_symlinks=False)
    except OSError:  # a file system that has no second names
        step.path.rename(step.kept_path)


def _put_back_kept(step: GitHookStep) -> None:
    """What another hook has replaced ours with meanwhile is in force: what was kept lies where it would without us."""
    if not os.path.lexists(step.kept_path):
        return
    moved = list(_moved_aside(step))
    if _is_same_manager(step.kept_path.read_bytes(), step.path.read_bytes()):
        for path in (step.kept_path, *moved):
            path.unlink()
    elif moved:
        step.kept_path.replace(moved[0])
    else:
        step.kept_path.replace(_free_name(step))


def _is_same_manager(old: bytes, new: bytes) -> bool:
    """Whether one became the other: pre-commit writes its own anew, and refuses to be called by an older one."""
    return old == new or (_PRE_COMMIT in old and _PRE_COMMIT in new)


def _moved_aside(step: GitHookStep) -> Iterator[Path]:
    """Where another has put our hook: `.legacy` (pre-commit), `.old` (lefthook)."""
    return (path for path in sorted(step.path.parent.glob(f"{step.name}.*")) if is_our_git_hook(path))


def _free_name(step: GitHookStep) -> Path:
    names = (step.path.with_name(f"{step.name}.before-loomstack-{number}") for number in range(1, 1_000))
    return next(path for path in names if not os.path.lexists(path))


def _write(step: GitHookStep) -> None:
    step.path.parent.mkdir(parents=True, exist_ok=True)
    temporary = step.path.with_name(f".{step.name}.loomstack-new")
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()
        with temporary.open("xb") as file:
            file.write(git_hook_text(step.path).encode())
        temporary.chmod(0o755)
        temporary.replace(step.path)
    finally:
        temporary.unlink(missing_ok=True)
