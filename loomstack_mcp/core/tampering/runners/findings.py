"""What a change does to the settings of test runners and of coverage, and to the commands that run tests."""

from collections.abc import Iterator

from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import FileContents, unreadable
from loomstack_mcp.core.tampering.paths import is_runner_path
from loomstack_mcp.core.tampering.runners.command_findings import command_findings
from loomstack_mcp.core.tampering.runners.setting_findings import setting_findings
from loomstack_mcp.core.tampering.runners.settings_files import settings_of

_PLACES = ("testpaths", "python_files", "found")


def runner_findings(old: FileContents, new: FileContents) -> Iterator[Weakening]:
    """Over the whole change, so that a setting may move from one file to another of its folder."""
    before, after = _runner_files(old), _runner_files(new)
    yield from setting_findings(before, after)
    yield from command_findings(before, after)


def looks_elsewhere(old: FileContents, new: FileContents) -> bool:
    """Whether the change tells a runner of other folders or file names, so that tests may move there."""
    return bool(_places(new) - _places(old))


def _places(files: FileContents) -> set[tuple[str, str]]:
    lists = [settings_of(path, text).lists for path, text in _runner_files(files).items()]
    return {(name, one) for several in lists for name in _PLACES for one in several.get(name, ())}


def _runner_files(files: FileContents) -> dict[str, bytes]:
    return {path: text for path, text in files.items() if is_runner_path(path) and not unreadable(text)}
