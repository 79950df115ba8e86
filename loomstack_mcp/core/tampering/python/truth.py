"""Conditions whose outcome stands in the source."""

import ast


def truth(node: ast.expr) -> bool | None:
    """What a condition made of constants comes to; None where it depends on something."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(operand)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            known = [truth(value) for value in values]
            decisive = isinstance(op, ast.Or)
            if decisive in known:
                return decisive
            return None if None in known else not decisive
        case ast.Compare():
            return _comparison_truth(node)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return True
    return _literal_truth(node)


def has_call(node: ast.expr) -> bool:
    """Whether the expression may be something else the next time, so that `next(x) == next(x)` says something."""
    return any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))


def _literal_truth(node: ast.expr) -> bool | None:
    match node:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.Lambda() | ast.JoinedStr(values=[ast.Constant(), *_]):
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            # What is not empty is true: `assert (x == 5, "message")` never fails.
            return None if any(isinstance(part, ast.Starred) for part in parts) else bool(parts)
        case ast.Dict(keys=keys):
            return bool(keys) if None not in keys else None  # the key of `**other` is None
        case ast.Constant(value=value):
            return bool(value)
    return None


def _comparison_truth(node: ast.Compare) -> bool | None:
    """Comparisons that always hold: of constants, of a thing with itself, of a length with zero."""
    match node:
        case ast.Compare(left=ast.Call(func=ast.Name(id="len")), ops=[ast.GtE()], comparators=[ast.Constant(value=0)]):
            return True
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            same = ast.dump(left) == ast.dump(right)
            if same and not has_call(left):
                return isinstance(op, ast.Eq | ast.Is | ast.LtE | ast.GtE)
            if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
                return _constants_truth(op, same=same)
    return None


def _constants_truth(op: ast.cmpop, *, same: bool) -> bool | None:
    if isinstance(op, ast.NotEq | ast.IsNot):
        return not same
    return True if same else None
