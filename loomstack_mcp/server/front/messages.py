"""Messages as they come and go, and those that the front does not know."""

from typing import Any

Json = dict[str, Any]
RequestId = int | str


class NotKnown(Exception):
    """A message that the front does not know, and does not guess about: it is the SDK's server's to answer."""


def correlated(id: RequestId) -> RequestId:  # noqa: A002 the protocol's word
    """An id as it is compared: a number that comes back as text is the same one."""
    try:
        return int(id) if isinstance(id, str) else id
    except ValueError:
        return id
