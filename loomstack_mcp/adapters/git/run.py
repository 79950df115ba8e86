"""Git, run: with a few of the caller's variables, and without prompts, locks, network, hooks and watchers."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.records import record

ASK_SECONDS_MAX = 10
"""Of a question that git answers at once, on a slow or busy machine too."""
READ_SECONDS_MAX = 120
"""Of reading a history, a diff or a tree."""
_COMPLAINT_CHARS = 200
_COUNT_DIGITS_MAX = 3
_SECONDS_MAX = 253_402_300_799
_PASSED = (
    *("HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME", "EMAIL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    # Whose repositories root may read under sudo, and the files that a person's own settings are in instead: where
    # `safe.directory` stands. What those say beyond it counts as much, or as little, as what $HOME/.gitconfig says.
    *("SUDO_UID", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_DISCOVERY_ACROSS_FILESYSTEM"),
)
"""All that git is given of our environment, and of its PATH: any other variable may move it, or name a program."""
_PASSED_SETTINGS = ("safe.directory", "user.")
"""What is kept of the settings in `GIT_CONFIG_COUNT` and `git -c`: whom to trust, and who we are."""
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # git before 2.44 fetches what a partial clone lacks all the same
    "LC_ALL": "C",
    # What stands in an object's place, or in its parents', can be pushed by anybody: nothing here follows it.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
}
_PINNED = (("core.fsmonitor", "false"), ("core.hooksPath", os.devnull))
"""For every command, and those that git starts itself: both name programs that run while git reads."""
UNCONFIGURED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
"""Variables for a git that knows nothing of the machine's and the person's settings."""
_NONE: Mapping[str, str] = {}


@record
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
        """The line of git's complaint that says why it ended, or else the first one, for a sentence."""
        lines = as_text(self.complained).strip().split("\n")
        fatal = next((line for line in lines if line.startswith("fatal:")), lines[0])
        return fatal[:_COMPLAINT_CHARS] or f"git ended with {self.code}"


def run(
    folder: Path,
    *arguments: str,
    seconds_max: float = ASK_SECONDS_MAX,
    stdin: bytes = b"",
    variables: Mapping[str, str] = _NONE,
) -> Ran:
    """One git command, with these variables besides. Raises Invalid where it takes longer than `seconds_max`."""
    import subprocess  # 4 ms, which a hook need not spend where files tell all

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
        is_gone = not os.path.isdir(folder)  # noqa: PTH112 a name that is too long does not raise
        return Ran(code=127, printed=b"", complained=f"{folder} is gone".encode() if is_gone else b"")
    except subprocess.TimeoutExpired:
        raise Invalid(f"git did not answer within {seconds_max} s in {folder}; is the disk slow or locked?") from None
    return Ran(code=done.returncode, printed=done.stdout, complained=done.stderr)


def environment(given: Mapping[str, str], /) -> dict[str, str]:
    """The environment for git, made of ours."""
    settings = (*_given_settings(given), *_PINNED)
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {name: given[name] for name in _PASSED if name in given} | _programs(given) | _QUIET | numbered


def _programs(given: Mapping[str, str]) -> dict[str, str]:
    """Where git and its programs are found: not where a relative name, or none, means the folder that we look at."""
    folders = [folder for folder in given.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]  # noqa: PTH117
    return {"PATH": os.pathsep.join(folders)} if folders else {}


def _given_settings(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Those of the settings in the environment (git-config(1), ENVIRONMENT) that are passed on, in their order."""
    pairs = []
    count = given.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isascii() and count.isdigit() and len(count) <= _COUNT_DIGITS_MAX else 0):
        pairs.append((given.get(f"GIT_CONFIG_KEY_{number}", ""), given.get(f"GIT_CONFIG_VALUE_{number}", "")))
    if "GIT_CONFIG_PARAMETERS" in given:  # which `git -c` hands to its aliases and hooks
        words = (word.partition("=") for word in _words(given["GIT_CONFIG_PARAMETERS"]))
        pairs += [(name, value) for name, _, value in words]
    return ((name, value) for name, value in pairs if name.lower().startswith(_PASSED_SETTINGS))


def _words(quoted: str) -> list[str]:
    import shlex  # which a hook need not load

    try:
        return shlex.split(quoted)
    except ValueError:
        return []


def as_text(printed: bytes, /) -> str:
    """What git printed, every byte of it: names are bytes to git, and need be no UTF-8."""
    return printed.decode("utf-8", "surrogateescape")


def committed_at_ms(seconds: str, /) -> int:
    """When a commit says that it was made: 0 where it says nothing, and at most the end of the year 9999.

    Git takes any number of 64 bits, which neither a store nor a calendar can hold.
    """
    return min(int(seconds or 0), _SECONDS_MAX) * SECOND_MS
