"""`python -m tests.bench trace`: whose a commit and a line are, in a repository of many commits and bound runs."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.attributing import attributed, attributed_line
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.store.base import Statement
from tests.bench.measure import Figure, at_most, medians, ratio
from tests.conftest import git
from tests.eval.replays import git_run
from tests.factories import ANA
from tests.services.support import started

COMMITS, BOUND_RUNS = 50_000, 20_000
_FILES = 500
_LINES = 40
_MARKS = 130
"""Of a run, as was measured on seven repositories."""
_TRACE_MS, _BIND_MS = 300, 30


def figures(calls: int) -> Iterator[Figure]:
    """The medians of a trace of a commit, of a line, and of binding a commit."""
    with tempfile.TemporaryDirectory(prefix="loomstack-bench-") as home:
        folder = Path(home) / "many"
        _repository(folder)
        with open_loom(Path(home) / "loom.db") as loom:
            here = Here(folder, {"home": f"{home}/home"}, elsewhere="")
            checkout = here.checkout()
            first = started(loom, ANA, checkout)
            _bound_runs(loom, loom.repos.id_of(checkout), first.id)
            yield from _traces(here, loom, calls)
            yield from _bindings(here, loom, checkout, calls)


def _traces(here: Here, loom: Loom, calls: int) -> Iterator[Figure]:
    def commit(rev: str) -> Callable[[], object]:
        def asked() -> object:
            with here.repository() as repo:
                return attributed(here.checkout(), loom, repo, rev)

        return asked

    def line(number: int) -> Callable[[], object]:
        def asked() -> object:
            with here.repository() as repo:
                return attributed_line(here.checkout(), loom, repo, _path(_changed_by(number)), number % _LINES + 1)

        return asked

    oldest = _FILES - 1
    cases = {
        "commit, new": commit("HEAD~10"),
        "commit, old": commit(f"HEAD~{COMMITS * 4 // 5}"),
        "line, changed 900 commits ago": line(COMMITS - 900),
    }
    taken = medians(cases, calls=max(5, calls // 20), warm_up=1)
    for name, ms in taken.items():
        yield at_most(f"trace of a {name}; {COMMITS:,} commits, {BOUND_RUNS:,} runs", ms, "ms", most=_TRACE_MS)
    blame = partial(git, here.root, "blame", "-w", "-M", "-C", "-L1,13", "HEAD", "--", _path(oldest))
    both = medians({"oldest": line(oldest), "git": blame}, calls=max(5, calls // 40), warm_up=1)
    yield ratio("a line as old as the history", both["oldest"], both["git"], against="git blame")
    git(here.root, "commit-graph", "write", "--reachable", "--changed-paths")  # as `doctor` says
    [ms] = medians({"oldest": line(oldest)}, calls=max(5, calls // 40), warm_up=1).values()
    yield at_most("the same with git's filters of changed paths", ms, "ms", most=_TRACE_MS)


def _path(name: int) -> str:
    return f"area{name % 50}/part{name}.py"


def _changed_by(number: int) -> int:
    """Which file a commit changes; some are never touched again: their lines are as old as the history."""
    return number if number < _FILES else number % (_FILES - 50)


def _bindings(here: Here, loom: Loom, checkout: Checkout, calls: int) -> Iterator[Figure]:
    """What git's hook does for a commit, and what the next look at the clone does to know it again."""
    who = replace(ANA, session="s-binding")
    run = started(loom, who, checkout)
    shas = iter(git(here.root, "rev-list", f"--max-count={4 * calls}", "HEAD~100").split())

    def bind() -> object:
        return loom.commits.bind_commit(who, checkout, next(shas), named=(run.id,), paths=())

    def imprint() -> None:
        with here.repository() as repo:
            here.imprint(repo, loom.ledger, checkout)

    def both() -> None:
        bind()
        imprint()

    bound = medians({"bind": bind}, calls=max(5, calls // 20), warm_up=1)["bind"]
    imprint()  # those that wait by now
    yield at_most("binding a commit", bound, "ms", most=_BIND_MS)
    taken = medians({"both": both}, calls=max(5, calls // 20), warm_up=1)["both"]
    yield at_most("binding a commit, and reading its content", taken, "ms", most=10 * _BIND_MS)


def _repository(folder: Path) -> None:
    """Fifty thousand commits, each of which changes a file of five hundred."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    stream = [b"blob\nmark :1\ndata 2\nx\n\n"]
    files = [[f"value_{name}_{at} = computed({at}, {name})".encode() for at in range(_LINES)] for name in range(_FILES)]
    for number in range(COMMITS):
        name = _changed_by(number)
        files[name][number % _LINES] = f"value_{name} = changed_by({number}, at={number % 97})".encode()
        text = b"\n".join(files[name]) + b"\n"
        seconds = 1_700_000_000 + number * 60
        path = _path(name)
        stream.append(
            b"commit refs/heads/main\ncommitter ana <ana@localhost> %d +0000\ndata 10\nchange it\n\n" % seconds
            + b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text)
        )
    git_run(folder, "fast-import", "--quiet", stdin=b"".join(stream)).check_returncode()
    git(folder, "reset", "--quiet", "--hard", "main")
    git(folder, "gc", "--quiet")


def _bound_runs(loom: Loom, repo_id: str, like: str) -> None:
    """Runs of which each bound a commit, and left marks."""
    copied = Statement("bench.columns", "SELECT name FROM pragma_table_info('run')")
    with loom.store.append() as tx:
        columns = [row["name"] for row in tx.all(copied)]
        rest = ", ".join(f'"{name}"' for name in columns if name not in ("id", "seq", "session", "key"))
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BOUND_RUNS})"
        for text in (
            f"INSERT INTO run (id, seq, session, key, {rest}) {numbers} "
            f"SELECT printf('run_%08d', i), 1000 + i, 's' || i, '', {rest} FROM n, run WHERE run.id = '{like}'",
            f"INSERT INTO binding (repo_id, short, sha, run_id, bound_by, imprinted, seen, made_at_ms) {numbers} "
            f"SELECT '{repo_id}', printf('%07x', i), printf('%040x', i), printf('run_%08d', i), "
            f"'commit', {MEANING}, 1, 1 FROM n",
            f"INSERT INTO imprint (repo_id, run_id, meaning, seen_at_ms, made_at_ms, lines) {numbers} "
            f"SELECT '{repo_id}', printf('run_%08d', i), {MEANING}, 1, 1, 100 FROM n",
            f"INSERT OR IGNORE INTO imprint_mark (mark, imprint) WITH RECURSIVE m(j) AS (SELECT 1 UNION ALL "
            f"SELECT j + 1 FROM m WHERE j < {_MARKS}) SELECT random(), number FROM imprint, m",
        ):
            tx.run(Statement("bench.fill", text))
