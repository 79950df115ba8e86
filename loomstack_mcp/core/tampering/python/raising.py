"""What `pytest.raises`, `assertRaises`, `warns` and their like assert."""

import ast

from loomstack_mcp.core.tampering.model import BROAD_RAISES, MATCH_BONUS, WEIGHTS, Assertion, digest
from loomstack_mcp.core.tampering.python.names import Values, dotted_name, last_name
from loomstack_mcp.core.tampering.python.spelling import spelling

RAISES = {
    "raises",
    "assertRaises",
    "assertRaisesRegex",
    "assertRaisesRegexp",
    "RaisesGroup",
    "RaisesExc",
    "warns",
    "assertWarns",
    "assertWarnsRegex",
    "deprecated_call",
    "assert_raises",
    "raises_regexp",
}
"""The last name of a call that asserts an exception or a warning."""
_BROAD = {"Exception", "BaseException", "Warning"}


def raising(call: ast.Call, values: Values, body: str = "") -> Assertion:
    """`pytest.raises(E, match=…)` and its like; `body` is what is to raise, where the call does not say so itself."""
    names = _exceptions(call, values)
    pattern = _pattern(call)
    broad = bool(_BROAD & set(names)) or (not names and not call.keywords)
    expected = digest(f"{names} {spelling(pattern, values) if pattern else ''}")
    return Assertion(
        kind="raises",
        weight=(BROAD_RAISES if broad else WEIGHTS["raises"]) + (MATCH_BONUS if pattern else 0),
        sides=(body or ("" if pattern else _raising_call(call, values)),),
        expected=expected,
        line=call.lineno,
    )


def _exceptions(call: ast.Call, values: Values) -> list[str]:
    if last_name(call) == "deprecated_call":
        return ["DeprecationWarning"]
    several = call.args[0].elts if call.args and isinstance(call.args[0], ast.Tuple) else call.args[:1]
    return sorted(dotted_name(one).removeprefix("builtins.") or spelling(one, values) for one in several)


def _pattern(call: ast.Call) -> ast.expr | None:
    """What the message is to match; unittest takes it as the second argument of `assertRaisesRegex`."""
    if "egex" in last_name(call) and len(call.args) > 1:
        return call.args[1]
    return next((one.value for one in call.keywords if one.arg in ("match", "expected_regex")), None)


def _raising_call(call: ast.Call, values: Values) -> str:
    """The old form `raises(E, function, *arguments)` as the call that it makes; empty where it makes none."""
    if len(call.args) < 2:
        return ""
    return f"{spelling(call.args[1], values)}({', '.join(spelling(one, values) for one in call.args[2:])})"
