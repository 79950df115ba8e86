"""Whether a change weakens tests: inventories of the tests before and after it, compared over the whole change."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.tampering.compare import loss_findings, losses, pair_findings
from loomstack_mcp.core.tampering.kinds import Weakening, is_tamper, kind_of
from loomstack_mcp.core.tampering.model import Inventory, Reader, Test
from loomstack_mcp.core.tampering.pairs import Holders, Placed, paired
from loomstack_mcp.core.tampering.paths import (
    found_by_runner,
    holds_tests,
    in_test_folder,
    is_code_path,
    is_snapshot_path,
    is_test_path,
    language,
)
from loomstack_mcp.core.tampering.python.file import NOT_PYTHON, python_inventories
from loomstack_mcp.core.tampering.runners import looks_elsewhere, runner_findings

__all__ = ["is_tamper", "is_test_path", "kind_of", "weakened", "weakenings"]

FINDINGS_MAX = 200
"""Findings in one answer; hard ones come first."""

Files = Mapping[str, bytes]
_PRAGMA = re.compile(
    rb"(?:#|//|/\*)\s*(?:pragma: *no *cover|(?:istanbul|c8|v8) ignore (?:next|file|start|if|else)).*?(?:\*/|$)"
)


def weakened(
    before: Files, after: Files, *, parse: Reader, which: Literal["tamper", "any"] = "any"
) -> tuple[Violation, ...]:
    """How a change weakens tests; `before` and `after` hold all files that it touches, as far as they exist.

    The files that hold no tests are needed too: a new expectation is explained by new code, and a test may
    have moved to where no runner looks. With `tamper` only what is to be denied is told; with `any` also hard
    losses, and soft findings (`hard=False`) that are only to be shown. Never raises, whatever the files hold.
    """
    found = weakenings(before, after, parse=parse)
    return tuple(one.violation() for one in found if which == "any" or one.tampers)


def weakenings(before: Files, after: Files, *, parse: Reader) -> list[Weakening]:
    """All findings with their kinds, tampering first."""
    old = {path: content for path, content in before.items() if after.get(path) != content}
    new = {path: content for path, content in after.items() if before.get(path) != content}
    read = _inventories(old, parse), _inventories(_candidates(old, new), parse)
    found = [
        *_unreadable(*read, new, parse),
        *_test_findings(*read, old, new),
        *runner_findings(old, new),
        *_snapshots(old, new),
        *_pragmas(old, new),
    ]
    found = list(dict.fromkeys(found))
    found.sort(key=lambda one: (not one.tampers, not one.hard))
    return found[:FINDINGS_MAX]


def _candidates(old: Files, new: Files) -> dict[str, bytes]:
    """New files that hold tests, or held them before they were moved out of a runner's sight."""
    lost = {language(path) for path in old if holds_tests(path) and path not in new}
    return {
        path: text for path, text in new.items() if holds_tests(path) or (path not in old and language(path) in lost)
    }


def _inventories(files: Files, parse: Reader) -> dict[str, Inventory]:
    python = {path: text for path, text in files.items() if language(path) == "python"}
    found = python_inventories({path: text for path, text in python.items() if holds_tests(path) or b"def " in text})
    for path, text in files.items():
        other = parse(path, text) if language(path) not in ("python", None) else None
        if other is not None:
            found[path] = other
    return found


def _unreadable(
    old_read: Mapping[str, Inventory], new_read: Mapping[str, Inventory], new: Files, parse: Reader
) -> Iterator[Weakening]:
    for path, inventory in new_read.items():
        was = old_read.get(path)
        if not inventory.error or was is None or not holds_tests(path):
            continue
        newer = parse(path, new[path]) if inventory.error == NOT_PYTHON else None
        if newer is not None and not newer.error:
            text = "cannot be checked here: Python newer than the one that checks"
            yield Weakening(kind="unchecked", text=text, path=path, hard=not was.error)
        else:
            text = f"cannot be checked: {inventory.error}"
            yield Weakening(kind="unparseable", text=text, path=path, hard=not was.error)


