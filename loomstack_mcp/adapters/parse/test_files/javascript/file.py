"""The tests of a JavaScript or TypeScript file, with what each of them checks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import line_of, text_of
from loomstack_mcp.adapters.parse.test_files.asserting import NodeScope
from loomstack_mcp.adapters.parse.test_files.javascript.flow import body_assertions
from loomstack_mcp.adapters.parse.test_files.javascript.names import (
    constants_of,
    helpers_of,
    imports_of,
    script_local_names,
    script_mocks_of,
    stubs_of,
)
from loomstack_mcp.adapters.parse.test_files.javascript.runner import RunnerCall, runner_call
from loomstack_mcp.adapters.parse.test_files.javascript.syntax import FUNCTIONS, call_arguments, unquoted
from loomstack_mcp.adapters.parse.test_files.spelling import spelled
from loomstack_mcp.core.tampering.model import Inventory, Skip, Test, digest

_STARTS_WITH_SKIP = re.compile(r"\{\s*(?:this|ctx|context|t)\.skip\(")


def javascript_inventory(path: str, root: Node) -> Inventory:
    """The tests of a parsed file."""
    file = _File(root)
    tests = tuple(file.tests(root, _Suite()))
    imported = frozenset(name for names in file.imports.values() for name in names)
    return Inventory(path=path, tests=tests, imported=imported, only=file.only)


@dataclass(frozen=True)
class _Suite:
    group: str = ""
    skip: Skip = ""
    cases: int = 1

    def within(self, call: RunnerCall) -> "_Suite":
        """What holds for what the call makes."""
        skip: Skip = "always" if "always" in (call.skip, self.skip) else call.skip or self.skip
        return replace(self, skip=skip, cases=self.cases * call.cases)

    def titled(self, title: str) -> "_Suite":
        return replace(self, group=f"{self.group} > {title}" if self.group else title)


class _File:
    def __init__(self, root: Node) -> None:
        self.imports = imports_of(root)
        self.only = False
        """Known when all tests have been read."""
        self._helpers = helpers_of(root)
        self._mocked = tuple(script_mocks_of(root, self.imports))

    def tests(self, node: Node, suite: _Suite) -> Iterator[Test]:
        for child in node.named_children:
            call = runner_call(child)
            if call is None:
                yield from self.tests(child, suite)
            else:
                self.only = self.only or call.only
                yield from self._made(child, call, suite.within(call))

    def _made(self, node: Node, call: RunnerCall, suite: _Suite) -> Iterator[Test]:
        arguments = call_arguments(node)
        body = next((one for one in reversed(arguments) if one.type in FUNCTIONS), None)
        title = unquoted(spelled(arguments[0], {}))
        if call.is_test:
            yield self._test(title, node, body, suite)
        elif body is not None:
            yield from self.tests(body, suite.titled(title))

    def _test(self, title: str, call: Node, body: Node | None, suite: _Suite) -> Test:
        content = body.child_by_field_name("body") if body is not None else None
        values = constants_of(body)
        skips = body is None or _STARTS_WITH_SKIP.match(text_of(content))
        stubs = stubs_of(content) if content is not None else ()
        scope = NodeScope(values=values, helpers=self._helpers)
        return Test(
            name=title,
            group=suite.group,
            line=line_of(call),
            assertions=tuple(body_assertions(content, scope)) if content is not None else (),
            skip="always" if skips else suite.skip,
            cases=suite.cases,
            mocked=(*self._mocked, *stubs),
            body=digest(" ".join(text_of(content).split())),
            names=frozenset(script_local_names(body) - values.keys()),
        )
