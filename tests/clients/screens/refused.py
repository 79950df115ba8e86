"""A session that is told nothing of LoomStack: what it reads at its start, and the two edits that it is refused."""

import json
import re
import subprocess

from tests.clients.bypass.hands import Hand
from tests.clients.script import Moment, Script, Turn
from tests.clients.stories.hands import told
from tests.clients.untold_shop import FILES, GROSS, PRICES, RATES, Shop, whole

REFUSED_DONE = r"Both stay as they are[\s\S]*"
_SESSION = "5a0d6d01-7c3e-7f10-9b1d-2f6ec1a2b3d4"


def hold_as_other(shop: Shop, client: str) -> None:
    """Another session edits the prices, in the other clone: its client's hooks are called as that client calls them."""
    tree = shop.folder / "bea"
    path = str(tree / PRICES)
    patch = f"*** Begin Patch\n*** Update File: {PRICES}\n@@\n-x\n+y\n*** End Patch\n"
    edit = {"file_path": path, "old_string": "120", "new_string": "100"}
    tool = {"tool_name": "Edit", "tool_input": edit, "tool_use_id": "t-1"}
    if client == "codex":
        tool = {"tool_name": "apply_patch", "tool_input": {"command": patch}, "tool_use_id": "t-1"}
    for event, more in (("SessionStart", {"source": "startup"}), ("PreToolUse", tool)):
        payload = {"session_id": _SESSION, "cwd": str(tree), "hook_event_name": event, **more}
        command = ["loomstack-hook", client, event]
        subprocess.run(command, input=json.dumps(payload), cwd=tree, env=shop.env, text=True, check=True)


def refused_script(hand: Hand, shop: Shop) -> Script:
    """The session: it says what it was told, edits what is held, then what is protected."""

    def at(path: str) -> str:
        return str(shop.folder / "ana" / path)

    def begun(moment: Moment) -> Turn:
        found = re.search(r"(- \w+-\w{8}@.*?)(?:\\n\\n|\")", told(moment))
        what = json.loads(f'"{found[1]}"').removeprefix("- ") if found else "nothing"
        return [f"I was told at the start: {what}", hand.shell(f"cat {PRICES} {RATES}")]

    return Script(
        [
            begun,
            whole(hand, at(PRICES), GROSS, GROSS.replace("zip", "zap")),
            hand.write(at(RATES), "RATE = 7\n", was=FILES[RATES]),
            "Both stay as they are: the one is being edited, the other no agent changes.",
            "Both stay as they are.",
        ]
    )
