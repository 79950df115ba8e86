"""Settings of test runners and of coverage before and after a change: what they leave out, and no longer ask for."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import FileContents
from loomstack_mcp.core.tampering.runners.settings import RunnerSettings
from loomstack_mcp.core.tampering.runners.settings_files import settings_of

Lists = Mapping[str, set[str]]

_LEAVING_OUT = ("-k", "-m", "--deselect", "--ignore", "--ignore-glob")
_LEAVING_OUT_ALONE = {
    "--collect-only",
    "--co",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
    "--suppress-no-test-exit-code",
    "--passWithNoTests",
}
_STRICT = ("-x", "--exitfirst", "--strict-markers", "--strict-config", "--strict", "-W=error")
_STRICT_SETTINGS = {"strict", "strict_markers", "strict_config"}
"""Settings that ask for the same as the options `--strict…`, or for more."""
_BROAD_EXCLUDES = {".*", ".", "def", "def ", "return", "return ", "class", "class ", "if ", "raise", "except", "else"}
_USUALLY_LEFT_OUT = {
    ".git",
    ".*",
    "build",
    "dist",
    "node_modules",
    "venv",
    ".venv",
    ".tox",
    ".nox",
    "*.egg",
    "docs",
    ".eggs",
}
_LOOKED_AT = ("testpaths", "python_files", "python_classes", "python_functions", "found")
_LEFT_OUT = ("norecursedirs", "ignored")
_TESTS = re.compile(r"test|spec|unit|integration|e2e|functional|regression|^\*+$", re.IGNORECASE)


def setting_findings(old: FileContents, new: FileContents) -> Iterator[Weakening]:
    """What the settings of each folder lost; `old` and `new` are the files that hold any, and can be read."""
    before: dict[str, RunnerSettings] = defaultdict(RunnerSettings)
    after: dict[str, RunnerSettings] = defaultdict(RunnerSettings)
    named: dict[str, str] = {}
    for path, content in old.items():
        settings = settings_of(path, content)
        before[_folder(path)].add(settings)
        named.setdefault(_folder(path), path)
        if path in new and not settings.error and (why := settings_of(path, new[path]).error):
            yield Weakening(kind="unparseable", text=f"the file cannot be read: {why}", path=path)
    for path, content in new.items():
        after[_folder(path)].add(settings_of(path, content))
        named[_folder(path)] = path
    for folder in before:
        for one in _folder_findings(before[folder], after[folder]):
            yield Weakening(kind=one.kind, text=one.text, path=named[folder], hard=one.hard)


def _folder(path: str) -> str:
    """What the settings of a file are about: its folder; a conftest adds to those and does not replace them."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/conftest.py" if name == "conftest.py" else folder


def _folder_findings(old: RunnerSettings, new: RunnerSettings) -> Iterator[Weakening]:
    yield from _option_findings(old, new)
    yield from _strictness_findings(old, new)
    for hook in sorted(new.hooks - old.hooks):
        yield _finding("runner_config", f"conftest changes what tests report ({hook})")
    yield from _looked_at_findings(old.lists, new.lists)
    yield from _left_out_findings(old.lists, new.lists)
    yield from _coverage_findings(old.lists, new.lists)
    yield from _number_findings(_all_numbers(old), _all_numbers(new))


def _option_findings(old: RunnerSettings, new: RunnerSettings) -> Iterator[Weakening]:
    for option in sorted(new.options - old.options):
        name = option.partition("=")[0]
        if option in _LEAVING_OUT_ALONE or (name in _LEAVING_OUT and "=" in option):
            yield _finding("runner_config", f"addopts leaves tests out with {name}")
        elif name == "--no-cov":
            yield _finding("coverage_off", "addopts turns coverage off")


def _strictness_findings(old: RunnerSettings, new: RunnerSettings) -> Iterator[Weakening]:
    as_setting = bool(new.strict & _STRICT_SETTINGS)
    as_option = any(one.startswith("--strict") for one in new.options)
    for option in sorted(set(_STRICT) & (old.options - new.options)):
        # `--strict` was pytest's name for `--strict-markers` before 4.5, and settings ask for both since 9.0.
        renamed = as_option and option.startswith("--strict")
        if not renamed and not as_setting:
            yield _finding("runner_config", f"addopts no longer has {option.replace('=', ' ')}")
    if "strict" not in new.strict:
        for name in sorted(old.strict - new.strict):
            yield _finding("runner_config", f"{name} is no longer set")


def _looked_at_findings(old: Lists, new: Lists) -> Iterator[Weakening]:
    for name in _LOOKED_AT:
        if name not in new:  # the runner's own list is wide
            continue
        gone = old.get(name, set()) - new[name]
        lost = {one for one in gone if not any(_covers(other, one) for other in new[name])}
        if lost:
            moved = bool(new[name] - old[name])
            yield _finding("runner_config", f"{name} no longer has {_first_few(lost)}", hard=not moved)


def _left_out_findings(old: Lists, new: Lists) -> Iterator[Weakening]:
    for name in _LEFT_OUT:
        more = _added(name, old, new) - _USUALLY_LEFT_OUT
        if more and not any("node_modules" in one for one in more):
            tests = name == "ignored" or any(_TESTS.search(one) for one in more)
            yield _finding("runner_config", f"{name} leaves out {_first_few(more)} as well", hard=tests)


def _coverage_findings(old: Lists, new: Lists) -> Iterator[Weakening]:
    if more := _added("omit", old, new):
        others_back = bool(_added("omit", new, old))
        yield _finding("coverage_omit", f"coverage leaves out {_first_few(more)} as well", hard=not others_back)
    if more := _added("exclude", old, new):
        yield _finding("coverage_omit", "coverage leaves out more lines", hard=bool(more & _BROAD_EXCLUDES))


def _added(name: str, old: Lists, new: Lists) -> set[str]:
    return new.get(name, set()) - old.get(name, set())


def _covers(other: str, one: str) -> bool:
    return other in (".", "*", "./") or one.startswith(other.rstrip("*/") + "/")


def _first_few(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3])[:120]


def _all_numbers(settings: RunnerSettings) -> dict[str, float]:
    """The coverage that is asked for, by setting or by option, whichever is more."""
    options = [one.partition("=")[2] for one in settings.options if one.startswith("--cov-fail-under=")]
    numbers = [float(one) for one in options if one.replace(".", "", 1).isdecimal()]
    highest = max([*numbers, settings.numbers.get("fail_under", 0.0)])
    return {**settings.numbers, **({"fail_under": highest} if highest else {})}


def _number_findings(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Weakening]:
    for name, number in sorted(old.items()):
        if new.get(name, 0.0) < number:
            now = f"{new[name]:g}" if name in new else "not asked for"
            yield _finding("coverage_lowered", f"{name} was {number:g} and is {now}")


def _finding(kind: str, text: str, *, hard: bool = True) -> Weakening:
    return Weakening(kind=kind, text=text, path="", hard=hard)
