"""The shape of code: how long its modules and functions are, how branched, how well described."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from radon.visitors import ComplexityVisitor  # type: ignore[import-untyped] # radon has no types

from tests.house.sources import Module, Sources, lines, modules

COMPLEX = 10
"""Above this a function counts as complex."""
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_STUBS = ("overload", "setter", "deleter")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function, and what is measured of it."""

    at: str
    """`path:line name`"""
    lines: int
    complexity: int


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is measured of one checkout."""

    module_lines: tuple[int, ...]
    functions: tuple[Function, ...]
    public: tuple[str, ...]
    undocumented: tuple[str, ...]
    """Those of `public` without a docstring."""
    code_lines: int
    test_lines: int

    @property
    def complex_per_1000(self) -> float:
        """Functions above COMPLEX, in 1,000."""
        return 1_000 * len(self.above(COMPLEX)) / len(self.functions)

    @property
    def documented(self) -> float:
        """The share of what is public that has a docstring."""
        return 1 - len(self.undocumented) / len(self.public)

    @property
    def tests_to_code(self) -> float:
        """Lines of tests for each line of code."""
        return self.test_lines / self.code_lines

    def above(self, complexity: int) -> list[Function]:
        """The functions above a complexity, the worst first."""
        found = [function for function in self.functions if function.complexity > complexity]
        return sorted(found, key=lambda function: (-function.complexity, function.at))


def shape(found: Sources) -> Shape:
    """What there is to say of a checkout's code."""
    read = list(modules(found))
    told = [told for module in read for told in _public(module)]
    return Shape(
        module_lines=tuple(module.lines for module in read if not module.is_hollow),
        functions=tuple(function for module in read for function in _functions(module)),
        public=tuple(name for name, _ in told),
        undocumented=tuple(name for name, documented in told if not documented),
        code_lines=sum(module.lines for module in read),
        test_lines=sum(lines(path.read_bytes()) for path in found.tests),
    )


def percentile(values: Sequence[int], percent: int) -> int:
    """The least of the values that at least so many percent of them do not exceed."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def _functions(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            [measured] = ComplexityVisitor.from_ast(node).functions
            yield Function(
                at=f"{module.path}:{node.lineno} {node.name}",
                lines=(node.end_lineno or node.lineno) - node.lineno + 1,
                complexity=measured.complexity,
            )


def _public(module: Module) -> Iterator[tuple[str, bool]]:
    """What is public in a module, itself included, and whether it has a docstring."""
    if any(part.startswith("_") for part in module.name.split(".")):
        return
    if module.tree.body:
        yield module.path, bool(ast.get_docstring(module.tree))
    for name, node in _definitions(module.tree, ""):
        yield f"{module.path}:{node.lineno} {name}", bool(ast.get_docstring(node))


def _definitions(around: ast.AST, prefix: str) -> Iterator[tuple[str, _Definition]]:
    for node in ast.iter_child_nodes(around):
        if not isinstance(node, _Definition):
            yield from _definitions(node, prefix)
        elif not node.name.startswith("_") and not _is_stub(node):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node, f"{prefix}{node.name}.")


def _is_stub(node: _Definition) -> bool:
    return any(ast.unparse(decorator).rpartition(".")[2] in _STUBS for decorator in node.decorator_list)
