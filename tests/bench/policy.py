"""Two hundred rules: asked by an agent before an edit, by the gate over a change, and over a history."""

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from loomstack_mcp.adapters.policy.files import of_folder
from loomstack_mcp.adapters.policy.folders import FOLDER
from loomstack_mcp.adapters.policy.load import builtin, loaded
from tests.bench.measure import Figure, at_most, medians, ratio
from tests.conftest import commit_all, environment, git
from tests.eval.history import History, text_of, written
from tests.wire import Server

_RULES = 200
_RULES_EACH = 20
_ASKED = (1, 10, 1_000)
_FILES = 3_000
_FEW = 50
_COMMITS = 500
_LOADS = 11
_JUDGED = (0, 2, 3)
"""Exit statuses of a gate that came to an answer."""
_ENDINGS = (".py", ".ts", ".go", ".md")

_CLOSED = (
    "deny, on: [edit, commit, push, land], "
    "where: {{paths: [/area{n}/core/**, /area{n}/*.lock], except: [/area{n}/core/README.md]}}"
)
_LOOPS = (
    "deny, on: [edit, commit, land], who: {{kind: [loop, agent]}}, where: {{paths: ['**/closed{n}/**', '*.kind{n}']}}"
)
_KINDS = (
    *(_CLOSED,) * 5,
    *(_LOOPS,) * 5,
    "deny, on: [deploy, land], where: {{branch: [/release{n}/**]}}, "
    "when: {{windows: [{{from: '22:00', to: '06:00', tz: Europe/Berlin}}]}}",
    "deny, on: [deploy], where: {{environment: [stage{n}]}}, "
    "when: {{freezes: [{{name: f, start: '2026-12-18T18:00', end: '2027-01-04T08:00', tz: UTC}}]}}",
    "deny, on: [command], check: {{commands: [[tool{n}, push, '--force|-f']]}}",
    "deny, on: [commit, push, land], "
    "check: {{content: {{secrets: true, symlink_escape: true, test_weakening: tamper}}}}",
    "deny, on: [commit, land], check: {{content: {{forbid_added: ['breakpoint{n}\\(']}}}}",
    "deny, on: [commit, land], check: {{boundaries: "
    "{{layers: [[/area{n}/api/**], [/area{n}/core/**]], independent: [/area1{n}/**, /area2{n}/**]}}}}",
    "deny, on: [commit, push, land], check: {{limits: {{files_max: 1{n}000, lines_changed_max: 1{n}00000}}}}",
    "deny, on: [edit, commit], who: {{loop: [other{n}]}}, check: {{confine: [/area{n}/**]}}",
    "deny, on: [edit, commit], where: {{paths: [/area{n}/shared/**]}}, check: {{claims: held}}",
    "warn, on: [edit, land], where: {{paths: [/docs{n}/**]}}",
)
"""What twenty rules of a team say; the number makes each of them another."""


def figures(
    home: Path, calls: int, noop: Server, serving: Callable[[Path, Path], AbstractContextManager[Server]]
) -> Iterator[Figure]:
    trunk = home / "policy"
    _repository(trunk)
    yield _loading(trunk)
    with serving(home / "policy.db", trunk) as server:
        yield from _asked(server, noop, calls)
    yield from _gated(home, trunk)
    yield _replayed(home)


