"""The commands that run tests before and after a change: what no longer counts, runs fewer tests, or runs no more."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import FileContents
from loomstack_mcp.core.tampering.runners.command_lines import RunnerCommand, narrowing
from loomstack_mcp.core.tampering.runners.commands import commands_of, places_of


@record
class _Commands:
    """All commands of both trees; a text is counted as often as it stands there."""

    before: Sequence[RunnerCommand]
    after: Sequence[RunnerCommand]

    @cached_property
    def counting_before(self) -> Counter[str]:
        return Counter(one.text for one in self.before if not one.muted)

    @cached_property
    def counting_after(self) -> Counter[str]:
        return Counter(one.text for one in self.after if not one.muted)

    @cached_property
    def lost(self) -> Counter[str]:
        """Those whose result no longer counts, or not as often."""
        return self.counting_before - self.counting_after

    @cached_property
    def more(self) -> Counter[str]:
        return self.counting_after - self.counting_before

    @cached_property
    def silenced(self) -> list[RunnerCommand]:
        """Those that run and whose result does not count, more often than before."""
        muted_before = Counter(one.text for one in self.before if one.muted)
        muted = Counter(one.text for one in self.after if one.muted) - muted_before
        return [one for one in self.after if one.muted and muted[one.text]]


def command_findings(old: FileContents, new: FileContents) -> Iterator[Weakening]:
    """Over all files, so that a command may move; `old` and `new` are those that hold any, and can be read."""
    commands = _Commands(before=_commands_in(old), after=_commands_in(new))
    yield from _silenced_findings(commands)
    # What was silenced is missing among the commands that count, and would be told as gone once more.
    if not commands.silenced:
        yield from _narrowed_findings(commands)
        yield from _gone_findings(commands, new)


def _commands_in(files: FileContents) -> list[RunnerCommand]:
    return [one for path, text in files.items() for one in commands_of(path, text.decode(errors="replace"))]


def _silenced_findings(commands: _Commands) -> Iterator[Weakening]:
    for one in _once(commands.silenced):
        if commands.lost[one.text] or _fewer_of_its_tool(one, commands):
            yield _finding(one, "runner_config", f"the result of `{_short(one)}` no longer counts")


def _narrowed_findings(commands: _Commands) -> Iterator[Weakening]:
    known = {option for text in commands.lost for option in narrowing(text)}
    for one in _once([one for one in commands.after if not one.muted and commands.more[one.text]]):
        replaces = any(_same_tool(one.text, text) for text in commands.lost)
        if replaces and narrowing(one.text) - known:
            yield _finding(one, "runner_config", f"`{_short(one)}` leaves tests out")


def _gone_findings(commands: _Commands, new: FileContents) -> Iterator[Weakening]:
    left = {(path, place) for path, text in new.items() for place in places_of(path, text.decode(errors="replace"))}
    lost = [one for one in commands.before if not one.muted and commands.lost[one.text]]
    for one in _once([one for one in lost if one.text not in commands.counting_after]):
        replaced = bool(commands.more) or any(_same_tool(one.text, text) for text in commands.counting_after)
        # A target that is gone as a whole fails whoever calls it; one that does nothing now passes.
        stays = not one.place or (one.path, one.place) in left
        yield _finding(one, "runner_step_removed", f"`{_short(one)}` is no longer run", hard=stays and not replaced)


def _once(commands: Sequence[RunnerCommand]) -> list[RunnerCommand]:
    return list({one.text: one for one in commands}.values())


def _same_tool(one: str, other: str) -> bool:
    return one.split()[:1] == other.split()[:1]


def _fewer_of_its_tool(command: RunnerCommand, commands: _Commands) -> bool:
    """Whether fewer commands of the same tool count than did."""
    before, after = (
        sum(count for text, count in several.items() if _same_tool(command.text, text))
        for several in (commands.counting_before, commands.counting_after)
    )
    return after < before


def _short(command: RunnerCommand) -> str:
    return command.text[:60]


def _finding(command: RunnerCommand, kind: str, text: str, *, hard: bool = True) -> Weakening:
    return Weakening(kind=kind, text=text, path=command.path, line=command.line, hard=hard)
