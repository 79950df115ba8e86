"""What a change does to the settings of test runners and of coverage, and to the commands that run tests."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from loomstack_mcp.core.tampering.ci_commands import Command, commands_of, places_of
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import unreadable
from loomstack_mcp.core.tampering.paths import is_runner_path
from loomstack_mcp.core.tampering.runner_settings import Settings, settings_of

Files = Mapping[str, bytes]
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
_PLACES = ("testpaths", "python_files", "found")
_TESTS = re.compile(r"test|spec|unit|integration|e2e|functional|regression|^\*+$", re.IGNORECASE)


def runner_findings(old: Files, new: Files) -> Iterator[Weakening]:
    """Over the whole change, so that a setting may move from one file to another of its folder."""
    before, after = _readable(old), _readable(new)
    yield from _setting_findings(before, after)
    yield from _command_findings(before, after)


def looks_elsewhere(old: Files, new: Files) -> bool:
    """Whether the change tells a runner of other folders or file names, so that tests may move there."""
    return bool(_places(new) - _places(old))


def _places(files: Files) -> set[tuple[str, str]]:
    lists = [settings_of(path, text).lists for path, text in _readable(files).items()]
    return {(name, one) for several in lists for name in _PLACES for one in several.get(name, ())}


def _readable(files: Files) -> dict[str, bytes]:
    return {path: text for path, text in files.items() if is_runner_path(path) and not unreadable(text)}


def _setting_findings(old: Files, new: Files) -> Iterator[Weakening]:
    before: dict[str, Settings] = defaultdict(Settings)
    after: dict[str, Settings] = defaultdict(Settings)
    named: dict[str, str] = {}
    for path, content in old.items():
        read = settings_of(path, content)
        before[_folder(path)].add(read)
        named.setdefault(_folder(path), path)
        if path in new and not read.error and (why := settings_of(path, new[path]).error):
            yield Weakening(kind="unparseable", text=f"the file cannot be read: {why}", path=path)
    for path, content in new.items():
        after[_folder(path)].add(settings_of(path, content))
        named[_folder(path)] = path
    for folder in before:
        for one in _changed(before[folder], after[folder]):
            yield Weakening(kind=one.kind, text=one.text, path=named[folder], hard=one.hard)


def _folder(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/conftest.py" if name == "conftest.py" else folder


def _changed(old: Settings, new: Settings) -> Iterator[Weakening]:
    for option in sorted(new.options - old.options):
        name = option.partition("=")[0]
        if option in _LEAVING_OUT_ALONE or (name in _LEAVING_OUT and "=" in option):
            yield _found("runner_config", f"addopts leaves tests out with {name}")
        elif name == "--no-cov":
            yield _found("coverage_off", "addopts turns coverage off")
    for option in sorted(set(_STRICT) & (old.options - new.options)):
        renamed = option.startswith("--strict") and any(one.startswith("--strict") for one in new.options)
        if not renamed and not (new.strict & {"strict", "strict_markers", "strict_config"}):
            yield _found("runner_config", f"addopts no longer has {option.replace('=', ' ')}")
    for name in sorted(old.strict - new.strict) if "strict" not in new.strict else ():
        yield _found("runner_config", f"{name} is no longer set")
    yield from (
        _found("runner_config", f"conftest changes what tests report ({one})") for one in sorted(new.hooks - old.hooks)
    )
    yield from _lists(old.lists, new.lists)
    yield from _numbers(_all_numbers(old), _all_numbers(new))


def _lists(old: Mapping[str, set[str]], new: Mapping[str, set[str]]) -> Iterator[Weakening]:
    for name in ("testpaths", "python_files", "python_classes", "python_functions", "found"):
        lost = {one for one in old.get(name, set()) - new.get(name, set()) if name in new}
        lost = {one for one in lost if not any(_covers(other, one) for other in new[name])}
        if lost:
            moved = bool(new[name] - old[name])
            yield _found("runner_config", f"{name} no longer has {_some(lost)}", hard=not moved)
    for name in ("norecursedirs", "ignored"):
        more = new.get(name, set()) - old.get(name, set()) - _USUALLY_LEFT_OUT
        if more and not any("node_modules" in one for one in more):
            tests = name == "ignored" or any(_TESTS.search(one) for one in more)
            yield _found("runner_config", f"{name} leaves out {_some(more)} as well", hard=tests)
    if more := new.get("omit", set()) - old.get("omit", set()):
        lost_as_well = old.get("omit", set()) - new.get("omit", set())
        yield _found("coverage_omit", f"coverage leaves out {_some(more)} as well", hard=not lost_as_well)
    if more := new.get("exclude", set()) - old.get("exclude", set()):
        yield _found("coverage_omit", "coverage leaves out more lines", hard=bool(more & _BROAD_EXCLUDES))


def _covers(other: str, one: str) -> bool:
    return other in (".", "*", "./") or one.startswith(other.rstrip("*/") + "/")


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3])[:120]


def _all_numbers(settings: Settings) -> dict[str, float]:
    asked = [one.partition("=")[2] for one in settings.options if one.startswith("--cov-fail-under=")]
    given = [float(one) for one in asked if one.replace(".", "", 1).isdigit()]
    highest = max([*given, settings.numbers.get("fail_under", 0.0)])
    return {**settings.numbers, **({"fail_under": highest} if highest else {})}


def _numbers(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Weakening]:
    for name, number in sorted(old.items()):
        if new.get(name, 0.0) < number:
            now = f"{new[name]:g}" if name in new else "not asked for"
            yield _found("coverage_lowered", f"{name} was {number:g} and is {now}")


def _found(kind: str, text: str, *, hard: bool = True) -> Weakening:
    return Weakening(kind=kind, text=text, path="", hard=hard)


def _command_findings(old: Files, new: Files) -> Iterator[Weakening]:
    before = [one for path, text in old.items() for one in commands_of(path, text.decode(errors="replace"))]
    after = [one for path, text in new.items() for one in commands_of(path, text.decode(errors="replace"))]
    counts_before, counts_after = _counting(before), _counting(after)
    lost, more = counts_before - counts_after, counts_after - counts_before
    muted = _counting(after, muted=True) - _counting(before, muted=True)
    silenced = [one for one in after if one.muted and muted[one.text]]
    for one in _once(silenced):
        if lost[one.text] or _fewer(one, counts_before, counts_after):
            yield _at(one, "runner_config", f"the result of `{_short(one)}` no longer counts")
    if silenced:
        return
    for one in _once([one for one in after if not one.muted and more[one.text]]):
        known = {option for text in lost for option in Command(text=text, path="", line=0).narrowing}
        if lost and one.narrowing - known and any(_same_tool(one.text, text) for text in lost):
            yield _at(one, "runner_config", f"`{_short(one)}` leaves tests out")
    left = {(path, place) for path, text in new.items() for place in places_of(path, text.decode(errors="replace"))}
    gone = _once([one for one in before if not one.muted and lost[one.text] and one.text not in counts_after])
    for one in gone:
        replaced = bool(more) or any(_same_tool(one.text, text) for text in counts_after)
        # A target that is gone as a whole fails whoever calls it; one that does nothing now passes.
        stays = not one.place or (one.path, one.place) in left
        yield _at(one, "runner_step_removed", f"`{_short(one)}` is no longer run", hard=stays and not replaced)


def _counting(commands: list[Command], *, muted: bool = False) -> Counter[str]:
    return Counter(one.text for one in commands if one.muted is muted)


def _once(commands: list[Command]) -> list[Command]:
    return list({one.text: one for one in commands}.values())


def _same_tool(one: str, other: str) -> bool:
    return one.split()[:1] == other.split()[:1]


def _fewer(command: Command, before: Counter[str], after: Counter[str]) -> bool:
    """Whether fewer commands of the same tool count than did."""
    old, new = (sum(count for text, count in one.items() if _same_tool(command.text, text)) for one in (before, after))
    return new < old


def _short(command: Command) -> str:
    return command.text[:60]


def _at(command: Command, kind: str, text: str, *, hard: bool = True) -> Weakening:
    return Weakening(kind=kind, text=text, path=command.path, line=command.line, hard=hard)
