"""Scratch repositories for policy cases: made by git, step by step, as a case tells it."""

import base64
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import UNCONFIGURED, run
from loomstack_mcp.core.errors import Invalid

_SECONDS_MAX = 30
_FILES_MAX = 20_000
_BYTES_MAX = 50_000_000
_WHO = ("-c", "user.name=agent-1", "-c", "user.email=agent-1@localhost", "-c", "maintenance.auto=false",
        "-c", f"core.attributesFile={os.devnull}", "-c", f"core.excludesFile={os.devnull}")  # fmt: skip

GitStep = Mapping[str, Any]


class Scratch:
    """One repository in a folder of its own, on the branch `main`, and the commits that its steps marked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marks: dict[str, str] = {"zero": "0" * 40}
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--template=", "--initial-branch=main")

    @cached_property
    def repository(self) -> Repository:
        """The repository as the steps left it; what is asked of it is remembered, so play them first."""
        return Repository(place_at(self.root))

    def close(self) -> None:
        """End what still reads it."""
        self.repository.close()

    def play(self, steps: Sequence[GitStep]) -> None:
        """Do the steps in order. Raises Invalid for one that is unknown, or that git refuses."""
        for step in steps:
            name = next((key for key in step if key in _STEPS), "")
            if not name:
                raise Invalid(f"the git step {dict(step)!r:.80} is unknown; known are {', '.join(_STEPS)}")
            _STEPS[name](self, step[name], step)

    def commit_of(self, name: str) -> str:
        """The commit of a mark, of a branch, or the name itself."""
        return self.marks.get(name) or self.git("rev-parse", "--verify", "--quiet", "--end-of-options", name) or name

    def git(self, *arguments: str, at: str = "") -> str:
        """What git prints. Raises Invalid where it fails, but for a question to `rev-parse`."""
        dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
        done = run(self.root, *_WHO, *arguments, seconds_max=_SECONDS_MAX, variables=UNCONFIGURED | dates)
        if done.code and arguments[0] != "rev-parse":
            raise Invalid(f"git {' '.join(arguments)[:80]} failed in the scratch repository: {done.complaint}")
        return done.text.strip()

    def path(self, name: str) -> Path:
        """A path in it, below folders that are there. Raises Invalid for one that leads out."""
        path = self.root / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise Invalid(f"the path {name!r:.80} of a git step leads out of the scratch repository")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def written(self, files: Mapping[str, bytes]) -> None:
        """The files are there, with this content. Raises Invalid for more than a scratch repository may hold."""
        if sum(map(len, files.values())) > _BYTES_MAX or len(files) > _FILES_MAX:
            raise Invalid("a git step writes more than a scratch repository may hold")
        for name, content in files.items():
            self.path(name).write_bytes(content)


def _write(scratch: Scratch, files: Mapping[str, str], _: GitStep) -> None:
    scratch.written({name: text.encode() for name, text in files.items()})


def _write_b64(scratch: Scratch, files: Mapping[str, str], _: GitStep) -> None:
    scratch.written({name: base64.b64decode(text) for name, text in files.items()})


def _write_bytes_name(scratch: Scratch, files: Mapping[str, str], _: GitStep) -> None:
    scratch.written({os.fsdecode(base64.b64decode(name)): text.encode() for name, text in files.items()})


def _generate(scratch: Scratch, wanted: Mapping[str, Any], _: GitStep) -> None:
    """`{count, under, text}`: that many small files in a folder."""
    under, text = wanted.get("under", "many"), wanted.get("text", "generated\n")
    scratch.written({f"{under}/{number:05}.txt": f"{text}{number}\n".encode() for number in range(wanted["count"])})


def _size(scratch: Scratch, files: Mapping[str, int], _: GitStep) -> None:
    scratch.written({name: b"x" * min(size, _BYTES_MAX + 1) for name, size in files.items()})


def _rm(scratch: Scratch, names: str | Sequence[str], _: GitStep) -> None:
    for name in [names] if isinstance(names, str) else names:
        path = scratch.path(name)
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _mv(scratch: Scratch, pair: Sequence[str], _: GitStep) -> None:
    scratch.path(pair[0]).rename(scratch.path(pair[1]))


def _symlink(scratch: Scratch, links: Mapping[str, str], _: GitStep) -> None:
    for name, target in links.items():
        scratch.path(name).symlink_to(target)


def _gitlink(scratch: Scratch, links: Mapping[str, Any], _: GitStep) -> None:
    for name, sha in links.items():
        scratch.git("update-index", "--add", "--cacheinfo", f"160000,{sha!s:0>40},{name}")


def _commit(scratch: Scratch, message: str, step: GitStep) -> None:
    if not step.get("no_add"):
        scratch.git("add", "--all")
    author = ("--author", f"{step['author']} <{step['author']}@localhost>") if "author" in step else ()
    scratch.git("commit", "--quiet", "--no-verify", "--allow-empty", "-m", message, *author, at=step.get("at", ""))


def _merge(scratch: Scratch, wanted: Mapping[str, str] | str, _: GitStep) -> None:
    ref = wanted if isinstance(wanted, str) else wanted["ref"]
    strategy = () if isinstance(wanted, str) or "strategy" not in wanted else ("-s", wanted["strategy"])
    scratch.git("merge", "--quiet", "--no-ff", "--no-edit", *strategy, scratch.commit_of(ref))


def _mark(scratch: Scratch, name: str, _: GitStep) -> None:
    scratch.marks[name] = scratch.git("rev-parse", "HEAD")


_STEPS: Mapping[str, Callable[[Scratch, Any, GitStep], object]] = {
    "write": _write,
    "write_b64": _write_b64,
    "write_bytes_name": _write_bytes_name,
    "generate": _generate,
    "size": _size,
    "rm": _rm,
    "mv": _mv,
    "symlink": _symlink,
    "gitlink": _gitlink,
    "commit": _commit,
    "stage": lambda scratch, _, __: scratch.git("add", "--all"),
    "mark": _mark,
    "branch": lambda scratch, name, _: scratch.git("checkout", "--quiet", "-b", name),
    "checkout": lambda scratch, name, _: scratch.git("checkout", "--quiet", scratch.marks.get(name, name)),
    "merge": _merge,
    "revert": lambda scratch, name, _: scratch.git("revert", "--no-edit", scratch.commit_of(name)),
    "reset": lambda scratch, name, _: scratch.git("reset", "--quiet", "--hard", scratch.commit_of(name)),
}
