"""Both plugins have the same texts, the hook that `init` writes, and the package's version; the help tells of them."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import loomstack_mcp
from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from tests.agents.definitions import CLAUDE, CODEX, ROOT, agents, derived, skills, strays

MARKETPLACES = {
    ".claude-plugin/marketplace.json": lambda plugin: plugin["source"],
    ".agents/plugins/marketplace.json": lambda plugin: plugin["source"]["path"],
}


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in derived()])
def test_what_is_derived_is_written_down(path: str) -> None:
    """Red? `python -m tests.agents.definitions` writes it."""
    assert (ROOT / path).read_text("utf-8") == derived()[ROOT / path]


def test_codex_has_nothing_that_follows_from_nothing() -> None:
    assert [*strays()] == []


def test_codex_reads_the_text_that_claude_code_reads() -> None:
    read = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in CODEX.glob("agents/*.toml")}

    assert {name: one["developer_instructions"] for name, one in read.items()} == {
        one.name: one.body for one in agents()
    }
    assert {name: one["description"] for name, one in read.items()} == {
        one.name: one.fields["description"] for one in agents()
    }


def test_a_definition_is_called_as_its_file_is() -> None:
    assert [agent.name for agent in agents()] == [agent.path.stem for agent in agents()]
    assert [skill.name for skill in skills()] == [skill.path.parent.name for skill in skills()]


@pytest.mark.parametrize("manifest", [CLAUDE / ".claude-plugin/plugin.json", CODEX / ".codex-plugin/plugin.json"])
def test_a_plugin_has_the_packages_version_and_no_server(manifest: Path) -> None:
    plugin = json.loads(manifest.read_text("utf-8"))

    assert (plugin["name"], plugin["version"]) == ("loomstack", loomstack_mcp.__version__)
    assert [path for path in manifest.parents[1].rglob("*") if path.name == ".mcp.json"] == []
    assert "mcpServers" not in plugin


@pytest.mark.parametrize("path", MARKETPLACES)
def test_a_marketplace_leads_to_the_plugin(path: str) -> None:
    market = json.loads((ROOT / path).read_text("utf-8"))
    [plugin] = market["plugins"]
    folder = ROOT / MARKETPLACES[path](plugin)

    assert (market["name"], plugin["name"]) == ("loomstack", "loomstack")
    assert [*folder.glob(".*-plugin/plugin.json")] != []


def test_the_chapter_tells_of_each_agent_and_skill_and_how_the_readmes_install_them() -> None:
    """The READMEs' lines are run, in `tests/clients/test_plugins.py`."""
    chapter = (ROOT / "loomstack_mcp/help/agents.md").read_text("utf-8")
    readmes = [(plugin / "README.md").read_text("utf-8") for plugin in (CLAUDE, CODEX)]
    blocks = re.compile(r"```sh\n(.*?)```", re.DOTALL)

    assert [one.name for one in [*agents(), *skills()] if f"| `{one.name}` |" not in chapter] == []
    assert [blocks.findall(readme)[0] for readme in readmes] == blocks.findall(chapter)[-len(readmes) :]
    for line in "".join(blocks.findall(readme)[1] for readme in readmes).splitlines():
        assert f"`{line}`" in chapter


def test_the_chapter_tells_what_each_agent_s_text_costs() -> None:
    """Red? `python -m tests.bench agents` asks the real clients for the whole table."""
    chapter = (ROOT / "loomstack_mcp/help/agents.md").read_text("utf-8")
    told = {name: int(text) for name, text in re.findall(r"^\| `(\w+)` \| \d+ \| (\d+) \|", chapter, re.MULTILINE)}

    assert told == {agent.name: -(-len(agent.body) // CHARS_PER_TOKEN) for agent in agents()}
