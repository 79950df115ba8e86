"""A process really started, with the git processes it starts and the modules it loads written down."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deadlines import seconds
from tests.wire import Server

_COUNTED = Path(__file__).with_name("counted")
_ROOT = Path(__file__).parents[2]
_OURS = "loomstack_mcp"
_GIT = """#!/bin/sh
# Writes its arguments into a file of its own, and becomes the real git.
printf '%s\\0' "$@" > {folder}/git.$$
exec {git} "$@"
"""
_QUIET_S = 15


@dataclass(frozen=True, kw_only=True)
class Started:
    """A process that has ended, and what it cost."""

    status: int
    printed: str
    said: str
    git: tuple[tuple[str, ...], ...]
    """The arguments of each git process, in the order of their starts."""
    modules: frozenset[str]

    @property
    def ours(self) -> frozenset[str]:
        """The loaded modules of this package."""
        return frozenset(name for name in self.modules if name.partition(".")[0] == _OURS)

    @property
    def verbs(self) -> Counter[str]:
        """How often each of git's commands was called."""
        return Counter(_verb(call) for call in self.git)

    @property
    def questions(self) -> frozenset[tuple[str, ...]]:
        """The different ones among the git processes."""
        return frozenset(self.git)


@dataclass(frozen=True, kw_only=True)
class _Counts:
    folder: Path
    variables: Mapping[str, str] = field(repr=False)

    def git(self) -> tuple[tuple[str, ...], ...]:
        # Files of the same tick of the file system's clock are in the order of their processes' numbers.
        calls = sorted(self.folder.glob("git.*"), key=lambda path: (path.stat().st_mtime_ns, int(path.suffix[1:])))
        return tuple(tuple(call.read_bytes().decode("utf-8", "replace").split("\0")[:-1]) for call in calls)

    def modules(self, process: int) -> frozenset[str]:
        return frozenset((self.folder / f"modules.{process}").read_text("utf-8").split("\n"))


def started(command: list[str], *, cwd: Path, environment: Mapping[str, str], stdin: str = "") -> Started:
    """Run a command to its end."""
    with _counting(environment) as counts:
        process = subprocess.Popen(
            command, cwd=cwd, env=counts.variables, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with process:
            try:
                printed, said = process.communicate(stdin, timeout=seconds(_QUIET_S))
            finally:
                process.kill()
        return Started(
            status=process.returncode, printed=printed, said=said, git=counts.git(), modules=counts.modules(process.pid)
        )


def started_server(
    command: list[str], *, cwd: Path, environment: Mapping[str, str], calls: Sequence[tuple[str, dict[str, Any]]] = ()
) -> Started:
    """Start a server on stdio, let it answer `initialize` and these calls of tools, and end its input."""
    with _counting(environment) as counts:
        with Server(command, cwd=cwd, env=dict(counts.variables), fresh=True) as server:
            answer: dict[str, Any] = server.request("initialize", _INITIALIZE, quiet_s=_QUIET_S)
            for tool, arguments in calls:
                server.answer(tool, **arguments)
        return Started(
            status=server.process.returncode,
            printed=str(answer["result"]["serverInfo"]["name"]),
            said=server.whole_stderr(),
            git=counts.git(),
            modules=counts.modules(server.process.pid),
        )


_INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "house", "version": "1"}}


def _verb(call: tuple[str, ...]) -> str:
    words = iter(call)
    for word in words:
        if word in ("-c", "-C"):
            next(words, "")
        elif not word.startswith("-"):
            return word
    return " ".join(call)


@contextmanager
def _counting(environment: Mapping[str, str]) -> Iterator[_Counts]:
    git = shutil.which("git")
    assert git, "there is no git on PATH"
    with tempfile.TemporaryDirectory(prefix="loomstack-counts-") as folder:
        counted = Path(folder) / "bin" / "git"
        counted.parent.mkdir()
        counted.write_text(_GIT.format(folder=shlex.quote(folder), git=shlex.quote(git)))
        counted.chmod(0o755)
        variables = {
            **environment,
            "HOUSE_COUNTS": folder,
            "PATH": f"{counted.parent}{os.pathsep}{environment['PATH']}",
            # The code beside these tests, whatever is installed.
            "PYTHONPATH": f"{_COUNTED}{os.pathsep}{_ROOT}",
        }
        yield _Counts(folder=Path(folder), variables=variables)