def rules(folder: Path) -> None:
    """`_RULES` rules in several files, as a team of many services has them."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for file in range(_RULES // _RULES_EACH):
        lines = ["version: 1", f"policy: set{file}", "rules:"]
        for kind, text in enumerate(_KINDS):
            said = text.format(n=file * _RULES_EACH + kind)
            lines.append(f"  - {{id: rule-{file}-{kind}, why: a reason that says enough, effect: {said}}}")
        (folder / FOLDER / f"set{file}.yaml").write_text("\n".join(lines) + "\n")


def _repository(trunk: Path) -> None:
    """Three thousand files in several languages, and two branches: one changes a few of them, one all."""
    history = History(random.Random(1))
    for number in range(_FILES):
        path = _path(number)
        history.files[path] = [history.block(path) for _ in range(8)]
    history.commit("root", "A shop")
    written(history, trunk)
    git(trunk, "reset", "--quiet", "--hard", "main")
    rules(trunk)
    commit_all(trunk, "Rules")
    paths = sorted(history.files)
    for branch, count in (("few", _FEW), ("many", _FILES)):
        git(trunk, "checkout", "--quiet", "-b", branch, "main")
        for path in history.random.sample(paths, k=count):
            history.change(path, history.random.choice(history.files[path]))
            (trunk / path).write_bytes(text_of(history.files[path]))
        commit_all(trunk, f"Change {count} files")
    git(trunk, "checkout", "--quiet", "main")


def _path(number: int) -> str:
    return f"part{number % 100}/area{number % 7}/file{number}{_ENDINGS[number % len(_ENDINGS)]}"


def _loading(trunk: Path) -> Figure:
    files = (*builtin(), *of_folder(trunk, layer="repo"))
    taken = []
    for _ in range(_LOADS):
        before = time.perf_counter()
        book = loaded(files)
        taken.append((time.perf_counter() - before) * 1000)
    assert len(book.rules) >= _RULES
    value = f"{taken[0]:.0f} ms the first time, then {statistics.median(taken[1:]):.0f} ms"
    return Figure(f"loading {_RULES} rules of {len(files) - 1} files", value)


def _asked(server: Server, noop: Server, calls: int) -> Iterator[Figure]:
    def ask(count: int) -> None:
        paths = [_path(number) for number in range(count)]
        assert server.answer("check_policy", action="edit", paths=paths)["effect"] == "allow"

    def refused() -> None:
        assert server.answer("check_policy", action="edit", paths=["area0/core/file.py"])["effect"] == "deny"

    cases: dict[str, Callable[[], object]] = {"no-op": lambda: noop.call("noop", {"text": "x"}), "refused": refused}
    cases |= {f"{count}": lambda count=count: ask(count) for count in _ASKED}  # type: ignore[misc]
    found = medians(cases, calls=calls)
    one, ten, many = (found[f"{count}"] for count in _ASKED)
    yield Figure("no-op tool", f"{found['no-op']:.2f} ms")
    yield ratio(f"check_policy, edit, 1 path, {_RULES} rules", one, found["no-op"], most=3)
    yield ratio("the same, refused", found["refused"], found["no-op"], most=3)
    yield ratio(f"check_policy, edit, 10 paths, {_RULES} rules", ten, found["no-op"])
    yield at_most(f"check_policy, edit, {_ASKED[-1]:,} paths, {_RULES} rules", many, "ms", most=40)


def _gated(home: Path, trunk: Path) -> Iterator[Figure]:
    """Process start and loading the rules included."""
    for branch, count, rounds, most in (("few", _FEW, 5, 1), ("many", _FILES, 3, 20)):
        taken = sorted(
            _seconds(home, trunk, "gate", "--git-only", "--base", "main", "--head", branch) for _ in range(rounds)
        )
        value = f"{taken[rounds // 2]:.2f} s"
        yield Figure(
            f"gate --git-only, {count:,} files, {_RULES} rules", value, f"≤ {most} s", taken[rounds // 2] <= most
        )


def _replayed(home: Path) -> Figure:
    history = History(random.Random(2))
    history.start()
    history.noise(_COMMITS)
    trunk = home / "replayed"
    written(history, trunk)
    git(trunk, "reset", "--quiet", "--hard", "main")
    rules(trunk)
    seconds = _seconds(home, trunk, "policy", "replay", "--last", f"{_COMMITS}")
    value = f"{seconds:.1f} s, {seconds / _COMMITS * 1000:.0f} ms a commit"
    return Figure(f"policy replay --last {_COMMITS}, {_RULES} rules", value)


def _seconds(home: Path, folder: Path, *arguments: str) -> float:
    before = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "loomstack_mcp", *arguments],
        cwd=folder, env=environment(home), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in _JUDGED, done.stderr
    return time.perf_counter() - before
