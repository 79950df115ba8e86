"""Git, run: without the caller's GIT_* variables, prompts, locks and network."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import SECOND_MS

ASK_SECONDS_MAX = 10
"""Of a question that git answers at once, on a slow or busy machine too."""
READ_SECONDS_MAX = 120
"""Of reading a history, a diff or a tree."""
ASIDE = ("-c", "core.splitIndex=false", "-c", f"core.hooksPath={os.devnull}")
"""For a command that writes an index aside: git would write a part of it to the repository, and run its hooks."""
_COMPLAINT_CHARS = 200
_SECONDS_MAX = 253_402_300_799
# What `refs/replace/` puts in an object's place can be pushed by anybody: nothing here follows it.
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Ran:
    """What git printed, and how it ended; 127 where there is no git."""

    code: int
    printed: bytes
    complained: bytes

    @property
    def text(self) -> str:
        """What it printed, without line feeds around it; "" where it failed."""
        return as_text(self.printed).strip("\n") if self.code == 0 else ""

    @property
    def complaint(self) -> str:
        """The first line of git's complaint, for a sentence."""
        first = as_text(self.complained).strip().partition("\n")[0][:_COMPLAINT_CHARS]
        return first or f"git ended with {self.code}"


def run(
    folder: Path,
    *arguments: str,
    seconds_max: float = ASK_SECONDS_MAX,
    stdin: bytes = b"",
    variables: Mapping[str, str] = _NONE,
) -> Ran:
    """One git command, with these variables besides. Raises Invalid where it takes longer than `seconds_max`."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment(os.environ) | dict(variables),
            input=stdin,
            capture_output=True,
            timeout=seconds_max,
            check=False,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return Ran(127, b"", b"")
    except subprocess.TimeoutExpired:
        raise Invalid(f"git did not answer within {seconds_max} s in {folder}; is the disk slow or locked?") from None
    return Ran(done.returncode, done.stdout, done.stderr)


def environment(given: Mapping[str, str], /) -> dict[str, str]:
    """The environment for git: inherited GIT_* variables would point it to another repository."""
    return {name: value for name, value in given.items() if not name.startswith("GIT_")} | _QUIET


def as_text(printed: bytes, /) -> str:
    """What git printed, every byte of it: names are bytes to git, and need be no UTF-8."""
    return printed.decode("utf-8", "surrogateescape")


def committed_at_ms(seconds: str, /) -> int:
    """When a commit says that it was made: 0 where it says nothing, and at most the end of the year 9999.

    Git takes any number of 64 bits, which neither a store nor a calendar can hold.
    """
    return min(int(seconds or 0), _SECONDS_MAX) * SECOND_MS
