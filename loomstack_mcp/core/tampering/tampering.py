"""Whether a change weakens tests: inventories of the tests before and after it, compared over the whole change."""

from collections.abc import Collection, Iterator
from typing import Literal

from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.tampering.compare import ChangeFacts, Inventories, inventory_findings
from loomstack_mcp.core.tampering.coverage_marks import coverage_mark_findings
from loomstack_mcp.core.tampering.kinds import Weakening, is_tamper, kind_of
from loomstack_mcp.core.tampering.model import FileContents, Inventory, Reader
from loomstack_mcp.core.tampering.paths import holds_tests, is_code_path, is_snapshot_path, is_test_path, language
from loomstack_mcp.core.tampering.python.file import NOT_PYTHON, python_inventories
from loomstack_mcp.core.tampering.runners.findings import looks_elsewhere, runner_findings

__all__ = ["is_tamper", "is_test_path", "kind_of", "weakened", "weakenings"]

FINDINGS_MAX = 200
"""Findings in one answer; hard ones come first."""


def weakened(
    before: FileContents,
    after: FileContents,
    *,
    parse: Reader,
    which: Literal["tamper", "any"] = "any",
    at: Collection[str] | None = None,
) -> tuple[Violation, ...]:
    """How a change weakens tests; `before` and `after` hold all files that it touches, as far as they exist.

    The files that hold no tests are needed too: a new expectation is explained by new code, and a test may
    have moved to where no runner looks. With `tamper` only what is to be denied is told; with `any` also hard
    losses, and soft findings (`hard=False`) that are only to be shown. With `at` only those at these paths are
    told, though the others explain them. Never raises, whatever the files hold.
    """
    found = [one for one in _weakenings(before, after, parse) if which == "any" or one.tampers]
    told = [one.violation() for one in found if at is None or one.path in at]
    return tuple(told[:FINDINGS_MAX])


def weakenings(before: FileContents, after: FileContents, *, parse: Reader) -> list[Weakening]:
    """The findings with their kinds, tampering first."""
    return _weakenings(before, after, parse)[:FINDINGS_MAX]


def _weakenings(before: FileContents, after: FileContents, parse: Reader) -> list[Weakening]:
    old = {path: content for path, content in before.items() if after.get(path) != content}
    new = {path: content for path, content in after.items() if before.get(path) != content}
    code_changed = any(is_code_path(path) for path in (*old, *new))
    change = ChangeFacts(
        old_paths=frozenset(old), code_changed=code_changed, runners_look_elsewhere=looks_elsewhere(old, new)
    )
    tests, tests_now = _inventories(old, parse), _inventories(_may_hold_tests(old, new), parse)
    found = [
        *_unreadable(tests, tests_now, new, parse),
        *inventory_findings(tests, tests_now, change),
        *runner_findings(old, new),
        *_snapshot_findings(old, new, code_changed=code_changed),
        *coverage_mark_findings(old, new),
    ]
    found = list(dict.fromkeys(found))
    found.sort(key=lambda one: (not one.tampers, not one.hard))
    return found


def _may_hold_tests(old: FileContents, new: FileContents) -> dict[str, bytes]:
    """New files that hold tests, or held them before they were moved out of a runner's sight."""
    lost = {language(path) for path in old if holds_tests(path) and path not in new}
    return {
        path: text for path, text in new.items() if holds_tests(path) or (path not in old and language(path) in lost)
    }


def _inventories(files: FileContents, parse: Reader) -> dict[str, Inventory]:
    python = {path: text for path, text in files.items() if language(path) == "python"}
    found = python_inventories({path: text for path, text in python.items() if holds_tests(path) or b"def " in text})
    for path, text in files.items():
        other = parse(path, text) if language(path) not in ("python", None) else None
        if other is not None:
            found[path] = other
    return found


def _unreadable(before: Inventories, after: Inventories, new: FileContents, parse: Reader) -> Iterator[Weakening]:
    for path, inventory in after.items():
        was = before.get(path)
        if not inventory.error or was is None or not holds_tests(path):
            continue
        newer = parse(path, new[path]) if inventory.error == NOT_PYTHON else None
        if newer is not None and not newer.error:
            text = "cannot be checked here: Python newer than the one that checks"
            yield Weakening(kind="unchecked", text=text, path=path, hard=not was.error)
        else:
            text = f"cannot be checked: {inventory.error}"
            yield Weakening(kind="unparseable", text=text, path=path, hard=not was.error)


def _snapshot_findings(old: FileContents, new: FileContents, *, code_changed: bool) -> Iterator[Weakening]:
    for path in old:
        if is_snapshot_path(path):
            text = "a recorded result is changed" if path in new else "a recorded result is gone"
            yield Weakening(kind="snapshot_changed", text=text, path=path, hard=not code_changed)
