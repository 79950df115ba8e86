"""Whether an edge and a hub of two versions understand each other."""

import re

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\b")
_HELPS = "pip install -U loomstack-mcp"


def version_problem(theirs: str, ours: str, /) -> str:
    """Why an edge of one version may not speak with a hub of another, with the command that helps; "" where it may.

    One minor version apart works.
    """
    match, own = _VERSION.match(theirs), _VERSION.match(ours)
    assert own
    if match is None:
        return "say your version as LoomStack-Version: 0.X.Y"
    major, minor = int(match[1]), int(match[2])
    own_major, own_minor = int(own[1]), int(own[2])
    if major == own_major and abs(minor - own_minor) <= 1:
        return ""
    if (major, minor) < (own_major, own_minor):
        return (
            f"this hub is LoomStack {ours}, and you are {major}.{minor}, too far behind: run `{_HELPS}` where you are"
        )
    return (
        f"this hub is LoomStack {ours}, too far behind you, who are {major}.{minor}: "
        f"ask its admin to run `{_HELPS}` there"
    )
