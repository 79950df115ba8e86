"""What both real clients find once `init` ran: agents, skills, little of our mark; and who has no package of ours."""

import json

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.adapters.install.shipped import shipped_definitions
from tests.agents.definitions import ROOT
from tests.clients.drive_claude import CLAUDE
from tests.clients.drive_codex import CODEX, run_codex, search_tools
from tests.clients.script import Script
from tests.clients.test_clients import Team
from tests.clients.test_clients import team as team

pytestmark = pytest.mark.skipif(not (CLAUDE and CODEX), reason="the clients are not installed; .ci/run installs them")
REQUIRED = "required MCP servers failed to initialize: loomstack"


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


def test_who_pulls_the_files_and_has_no_package_reads_in_codex_what_the_help_explains(team: Team) -> None:
    told = (ROOT / "loomstack_mcp/help/troubleshooting.md").read_text("utf-8")
    done = run_codex(Script(["done"]), cwd=team.shop, home=team.home, trust=True, path="/usr/bin:/bin")

    assert (done.rc, done.requests) == (1, [])
    assert REQUIRED in done.stderr
    assert f"`{REQUIRED}" in told
