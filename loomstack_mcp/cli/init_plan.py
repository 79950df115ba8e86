"""What `init` and `uninstall` are about to do, shown before they do it."""

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from loomstack_mcp.adapters.install.definitions import FoundDefinition
from loomstack_mcp.adapters.install.git_hooks import GitHookStep
from loomstack_mcp.adapters.install.scopes import InstallScope
from loomstack_mcp.adapters.install.writing import FileStep
from loomstack_mcp.cli import output
from loomstack_mcp.core.clients.files.definitions import DefinitionState
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted

ShownPath = Callable[[Path], str]

_KEPT: dict[DefinitionState, str] = {
    "foreign": "yours: init did not write it",
    "changed": "changed by you since init wrote it",
    "newer": "of a newer version than this",
}


def agreed_to(
    steps: Sequence[FileStep],
    shown_path: ShownPath,
    *,
    hooks: Sequence[GitHookStep] = (),
    dry_run: bool,
    yes: bool,
    nothing: str,
) -> bool:
    """Show the plan, and whether to go on with it; `nothing` is said where there is none."""
    if not (steps or hooks):
        click.echo(nothing)
        return False
    for line in _plan(steps, hooks, shown_path):
        click.echo(line)
    if dry_run:
        return False
    if not yes and not sys.stdin.isatty():
        raise Invalid("there is no terminal to ask on; pass --yes to go on, or --dry-run to look only")
    return yes or click.confirm("Write this?", default=True)


def show_kept(found: Sequence[FoundDefinition], scope: InstallScope, states: Sequence[DefinitionState]) -> None:
    """Say which files in the place of ours stay as they are, and why."""
    for each in found:
        if each.state in states:
            shown = scope.shown_path(scope.root / each.path)
            click.echo(output.harmless(f"{'kept':<7} {shown}  {_KEPT[each.state]}"))


def _plan(steps: Sequence[FileStep], hooks: Sequence[GitHookStep], shown_path: ShownPath) -> Iterator[str]:
    changing = [step for step in steps if step.before != step.after]
    for step in changing:
        yield output.harmless_lines(_brief(step, shown_path) if step.brief else _difference(step, shown_path))
    for hook in hooks:
        yield output.harmless(f"{hook.verb:<7} {shown_path(hook.path)}  {hook.brief}")
    if steps and not changing:
        yield f"{'remove':<7} the empty folders that came with it"


def _difference(step: FileStep, shown_path: ShownPath) -> str:
    name = shown_path(step.path)
    before, after = (step.before or "").splitlines(), (step.after or "").splitlines()
    old, new = ("/dev/null" if text is None else name for text in (step.before, step.after))
    return "\n".join(difflib.unified_diff(before, after, old, new, lineterm="", n=2))


def _brief(step: FileStep, shown_path: ShownPath) -> str:
    """One line: agents and skills are prose, and a person's own file may hold secrets next to what changes."""
    verb = "new" if step.before is None else "remove" if step.after is None else "change"
    length = "" if None not in (step.before, step.after) else f", {_lines(step.after or step.before or '')}"
    return f"{verb:<7} {shown_path(step.path)}{_elsewhere(step.path)}  {step.brief}{length}"


def _lines(text: str) -> str:
    return counted(len(text.splitlines()), "line")


def _elsewhere(path: Path) -> str:
    """Where it lies, if that is behind a link."""
    real = os.path.realpath(path)
    return f" ({real})" if real != str(path) else ""
