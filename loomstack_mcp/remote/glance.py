"""A hook's first look where a hub is the store: what this machine remembers, and one question."""

import json

from loomstack_mcp.adapters.hub_tokens import hub_token
from loomstack_mcp.adapters.user import WORKTREES_FILE
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.remote.line import Line

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class HubGlance:
    """The hub as a hook in a hurry asks it. What it does not answer plainly is asked the way everybody else asks."""

    def __init__(self, hub: str, home: str, environment: "Mapping[str, str]") -> None:
        kept = hub_token(home, hub, environment)
        self._line = Line(hub, kept.get("token", ""), ca=kept.get("ca", ""), home=home, is_hasty=True)
        self._home = home

    def is_clear(
        self, who: "Mapping[str, str]", folder: str, identity: str, patterns: "Sequence[str]", *, claim_edits: str
    ) -> bool:
        """As `GlanceService.is_clear`, in a worktree of the repo of that identity."""
        return self._says_of_files("is_clear", who, folder, identity, patterns, {"claim_edits": claim_edits})

    def is_held(self, who: "Mapping[str, str]", folder: str, identity: str, patterns: "Sequence[str]") -> bool:
        """As `GlanceService.hold_clear`, likewise."""
        return self._says_of_files("hold_clear", who, folder, identity, patterns, {})

    def is_unalerted(self, who: "Mapping[str, str]") -> bool:
        """As `GlanceService.is_unalerted`."""
        return self._says("is_unalerted", {"caller": who})

    def _says_of_files(
        self,
        method: str,
        who: "Mapping[str, str]",
        folder: str,
        identity: str,
        patterns: "Sequence[str]",
        more: "Mapping[str, str]",
    ) -> bool:
        worktree = self._worktree_name(folder)
        if not (worktree and identity) or identity.startswith("folder:"):  # which the hub knows by another name
            return False
        checkout = {"identity": identity, "worktree": worktree}
        return self._says(method, {"caller": who, "checkout": checkout, "patterns": list(patterns), **more})

    def _says(self, method: str, told: "Mapping[str, object]") -> bool:
        try:
            return self._line.hub_answer(f"/api/glances/{method}", json.dumps(told).encode()).get("answer") is True
        except LoomError:
            return False

    def _worktree_name(self, folder: str) -> str:
        """As `Machine` has named it; "" for a worktree that it has not."""
        try:
            with open(f"{self._home}/{WORKTREES_FILE}", encoding="utf-8") as opened:
                return str(next((one["name"] for one in json.load(opened) if one.get("path") == folder), ""))
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            return ""
