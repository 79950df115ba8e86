"""The commands of CI files in YAML, read by indentation, and whether their step or job may fail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.runners.command_lines import LINE_CHARS_MAX, RunnerCommand, commands_in_line

_LISTED = re.compile(r"^(\s*)(-\s+)?(?:(['\"]?)([\w./ -]{1,80})\3\s*:)?(?:\s+|$)(.*)$")
_BLOCK_SCALAR = re.compile(r"[|>][+-]?\d?\s*(?:#.*)?$")
_COMMAND_KEYS = {"run", "script", "before_script", "after_script", "", "command", "bash", "cmd", "pwsh"}
_TRUE = ("true", "${{ true }}", "yes", "on")
_FALSE = ("false", "${{ false }}", "${{false}}", "never()", "0", "${{ always() && false }}")
_MUTING = {
    "continue-on-error": _TRUE,
    "continueOnError": _TRUE,
    "allow_failure": _TRUE,
    "if": _FALSE,
    "when": ("manual", "never"),
}
"""Values by key with which a step or job may fail, or does not run at all: in GitHub's, Azure's and GitLab's files."""
_LAST_WORD = re.compile(r"^\s*(?:exit\s+0|true|:)\s*$")
FILE_LINES_READ_MAX = 20_000


@dataclass
class _Block:
    """One mapping of a YAML file while it is read: a step, a job or the whole file."""

    indent: int
    muted: bool = False


@record
class _Entry:
    """One line of a mapping or list."""

    indent: int
    """Of the key, behind the dash of a list item."""
    key: str
    value: str
    starts_item: bool


@record
class _Script:
    """What one key gives to a shell."""

    line: int
    text: str
    around: tuple[_Block, ...]
    """The step, the job and the file, which may still turn out to be muted further down."""


def workflow_commands(path: str, text: str) -> Iterator[RunnerCommand]:
    """The commands of a CI file that run tests; flow style and anchors are not followed."""
    for script in list(_scripts(text.splitlines()[:FILE_LINES_READ_MAX])):
        yield from _commands_of_script(script, path)


def _scripts(lines: list[str]) -> Iterator[_Script]:
    around = [_Block(0)]
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _entry(line)
        _enter(around, entry)
        at, held = number, [entry.value]
        if _BLOCK_SCALAR.match(entry.value):
            held, number = _indented(lines, number, line)
        if entry.key in _COMMAND_KEYS:
            yield _Script(line=at, text="\n".join(held), around=tuple(around))


def _entry(line: str) -> _Entry:
    found = _LISTED.match(line[:LINE_CHARS_MAX])
    if found is None:
        return _Entry(indent=_indent(line), key="", value=line.strip(), starts_item=False)
    indent = len(found[1]) + len(found[2] or "")
    return _Entry(indent=indent, key=(found[4] or "").strip(), value=found[5].strip(), starts_item=found[2] is not None)


def _enter(around: list[_Block], entry: _Entry) -> None:
    """The last of the blocks is the one that the line belongs to, muted where the line says so."""
    while len(around) > 1 and around[-1].indent > entry.indent:
        around.pop()
    if around[-1].indent < entry.indent:
        around.append(_Block(entry.indent))
    elif entry.starts_item:
        around[-1] = _Block(entry.indent)
    if entry.value.strip("'\"").lower() in _MUTING.get(entry.key, ()):
        around[-1].muted = True


def _indented(lines: list[str], start: int, head: str) -> tuple[list[str], int]:
    """The lines of a block scalar behind its head, and where the next line stands."""
    end = start
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > _indent(head)):
        end += 1
    return lines[start:end], end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _commands_of_script(script: _Script, path: str) -> Iterator[RunnerCommand]:
    lines = re.sub(r"\\\n", " ", script.text).splitlines()
    if "\n" not in script.text:
        lines = [script.text.strip("'\"")]
    muted = any(one.muted for one in script.around) or _ends_well(lines)
    last = next((line for line in reversed(lines) if line.strip()), None)
    forgiving = _goes_on_after_errors(script.text)
    offset = 1 if len(lines) > 1 else 0
    for number, line in enumerate(lines):
        unheard = forgiving and line is not last
        yield from commands_in_line(line, path, script.line + number + offset, muted=muted or unheard)


def _ends_well(lines: list[str]) -> bool:
    """Whether the last word of several is `exit 0`: the shell answers with it, whatever was before."""
    written = [line for line in lines if line.strip()]
    return len(written) > 1 and _LAST_WORD.match(written[-1]) is not None


def _goes_on_after_errors(script: str) -> bool:
    """Whether only what comes last counts: CI runs scripts with `set -e`, and this one takes that back."""
    return re.search(r"\bset \+\w*e", script) is not None and not re.search(r"\$\?", script)
