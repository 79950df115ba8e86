"""The test commands in CI files, Makefiles and package scripts, and whether their result counts."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOOLS = re.compile(
    r"""(?<![\w./(-])(?:
      (?:(?:\S*/)?python[\d.]*|coverage)\s+(?:run\s+)?-m\s+(?:pytest|unittest|tox|nox|coverage\s+run)|pytest|py\.test|tox|nox
      |(?:npm|yarn|pnpm|bun)\s+(?:-\S+\s+)*(?:run\s+|run-script\s+)?(?:test|t|ci|check|e2e|unit|integration)[\w:.-]*|(?:npx\s+)?(?:jest|vitest|mocha|ava|karma|cypress\s+run|playwright\s+test)
      |node\s+--test|deno\s+test|go\s+(?:test|vet)|gotestsum|cargo\s+(?:\+\S+\s+)?(?:test|nextest)|g?make\s+(?:\S+\s+)*?(?:test|check)\S*
      |ctest|mvn\s.*\b(?:test|verify)|(?:\./)?gradlew?\s.*\b(?:test|check)|rspec|phpunit|dotnet\s+test|bazel\s+test
      |manage\.py\s+test|(?:(?:python|sh|bash)\S*\s+)?\S*run[-_]?tests?(?:\.\w+)?|hatch\s+(?:run\s+\S*test\S*|test)|just\s+test\S*
    )(?![\w-])""",
    re.VERBOSE,
)
_NOT_A_RUN = re.compile(
    r"^\s*(?:#|echo\b|printf\b)|\b(?:install|add|uninstall|cache|upgrade)\b|--version|--help|\bgit\b"
)
_OTHER_ENVIRONMENT = re.compile(r"(?:tox|nox)\s.*-[es][ =]*(?:docs?|lint|style|release|publish|build|mypy|typing|bump)")
_MUTED = re.compile(
    r"\|\|\s*(?:true|:|exit\s+0|echo\b|printf\b|\(exit 0\)|/bin/true)|;\s*(?:true|exit\s+0|:)\s*$|&\s*$|\|\|\s*$"
)
_LAST_WORD = re.compile(r"^\s*(?:exit\s+0|true|:)\s*$")
_NARROWING = re.compile(
    r"""(?<!\S)(?:(?:-k|-m|--deselect|--ignore(?:-glob)?|--testPathIgnorePatterns|--exclude|-skip|--skip|--grep)(?:[=\s]\S+)
      |--passWithNoTests|--pass-with-no-tests|--suppress-no-test-exit-code|--last-failed|--lf|--no-run|--changed|--onlyChanged)""",
    re.VERBOSE,
)
_LISTED = re.compile(r"^(\s*)(-\s+)?(?:(['\"]?)([\w./ -]{1,80})\3\s*:)?(?:\s+|$)(.*)$")
_TARGET = re.compile(r"([\w.-]+)\s*::?(?!=)")
VALUE_LINES_MAX = 20_000
LINE_CHARS_MAX = 2_000
"""The rest of a longer line is not read."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command that runs tests."""

    text: str
    """From the name of the tool on, in single spaces."""
    path: str
    line: int
    place: str = ""
    """The target, environment or script it belongs to; empty for a step of a CI file."""
    muted: bool = False
    """Its failure changes nothing."""

    @property
    def narrowing(self) -> frozenset[str]:
        """Options that leave tests out."""
        behind = re.sub(r"^\S+\s+-m\s+", "", self.text)  # `python -m pytest` names a module
        return frozenset(_NARROWING.findall(behind))


def commands_of(path: str, text: str) -> Iterator[Command]:
    """All commands of a file that run tests; empty where the file is none that holds commands."""
    name = path.rsplit("/", 1)[-1]
    if name == "package.json":
        yield from _scripts(path, text)
    elif re.search(r"\.ya?ml$", name):
        yield from _steps(path, text)
    elif name.lower().endswith("makefile"):
        yield from _recipes(path, text)
    elif name == "tox.ini":
        yield from _environments(path, text)


def places_of(path: str, text: str) -> frozenset[str]:
    """The targets, environments or scripts that a file names, whether they run tests or not."""
    name = path.rsplit("/", 1)[-1]
    if name == "package.json":
        return frozenset(_named_scripts(text))
    if name.lower().endswith("makefile"):
        return frozenset(found[1] for line in text.splitlines() if (found := _TARGET.match(line)))
    return frozenset(re.findall(r"(?m)^\[(testenv[^\]]*)\]", text)) if name == "tox.ini" else frozenset()


def _recipes(path: str, text: str) -> Iterator[Command]:
    target = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _TARGET.match(line)
        target = found[1] if found else target
        if line.startswith("\t"):
            bare = line.strip().lstrip("@+")
            yield from _runs(bare.lstrip("-@+"), path, number, muted=bare.startswith("-"), place=target)


def _environments(path: str, text: str) -> Iterator[Command]:
    section, key, ignored = "", "", False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            section, key, ignored = line.strip().strip("[]"), "", False
        elif found := re.match(r"(\w+)\s*=\s*(.*)", line):
            key, line = found[1], found[2]
            ignored = ignored or (key == "ignore_outcome" and line.strip().lower() in ("true", "1"))
        if key.startswith("commands") and section.startswith("testenv"):
            bare = line.strip()
            yield from _runs(bare.lstrip("- "), path, number, muted=ignored or bare.startswith("- "), place=section)


def _runs(line: str, path: str, number: int, *, muted: bool, place: str = "") -> Iterator[Command]:
    for part in re.split(r"&&|;(?!\s*(?:true|:|exit\s+0)\s*$)", line[:LINE_CHARS_MAX]):
        found = _TOOLS.search(part)
        if found is None or _NOT_A_RUN.search(part[: found.end()]) or _OTHER_ENVIRONMENT.match(part[found.start() :]):
            continue
        silent = _MUTED.search(part) is not None
        bare = re.split(r"\|\|?|;|\s#|\s>", part[found.start() :])[0]
        yield Command(text=" ".join(bare.split()), path=path, line=number, place=place, muted=muted or silent)


def _scripts(path: str, text: str) -> Iterator[Command]:
    for key, value in _named_scripts(text).items():
        if re.search(r"test|check|\bci\b", key):
            line = 1 + text[: text.find(json.dumps(key))].count("\n")
            yield from _runs(value, path, line, muted=False, place=key)


def _named_scripts(text: str) -> dict[str, str]:
    try:
        scripts = json.loads(text).get("scripts", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {key: one for key, one in scripts.items() if isinstance(one, str)} if isinstance(scripts, dict) else {}


@dataclass
class _Block:
    """One mapping of a YAML file while it is read: a step, a job or the whole file."""

    indent: int
    muted: bool = False
    found: list[tuple[int, str]] | None = None


def _steps(path: str, text: str) -> Iterator[Command]:
    """Of a CI file: read by indentation, which is how they are written; flow style and anchors are not followed."""
    commands: list[tuple[int, str, tuple[_Block, ...]]] = []
    open_blocks: list[_Block] = [_Block(0)]
    lines = text.splitlines()[:VALUE_LINES_MAX]
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent, key, value, item = _read(line)
        while len(open_blocks) > 1 and open_blocks[-1].indent > indent:
            open_blocks.pop()
        if open_blocks[-1].indent < indent:
            open_blocks.append(_Block(indent))
        elif item:
            open_blocks[-1] = _Block(indent)
        _mark(open_blocks[-1], key, value)
        at, held = number, [value]
        if re.match(r"[|>][+-]?\d?\s*(?:#.*)?$", value):
            held, number = _block_text(lines, number, line)
        commands += [(at, "\n".join(held), tuple(open_blocks))] if key in _COMMAND_KEYS else []
    for at, script, around in commands:
        yield from _script(script, path, at, muted=any(one.muted for one in around))


_COMMAND_KEYS = {"run", "script", "before_script", "after_script", "", "command", "bash", "cmd", "pwsh"}


def _read(line: str) -> tuple[int, str, str, bool]:
    """Indentation of the key, key, value, and whether a list item starts here."""
    found = _LISTED.match(line[:LINE_CHARS_MAX])
    if found is None:
        return len(line) - len(line.lstrip()), "", line.strip(), False
    indent = len(found[1]) + len(found[2] or "")
    return indent, (found[4] or "").strip(), found[5].strip(), bool(found[2])


def _mark(block: _Block, key: str, value: str) -> None:
    bare = value.strip("'\"").lower()
    if key in ("continue-on-error", "allow_failure", "continueOnError") and bare in (
        "true",
        "${{ true }}",
        "yes",
        "on",
    ):
        block.muted = True
    if key == "if" and bare in ("false", "${{ false }}", "${{false}}", "never()", "0", "${{ always() && false }}"):
        block.muted = True
    if key == "when" and bare in ("manual", "never"):
        block.muted = True


def _block_text(lines: list[str], start: int, head: str) -> tuple[list[str], int]:
    outer = len(head) - len(head.lstrip())
    end = start
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > outer):
        end += 1
    return lines[start:end], end


def _script(script: str, path: str, at: int, *, muted: bool) -> Iterator[Command]:
    lines = re.sub(r"\\\n", " ", script).splitlines()
    if "\n" not in script:
        lines = [script.strip("'\"")]
    written = [line for line in lines if line.strip()]
    # With `set +e`, or where the last word is `exit 0`, only what comes last counts.
    forgiving = re.search(r"\bset \+\w*e", script) is not None and not re.search(r"\$\?", script)
    ends_well = len(written) > 1 and _LAST_WORD.match(written[-1]) is not None
    offset = 1 if len(lines) > 1 else 0
    for number, line in enumerate(lines):
        last = bool(written) and line is written[-1]
        yield from _runs(line, path, at + number + offset, muted=muted or ends_well or (forgiving and not last))
