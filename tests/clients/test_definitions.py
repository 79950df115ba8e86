"""What both real clients find of agents and skills once `init` ran, and how little of our mark they send."""

import json

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.adapters.install.shipped import shipped_definitions
from tests.clients.drive_claude import CLAUDE
from tests.clients.drive_codex import CODEX, search_tools
from tests.clients.test_clients import Team
from tests.clients.test_clients import team as team

pytestmark = pytest.mark.skipif(not (CLAUDE and CODEX), reason="the clients are not installed; .ci/run installs them")


def test_both_clients_offer_every_agent_and_skill_and_send_no_mark_of_ours(team: Team) -> None:
    asked = {
        "Claude Code": team.claude(["done"]).requests,
        "Codex": team.codex([search_tools("spawn agent"), "done"]).requests,
    }
    sent = {client: json.dumps([each["body"] for each in of], ensure_ascii=False) for client, of in asked.items()}

    for each in shipped_definitions(__version__):
        [line] = [line for line in each.text.splitlines() if line.startswith("description")]
        description = line.removeprefix("description").lstrip(" :=").strip('"')
        assert description in sent[each.client], each
    assert "wrote this (" not in "".join(sent.values())
