"""What a conftest does to the results of tests and to the list of those that run."""

import ast
import warnings

from loomstack_mcp.core.tampering.python.names import last_name
from loomstack_mcp.core.tampering.python.skip_calls import may_skip
from loomstack_mcp.core.tampering.runners.settings import RunnerSettings

_HOOK_WORDS = {"skip", "skipif", "xfail", "pytest_deselected", "deselected", "outcome", "exitstatus", "clear", "remove"}


def read_conftest(content: bytes, settings: RunnerSettings) -> None:
    """The settings hold what the file does; may raise whatever `ast.parse` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = ast.parse(content)
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef():
                settings.hooks |= _hooks_of(node)
            case ast.Assign(targets=[ast.Name(id="collect_ignore" | "collect_ignore_glob")], value=value):
                settings.extend("ignored", _texts_in(value))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="collect_ignore" | "collect_ignore_glob")), args=args):
                settings.extend("ignored", (text for one in args for text in _texts_in(one)))
            case ast.Call() if last_name(node) == "_exit":
                settings.hooks.add("conftest: ends the process")


def _hooks_of(function: ast.FunctionDef) -> set[str]:
    if function.name.startswith("pytest_"):
        return {f"{function.name}: {word}" for word in _names_in(function) & _HOOK_WORDS}
    if may_skip(function.body) and any(map(_is_autouse, function.decorator_list)):
        return {"a fixture of all tests: skip"}
    return set()


def _names_in(node: ast.AST) -> set[str]:
    parts = list(ast.walk(node))
    return {one.attr for one in parts if isinstance(one, ast.Attribute)} | {
        one.id for one in parts if isinstance(one, ast.Name)
    }


def _is_autouse(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and any(one.arg == "autouse" for one in mark.keywords)


def _texts_in(node: ast.expr) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
