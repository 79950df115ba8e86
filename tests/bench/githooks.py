"""What git's hooks cost in CPU above a bare interpreter, started in turn with it, git's processes counted."""

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from loomstack_mcp.loom import open_loom
from tests.bench.hooks import cpu_ms
from tests.bench.measure import Figure, at_most
from tests.conftest import commit_all, environment, git
from tests.processes import HOOK

_MESSAGE = ".git/COMMIT_EDITMSG"
_FILES = 10
_WARM_UP = 2
_TELLING_MS, _COMMIT_MS, _PUSH_MS = 60.0, 250.0, 1_000.0


def figures(home: Path, shop: Path, calls: int) -> Iterator[Figure]:
    """Of the trailer, what is told after a commit, and what judges ten staged files, a message and a push."""
    git(shop, "config", "remote.origin.url", "https://localhost/acme/shop.git")
    git(shop, "update-ref", "refs/remotes/origin/main", "HEAD")
    commit_all(shop, "Landing\n\nLoom-Run: run_ABCDEFGH")
    for number in range(_FILES):
        (shop / f"staged_{number}.py").write_text("x = 1\n")
    git(shop, "add", "--all")
    with open_loom(home / "loomstack/loom.db") as loom:
        loom.repos.listed()
    env = {**environment(home), "CLAUDE_CODE_SESSION_ID": "s"}
    found = _medians(_cases(shop), calls, shop=shop, env=env)
    bare = found.pop("bare")
    yield Figure("python -c pass", f"{bare:.1f} ms of CPU")
    for what, taken_ms in found.items():
        most = _PUSH_MS if "push" in what else _COMMIT_MS if "judged" in what else _TELLING_MS
        yield at_most(f"git hook, {what}, above it", taken_ms - bare, "ms", most=most)


_Case = tuple[list[str], Callable[[], bytes]]
"""A command, and what makes ready for it and gives its stdin."""


def _cases(shop: Path) -> Mapping[str, _Case]:
    head, base = (git(shop, "rev-parse", name) for name in ("HEAD", "HEAD~1"))
    called = [HOOK, "git"]

    def message(text: str) -> bytes:
        (shop / _MESSAGE).write_text(text)
        return b""

    prepare = [*called, "prepare-commit-msg", _MESSAGE, "message"]
    pushed = f"refs/heads/main {head} refs/heads/main {base}\n".encode()
    return {
        "bare": ([sys.executable, "-c", "pass"], bytes),
        "prepare-commit-msg": (prepare, lambda: message("Work\n")),
        "prepare-commit-msg, by git": (prepare, lambda: message("Work\n\nsaid: more\nand words\n")),
        "post-commit": ([*called, "post-commit"], bytes),
        "post-rewrite": ([*called, "post-rewrite", "amend"], lambda: f"{base} {head}\n".encode()),
        "post-checkout": ([*called, "post-checkout", base, head, "1"], bytes),
        "commit-msg": ([*called, "commit-msg", _MESSAGE], lambda: message("Work\n\nLoom-Run: run_ABCDEFGH\n")),
        "pre-commit, ten files judged": ([*called, "pre-commit"], bytes),
        "pre-push to the trunk": ([*called, "pre-push", "origin", "url"], lambda: pushed),
    }


def _medians(cases: Mapping[str, _Case], calls: int, *, shop: Path, env: Mapping[str, str]) -> dict[str, float]:
    taken: dict[str, list[float]] = {what: [] for what in cases}
    for number in range(calls + _WARM_UP):
        for what, (argv, given) in cases.items():
            spent_ms = cpu_ms(argv, given(), cwd=shop, env=env)
            if number >= _WARM_UP:
                taken[what].append(spent_ms)
    return {what: statistics.median(times) for what, times in taken.items()}
