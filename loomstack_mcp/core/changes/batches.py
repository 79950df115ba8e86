"""Things in their order, as many at once as one call should carry."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def batches(
    items: Iterable[_Item], /, *, size: Callable[[_Item], int], size_max: int, count_max: int
) -> Iterator[tuple[_Item, ...]]:
    """Groups of at most `count_max` items that are together no larger than `size_max`; what is larger goes alone."""
    batch: list[_Item] = []
    filled = 0
    for item in items:
        more = size(item)
        if batch and (filled + more > size_max or len(batch) >= count_max):
            yield tuple(batch)
            batch, filled = [], 0
        batch.append(item)
        filled += more
    if batch:
        yield tuple(batch)
