"""What the configuration of a JavaScript runner says, without running it."""

import re

from loomstack_mcp.core.tampering.runners.settings import RunnerSettings

_IGNORES = ("testPathIgnorePatterns", "modulePathIgnorePatterns", "exclude", "ignore")
_FOUND = ("testMatch", "testRegex", "include", "roots", "projects")
_NUMBERS = re.compile(r"\b(branches|functions|lines|statements)\b['\"]?\s*:\s*(-?\d+(?:\.\d+)?)")
# The lengths are bounded: a file that says `exclude: [` over and over would else be searched to its end each time.
_VALUE = r"['\"]?\s*:\s*(\[[^\]]{0,5000}\]|['\"][^'\"]{0,500}['\"])"
_QUOTED = re.compile(r"(['\"])(.*?)\1")


def read_script(text: str, settings: RunnerSettings) -> None:
    """The settings hold what the text of a configuration, JavaScript or JSON, says: it is searched, not run."""
    text = re.sub(r"(?m)^[ \t]*//.*$", "", text)
    for names, key in ((_IGNORES, "ignored"), (_FOUND, "found")):
        for name in names:
            for value in re.findall(rf"\b{name}{_VALUE}", text):
                settings.extend(key, (quoted[1] for quoted in _QUOTED.findall(value)))
    for name, number in _NUMBERS.findall(text):
        settings.numbers[name] = max(settings.numbers.get(name, 0.0), float(number))
    if re.search(r"passWithNoTests['\"]?\s*:\s*true", text):
        settings.options.add("--passWithNoTests")
