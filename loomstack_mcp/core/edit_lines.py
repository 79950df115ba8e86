"""Lines of a file: those that somebody changed, those that an edit means, and whether they are the same."""

from collections.abc import Sequence

LineSpan = tuple[int, int]
"""The first and the last of some lines, counted from 1. What stands between two lines is both of them."""

_COMPARED_MAX = 400
"""Lines between the first and the last that differ, which are compared one by one."""
_SHOWN_MAX = 3


def changed_lines(before: Sequence[str], after: Sequence[str], /) -> tuple[list[LineSpan], list[LineSpan]]:
    """Where a text differs from what it was, as lines of either; nothing where that cannot be said for certain.

    That is where most of it differs, as with other line ends, or where it is too much to compare.
    """
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(old), len(new)) > _COMPARED_MAX:
        return [], []
    from difflib import SequenceMatcher  # 5 ms, for the few edits that are refused

    found = [step for step in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if step[0] != "equal"]
    if 2 * sum(step[2] - step[1] for step in found) > len(before):
        return [], []
    return (
        [_span(start + step[1], start + step[2]) for step in found],
        [_span(start + step[3], start + step[4]) for step in found],
    )


def meant_lines(text: str, passages: Sequence[str], /) -> list[LineSpan]:
    """Where passages stand in a text; nothing where one of them is not there exactly once."""
    found = []
    for passage in passages:
        if not passage or text.count(passage) != 1:
            return []
        first = text.count("\n", 0, text.index(passage)) + 1
        found.append((first, first + passage.rstrip("\n").count("\n")))
    return found


def compared_lines(changed: Sequence[LineSpan], meant: Sequence[LineSpan], /) -> str:
    """What an agent is told of them; "" where either is not known."""
    if not (changed and meant):
        return ""
    same = any(one[0] <= other[1] and other[0] <= one[1] for one in changed for other in meant)
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in changed[:_SHOWN_MAX])
    more = ", …" if len(changed) > _SHOWN_MAX else ""
    return f" It changed lines {shown}{more} so far, {'which you mean, too' if same else 'and you mean others'}."


def _span(start: int, end: int) -> LineSpan:
    return (start + 1, end) if end > start else (start, start + 1)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (line, its) in pairs if line != its), min(len(one), len(other)))
