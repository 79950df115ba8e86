"""Agents and skills among the clients' files: ours by a comment that the client does not send to its model."""

import hashlib
import re
from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.clients.files.client_file import BYTE_ORDER_MARK, ClientFile, text_file
from loomstack_mcp.core.clients.files.own_names import COMMAND
from loomstack_mcp.core.clients.files.project import ClientPlaces
from loomstack_mcp.core.records import record

DefinitionClient = Literal["Claude Code", "Codex"]
DefinitionKind = Literal["agents", "skills"]
DefinitionState = Literal["absent", "current", "stale", "newer", "changed", "foreign"]
"""As in this package, as in an older or a newer one, ours but changed since, or never ours."""

_HEAD = "---\n"
# Both clients read it as a comment, in the frontmatter of Markdown and in TOML, and send it to no model (run on Claude
# Code 2.1.330 and Codex 0.169.0, 2026-11).
_MARK = re.compile(rf"^# {COMMAND} ([0-9.]{{1,40}})\S* wrote this \(([0-9a-f]{{16}})\).*\n", re.MULTILINE)


@record
class ClientDefinition:
    """An agent or a skill, as one client reads it."""

    client: DefinitionClient
    kind: DefinitionKind
    name: str
    text: str
    """As this package has it, without our mark; "" where it has it no more."""
    version: str
    """Of this package."""

    @property
    def marked(self) -> str:
        """As `init` writes it; "" where it is to go."""
        if not self.text:
            return ""
        mark = f"# {COMMAND} {self.version} wrote this ({_imprint(self.name, self.text)}); change it, and it is yours\n"
        head = _HEAD if self.text.startswith(_HEAD) else ""
        return head + mark + self.text.removeprefix(head)


def definition_folder(places: ClientPlaces, client: DefinitionClient, kind: DefinitionKind) -> str:
    """The folder in which a client looks for agents, or for skills."""
    if kind == "skills":
        return f"{places.claude}/skills" if client == "Claude Code" else places.skills
    return f"{places.claude if client == 'Claude Code' else places.codex}/agents"


def definition_path(client: DefinitionClient, kind: DefinitionKind, name: str) -> str:
    """The file of an agent or a skill in that folder."""
    if kind == "skills":
        return f"{name}/SKILL.md"
    return f"{name}.md" if client == "Claude Code" else f"{name}.toml"


def definition_state(definition: ClientDefinition, found: str | None) -> DefinitionState:
    """What a file in the place of a definition is; None is no file."""
    if found is None:
        return "absent"
    plain = found.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n")
    if (mark := _MARK.search(plain)) is None:
        return "foreign"
    text = plain[: mark.start()] + plain[mark.end() :]
    if _imprint(definition.name, text) != mark[2]:
        return "changed"
    if text == definition.text:
        return "current"
    return "newer" if _numbers(mark[1]) > _numbers(definition.version) else "stale"


def definition_file(path: str, definition: ClientDefinition) -> ClientFile:
    """The file of a definition, all of it ours as long as nobody changed it; its line ends stay."""

    def put(text: str) -> str:
        return definition.marked.replace("\n", "\r\n") if "\r\n" in text else definition.marked

    def taken(text: str) -> str:
        return "" if definition_state(definition, text) in ("current", "stale", "newer") else text

    return replace(text_file(path, put, taken), brief=definition.kind.removesuffix("s"), is_whole=True)


def claude_name(text: str) -> str:
    """The name that the frontmatter of an agent of Claude Code gives it; "" where it gives none."""
    plain = text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n")
    head = plain.removeprefix(_HEAD).partition("\n---")[0] if plain.startswith(_HEAD) else ""
    found = re.search(r"^name:[ \t]*[\"']?([^\s\"'#]+)", head, re.MULTILINE)
    return found[1] if found else ""


def _imprint(name: str, text: str) -> str:
    """The name belongs to it: a copy under another name is no longer ours."""
    return hashlib.sha256(f"{name}\n{text}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number)
