"""The tests of Python files, with what each of them checks."""

import ast
import re
import warnings
from collections.abc import Mapping

from loomstack_mcp.core.tampering.model import Inventory, unreadable
from loomstack_mcp.core.tampering.python.asserting import asserting_functions
from loomstack_mcp.core.tampering.python.collecting import Collector
from loomstack_mcp.core.tampering.python.module_names import names_of_module

NOT_PYTHON = "not valid Python"
"""The error of a file that Python cannot parse, though another, newer one might."""
_HOSTILE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What a text that is no Python, or too much of it, makes the parser and the printer raise."""


def python_inventories(files: Mapping[str, bytes]) -> dict[str, Inventory]:
    """The tests of each file; helpers are looked up in all of them. Never raises: see `Inventory.error`."""
    parsed: dict[str, ast.Module] = {}
    found: dict[str, Inventory] = {}
    for path, content in files.items():
        module = _parsed(content)
        if isinstance(module, str):
            found[path] = Inventory(path=path, error=module)
        else:
            parsed[path] = module
    shared = {name: one for module in parsed.values() for name, one in asserting_functions(module.body).items()}
    for path, module in parsed.items():
        try:
            names = names_of_module(module, shared)
            tests = tuple(Collector(names).tests(module))
            found[path] = Inventory(path=path, tests=tests, imported=names.imported, defined=names.defined)
        except _HOSTILE as error:
            found[path] = Inventory(path=path, error=f"cannot be read ({type(error).__name__})")
    return found


def _parsed(content: bytes) -> ast.Module | str:
    """The syntax tree, or why there is none."""
    if why := unreadable(content):
        return why
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (RecursionError, MemoryError):
        return "nested too deep"
    except SyntaxError as error:
        return "not text in its encoding" if re.search("encod|codec", error.msg) else NOT_PYTHON
    except (ValueError, OverflowError):
        return NOT_PYTHON