def _test_findings(
    old_read: Mapping[str, Inventory], new_read: Mapping[str, Inventory], old: Files, new: Files
) -> Iterator[Weakening]:
    runners_changed = looks_elsewhere(old, new)
    blind = {path for path, one in new_read.items() if one.error}
    before = [
        Placed(path, test)
        for path, one in old_read.items()
        if holds_tests(path) and path not in blind
        for test in one.tests
        if not test.uncollected
    ]
    placed = [
        Placed(path, _seen(test, path, old, moved=not runners_changed))
        for path, one in new_read.items()
        for test in one.tests
    ]
    after = [one for one in placed if not one.test.uncollected]
    known = {(path, test.qualified) for path, one in old_read.items() for test in one.tests if test.uncollected}
    concealed = [one for one in placed if one.test.uncollected and (one.path, one.test.qualified) not in known]
    code_changed = any(is_code_path(path) for path in (*old, *new))
    yield from _compared(before, after, concealed, code_changed=code_changed, folders_fixed=not runners_changed)
    yield from _only(old_read, new_read)


def _compared(
    before: Sequence[Placed],
    after: Sequence[Placed],
    concealed: Sequence[Placed],
    *,
    code_changed: bool,
    folders_fixed: bool,
) -> Iterator[Weakening]:
    pairs = paired(before, after)
    lost, pool = losses(pairs)
    for old, new in pairs.same:
        yield from pair_findings(old, new)
        left = in_test_folder(old.path) and not in_test_folder(new.path) and new.path.endswith(".py")
        if left and folders_fixed:
            yield _hidden(old, new, "its file has left the test folder")
    holders = Holders(concealed)
    bodies = {(one.path, one.test.qualified, one.test.body): one for one in concealed}
    for loss in lost:
        # A later test of the same name took the name, and the old one is still there.
        where = bodies.get((loss.old.path, loss.old.test.qualified, loss.old.test.body))
        if where is None and loss.new is None and (loss.missing or not loss.whole):
            where = holders.same(loss.old)
        if where is not None:
            yield _hidden(loss.old, where, where.test.uncollected)
        else:
            yield from loss_findings(loss, pool, code_changed=code_changed)


def _hidden(old: Placed, new: Placed, why: str) -> Weakening:
    text = f"{old.test.name} is not found by a runner now: {why}"
    return Weakening(kind="not_collected", text=text, path=new.path, line=new.test.line, hard=old.test.skip != "always")


def _seen(test: Test, path: str, old: Files, *, moved: bool) -> Test:
    """A test in a new file that no runner looks into is one that is not collected."""
    if test.uncollected or found_by_runner(path) or (holds_tests(path) and (path in old or not moved)):
        return test
    odd_before = any(holds_tests(other) and not found_by_runner(other) for other in old)
    if holds_tests(path) and odd_before:
        return test
    return replace(test, uncollected="its file does not look like one of tests")


def _only(old_read: Mapping[str, Inventory], new_read: Mapping[str, Inventory]) -> Iterator[Weakening]:
    for path, one in new_read.items():
        was = old_read.get(path)
        if one.only and was is not None and not was.only and was.tests:
            text = "one test is marked `only`, so that the others do not run"
            yield Weakening(kind="skip_added", text=text, path=path)


def _snapshots(old: Files, new: Files) -> Iterator[Weakening]:
    explained = any(is_code_path(path) for path in (*old, *new))
    for path in old:
        if is_snapshot_path(path):
            text = "a recorded result is changed" if path in new else "a recorded result is gone"
            yield Weakening(kind="snapshot_changed", text=text, path=path, hard=not explained)


def _pragmas(old: Files, new: Files) -> Iterator[Weakening]:
    """Existing lines that are no longer to be covered."""
    for path in old.keys() & new.keys():
        if holds_tests(path) or (b"cover" not in new[path] and b" ignore " not in new[path]):
            continue
        marked, free = _covered(new[path])
        marked_before, free_before = _covered(old[path])
        for line, count in (marked - marked_before).items():
            if free_before[line] > free[line] and line.strip():
                number = 1 + next(
                    (n for n, text in enumerate(new[path].splitlines()) if line in text and _PRAGMA.search(text)), 0
                )
                text = f"{count} existing lines are no longer counted as not covered"
                yield Weakening(kind="coverage_pragma", text=text, path=path, line=number)


def _covered(content: bytes) -> tuple[Counter[bytes], Counter[bytes]]:
    """Lines with a mark that takes them out of coverage, and those without, both without the mark."""
    marked: Counter[bytes] = Counter()
    free: Counter[bytes] = Counter()
    above = False
    for line in content.splitlines():
        bare = _PRAGMA.sub(b"", line).strip()
        found = bare != line.strip()
        if found and not bare:
            above = True  # a mark on a line of its own is about the next one
            continue
        (marked if found or above else free)[bare] += 1
        above = False
    return marked, free
