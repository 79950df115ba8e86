"""The texts of agents and skills, and what follows from them: `python -m tests.agents.definitions` writes that.

A text is written once, for Claude Code. Codex gets the same: its agents as TOML, and copies of the skills, for it
leaves links out when it installs a plugin (run on 0.169.0, 2026-11).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loomstack_mcp.core.clients.files.project import ClientPlaces, client_files

ROOT = Path(__file__).parents[2]
CLAUDE, CODEX = ROOT / "claude_agents", ROOT / "codex_agents"
_HOOKS = {CLAUDE: ".claude/settings.json", CODEX: ".codex/hooks.json"}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """An agent or a skill as Claude Code reads it."""

    path: Path
    fields: dict[str, Any]
    """The frontmatter."""
    body: str

    @property
    def name(self) -> str:
        name: str = self.fields["name"]
        return name

    @property
    def tools(self) -> tuple[str, ...]:
        """What an agent may use; empty of a skill."""
        return tuple(self.fields.get("tools", "").replace(",", " ").split())


def agents() -> list[Definition]:
    """The sub-agents, by name."""
    return [_read(path) for path in sorted(CLAUDE.glob("agents/*.md"))]


def skills() -> list[Definition]:
    """The skills, by name."""
    return [_read(path) for path in sorted(CLAUDE.glob("skills/*/SKILL.md"))]


def derived() -> dict[Path, str]:
    """What each file that nobody writes by hand has to say."""
    texts = {CODEX / f"agents/{agent.name}.toml": _toml(agent) for agent in agents()}
    texts |= {CODEX / skill.path.relative_to(CLAUDE): skill.path.read_text("utf-8") for skill in skills()}
    texts |= {plugin / "LICENSE": (ROOT / "LICENSE").read_text("utf-8") for plugin in _HOOKS}
    return texts | {plugin / "hooks/hooks.json": _hook(path) for plugin, path in _HOOKS.items()}


def strays() -> Iterator[Path]:
    """Files where only derived ones belong, which follow from nothing any more."""
    wanted = derived()
    for folder in ("agents", "skills", "hooks"):
        yield from (path for path in CODEX.glob(f"{folder}/**/*") if path.is_file() and path not in wanted)


def _read(path: Path) -> Definition:
    _, head, body = path.read_text("utf-8").split("---\n", 2)
    return Definition(path=path, fields=yaml.safe_load(head), body=body)


def _toml(agent: Definition) -> str:
    words = (json.dumps(agent.fields[key], ensure_ascii=False) for key in ("name", "description"))
    body = agent.body.replace("\\", "\\\\").replace('"""', '""\\"')
    return 'name = {}\ndescription = {}\ndeveloper_instructions = """\n{}"""\n'.format(*words, body)


def _hook(path: str) -> str:
    """The hook alone, as `init` writes it into that file."""
    [file] = [file for file in client_files(ClientPlaces()) if file.path == path]
    return json.dumps({"hooks": json.loads(file.put(""))["hooks"]}, indent=2) + "\n"


def main() -> None:
    """Write what is derived, and remove what no longer is."""
    for stray in [*strays()]:
        stray.unlink()
    for path, text in derived().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
