"""One shell line: the commands in it that run tests, and whether their result counts."""

import re
from collections.abc import Iterator

from loomstack_mcp.core.records import record

_TOOLS = re.compile(
    r"""(?<![\w./(-])(?:
      (?:(?:\S*/)?python[\d.]*|coverage)\s+(?:run\s+)?-m\s+(?:pytest|unittest|tox|nox|coverage\s+run)|pytest|py\.test|tox|nox
      |(?:npm|yarn|pnpm|bun)\s+(?:-\S+\s+)*(?:run\s+|run-script\s+)?(?:test|t|ci|check|e2e|unit|integration)[\w:.-]*
      |(?:npx\s+)?(?:jest|vitest|mocha|ava|karma|cypress\s+run|playwright\s+test)
      |node\s+--test|deno\s+test|go\s+(?:test|vet)|gotestsum|cargo\s+(?:\+\S+\s+)?(?:test|nextest)
      |g?make\s+(?:\S+\s+)*?(?:test|check)\S*
      |ctest|mvn\s.*\b(?:test|verify)|(?:\./)?gradlew?\s.*\b(?:test|check)|rspec|phpunit|dotnet\s+test|bazel\s+test
      |manage\.py\s+test|(?:(?:python|sh|bash)\S*\s+)?\S*run[-_]?tests?(?:\.\w+)?|hatch\s+(?:run\s+\S*test\S*|test)|just\s+test\S*
    )(?![\w-])""",
    re.VERBOSE,
)
_NOT_A_RUN = re.compile(
    r"^\s*(?:#|echo\b|printf\b)|\b(?:install|add|uninstall|cache|upgrade)\b|--version|--help|\bgit\b"
)
_OTHER_ENVIRONMENT = re.compile(r"(?:tox|nox)\s.*-[es][ =]*(?:docs?|lint|style|release|publish|build|mypy|typing|bump)")
# A shell answers with the last command of a list, and with 0 at once for what runs in the background.
_MUTED = re.compile(
    r"\|\|\s*(?:true|:|exit\s+0|echo\b|printf\b|\(exit 0\)|/bin/true)|;\s*(?:true|exit\s+0|:)\s*$|&\s*$|\|\|\s*$"
)
_NARROWING = re.compile(
    r"""(?<!\S)(?:(?:-k|-m|--deselect|--ignore(?:-glob)?|--testPathIgnorePatterns|--exclude|-skip|--skip|--grep)(?:[=\s]\S+)
      |--passWithNoTests|--pass-with-no-tests|--suppress-no-test-exit-code|--last-failed|--lf|--no-run|--changed|--onlyChanged)""",
    re.VERBOSE,
)
# What stands behind the last `;` says whether the result counts, and stays with its command.
_PARTS = re.compile(r"&&|;(?!\s*(?:true|:|exit\s+0)\s*$)")
_BEHIND = re.compile(r"\|\|?|;|\s#|\s>")
LINE_CHARS_MAX = 2_000
"""The rest of a longer line is not read."""


@record
class RunnerCommand:
    """One command that runs tests."""

    text: str
    """From the name of the tool on, in single spaces."""
    path: str
    line: int
    place: str = ""
    """The target, environment or script it belongs to; empty for a step of a CI file."""
    muted: bool = False
    """Its failure changes nothing."""


def narrowing(command: str) -> frozenset[str]:
    """The options of a command's text that leave tests out."""
    behind = re.sub(r"^\S+\s+-m\s+", "", command)  # `python -m pytest` names a module
    return frozenset(_NARROWING.findall(behind))


def commands_in_line(line: str, path: str, number: int, *, muted: bool, place: str = "") -> Iterator[RunnerCommand]:
    """The commands of one line that run tests; `muted` where what is around it ignores its result already."""
    for part in _PARTS.split(line[:LINE_CHARS_MAX]):
        found = _TOOLS.search(part)
        if found is None or _NOT_A_RUN.search(part[: found.end()]) or _OTHER_ENVIRONMENT.match(part[found.start() :]):
            continue
        silent = _MUTED.search(part) is not None
        bare = _BEHIND.split(part[found.start() :])[0]
        yield RunnerCommand(text=" ".join(bare.split()), path=path, line=number, place=place, muted=muted or silent)
