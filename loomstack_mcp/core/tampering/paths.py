"""Which files hold tests, and which tell a runner what to do with them."""

import re
from typing import Literal

Language = Literal["python", "javascript", "go"]
"""What tests are read in; `javascript` is TypeScript as well."""

_TEST_FOLDER = re.compile(r"(?:^|/)(?:tests?|testing|specs?|__tests__|e2e)/", re.IGNORECASE)
_NOT_ENTERED = re.compile(r"(?:^|/)(?:\.[^/]+|_darcs|build|CVS|dist|node_modules|venv|\{arch\}|[^/]+\.egg)/")
"""Folders that pytest does not look into (`norecursedirs`, as of pytest 8)."""
_FOUND: dict[Language, re.Pattern[str]] = {
    "python": re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests?)\.py$"),
    "javascript": re.compile(
        r"(?:[._-](?:test|spec|cy|e2e)|(?:^|/)(?:test|spec))\.[cm]?[jt]sx?$|(?:^|/)__tests__/.*\.[cm]?[jt]sx?$"
    ),
    # The go tool passes by files whose name starts with `_` or `.` (`go help packages`).
    "go": re.compile(r"(?:^|/)[^/_.][^/]*_test\.go$"),
}
_RUNNER = re.compile(
    r"""(?:^|/)(?:
      pyproject\.toml|setup\.cfg|\.?pytest\.(?:ini|toml)|tox\.(?:ini|toml)|\.coveragerc|conftest\.py|package\.json
      |(?:jest|vitest|vite)\.config\.(?:[cm]?[jt]s|json)|\.?mocharc\.(?:json|ya?ml|[cm]?js)|(?:GNU)?[Mm]akefile
      |\.gitlab-ci\.yml|\.travis\.yml|azure-pipelines\.yml|\.circleci/config\.yml)$
    |(?:^|/)\.github/workflows/[^/]+\.ya?ml$""",
    re.VERBOSE,
)
_SNAPSHOT = re.compile(r"(?:^|/)__snapshots__/|\.(?:snap|ambr)$|\.(?:approved|verified)\.[a-z0-9]+$")
_CODE = re.compile(
    r"\.(?:py|pyx|[cm]?[jt]sx?|vue|svelte|go|rs|java|kt|scala|rb|php|cs|c|cc|cpp|h|hpp|swift|ex|exs|sql|css|scss|html|jinja2?)$"
)


def language(path: str) -> Language | None:
    """By the file's ending."""
    if path.endswith(".py"):
        return "python"
    if path.endswith(".go"):
        return "go"
    return "javascript" if re.search(r"\.[cm]?[jt]sx?$", path) else None


def found_by_runner(path: str) -> bool:
    """Whether a runner with its usual settings looks into the file."""
    kind = language(path)
    return kind is not None and _FOUND[kind].search(path) is not None and not _NOT_ENTERED.search(path)


def in_test_folder(path: str) -> bool:
    """Whether a folder of the path has the name of one for tests."""
    return _TEST_FOLDER.search(path) is not None


def holds_tests(path: str) -> bool:
    """Whether tests are read from the file: found by name, or Python in a test folder (`python_files` may say so)."""
    return found_by_runner(path) or (path.endswith(".py") and in_test_folder(path) and not _NOT_ENTERED.search(path))


def is_runner_path(path: str) -> bool:
    """Whether the file says which tests run and what their result means."""
    return _RUNNER.search(path) is not None


def is_snapshot_path(path: str) -> bool:
    """Whether the file is a result that a test recorded and is compared with from then on."""
    return _SNAPSHOT.search(path) is not None


def is_test_path(path: str) -> bool:
    """Whether a change to the file may weaken tests: tests, snapshots and the files that runners read."""
    return holds_tests(path) or is_runner_path(path) or is_snapshot_path(path)


def is_code_path(path: str) -> bool:
    """Whether the file is part of what is tested."""
    return _CODE.search(path) is not None and not is_test_path(path) and not in_test_folder(path)
