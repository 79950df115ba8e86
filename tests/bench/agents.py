"""What each agent and skill costs as the real clients send it: in every session, and where it is used."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from tests.agents.definitions import CLAUDE as CLAUDE_TEXTS
from tests.agents.definitions import CODEX as CODEX_TEXTS
from tests.agents.definitions import Definition, agents, skills
from tests.bench.measure import Figure, at_most
from tests.clients.client_run import ClientRun
from tests.clients.drive_claude import CLAUDE, run_claude, start_agent
from tests.clients.drive_codex import AGENTS, CODEX, run_codex, search_tools, spawn_agent, wait_agent
from tests.clients.script import Call, Lane, Moment, Script, call
from tests.conftest import environment, git

_OURS = "mcp__loomstack"
_ANY = "any"
"""An agent that names no tools."""
_TOKENS_MOST = 600
"""What all of them may cost a session in which none is used."""
_CODE_MODE_MOST = 1_100
"""The same in Codex's code mode, which lists Codex's own roles too once there is another (some 580)."""


def figures(command: list[str], home: Path) -> Iterator[Figure]:
    """Claude Code, then Codex: where it calls tools itself, and where it writes code."""
    if not (CLAUDE and CODEX):
        yield Figure("agents in the clients", "not measured: .ci/run installs them")
        return
    server = {"command": command[0], "args": command[1:], "env": environment(home)}
    yield from _in_claude(home, {**server, "type": "stdio"})
    yield from _in_codex(home, {**server, "required": True})


def _in_claude(home: Path, server: dict[str, Any]) -> Iterator[Figure]:
    started = [_started(agent.name) for agent in agents()]
    used = [call("Skill", {"skill": skill.name}) for skill in skills()]
    lanes = [_lane(agent.name, "messages") for agent in agents()]
    place = _repository(home, (CLAUDE_TEXTS / "agents", ".claude/agents"), (CLAUDE_TEXTS / "skills", ".claude/skills"))
    without = _repository(home)
    (without / ".claude/agents").mkdir(parents=True)
    for repository in (place, without):
        (repository / f".claude/agents/{_ANY}.md").write_text(f"---\nname: {_ANY}\ndescription: Any.\n---\nAny.\n")
    script = Script([_started(_ANY), "done"], [_lane(_ANY, "messages")])
    bare = run_claude(script, cwd=without, home=_folder(home), mcp={"loomstack": server})
    tools = bare.lane(_ANY)[0]["body"]["tools"]
    yield _cost("Claude Code's and our tools, where an agent names none", sum(map(_size, tools)))
    script = Script([started, *used, "done"], lanes)
    allow = [_OURS, "Skill"]
    done = run_claude(script, cwd=place, home=_folder(home), mcp={"loomstack": server}, allow=allow)
    yield _listed("Claude Code", _first(done) - _first(bare), _TOKENS_MOST)
    for agent in agents():
        yield _cost(f"  {agent.name}, each session", _line(done, f"- {agent.name}: {agent.fields['description']}"))
        yield _running(agent, done.lane(agent.name)[0]["body"])
    yield from _skills(done, at=-1)


def _running(agent: Definition, sent: Any) -> Figure:
    assert _reads(sent["system"], agent.body)
    ours = sum(_size(tool) for tool in sent["tools"] if tool["name"].startswith(_OURS))
    theirs = sum(_size(tool) for tool in sent["tools"]) - ours
    parts = {"text": len(agent.body), "our tools": ours, "Claude's tools": theirs}
    return Figure(
        f"  {agent.name}, where it runs", ", ".join(f"{what} {_tokens(size)}" for what, size in parts.items())
    )


def _in_codex(home: Path, server: dict[str, Any]) -> Iterator[Figure]:
    given: dict[str, Any] = {"home": _folder(home), "trust": True, "mcp": {"loomstack": server}}
    place = _repository(home, (CODEX_TEXTS / "agents", ".codex/agents"), (CODEX_TEXTS / "skills", ".agents/skills"))
    for what, model, most in (("Codex", "gpt-5.5", _TOKENS_MOST), ("Codex, code", "gpt-6.1-sol", _CODE_MODE_MOST)):
        bare, full = (run_codex(Script(["done"]), cwd=cwd, model=model, **given) for cwd in (_repository(home), place))
        yield _listed(what, _first(full) - _first(bare), most)
    turns = [turn for agent in agents() for turn in (_spawned(agent), _awaited)]
    script = Script([search_tools("spawn agent"), *turns, "done"], [_lane(agent.name, "input") for agent in agents()])
    done = run_codex(script, " ".join(f"${skill.name}" for skill in skills()), cwd=place, **given)
    for agent in agents():
        assert _reads(done.lane(agent.name)[0]["body"], agent.body)
        role = f"{agent.name}: {{\n{agent.fields['description']}\n}}\n"
        assert json.dumps(role)[1:-1] in done.results()[0].text
        yield _cost(f"  {agent.name}, listed with the tool that starts it", len(role))
        yield _cost(f"  {agent.name}, where it runs", len(agent.body))
    yield from _skills(done, at=0)


def _skills(done: ClientRun, *, at: int) -> Iterator[Figure]:
    texts = [*_texts(done.lane()[at]["body"])]
    for skill in skills():
        used = sum(len(text) for text in texts if skill.body.strip() in text)
        assert used
        listed = _line(done, f"- {skill.name}: {skill.fields['description']}")
        yield Figure(f"  {skill.name}", f"{_tokens(listed)} each session, {_tokens(used)} where it is used")


def _line(done: ClientRun, start: str) -> int:
    """The length of the one line of a client's first request that starts so."""
    [line] = [line for text in _texts(done.lane()[0]["body"]) for line in text.splitlines() if line.startswith(start)]
    return len(line) + 1


def _texts(sent: Any) -> Iterator[str]:
    """Every text in a request, whatever it is in."""
    if isinstance(sent, str):
        yield sent
    elif isinstance(sent, list | dict):
        for inner in sent.values() if isinstance(sent, dict) else sent:
            yield from _texts(inner)


def _reads(sent: Any, body: str) -> bool:
    return any(body.strip() in text for text in _texts(sent))


def _started(agent: str) -> Call:
    return start_agent(agent, f"PLAY-{agent}")


def _spawned(agent: Definition) -> Call:
    return spawn_agent(f"PLAY-{agent.name}", agent.name)


def _awaited(moment: Moment) -> Call:
    return wait_agent(moment.results[-1].json["agent_id"])


def _lane(agent: str, said: str) -> Lane:
    """A sub-agent's conversation: it was told to play, and starts nobody itself."""

    def is_its(request: dict[str, Any]) -> bool:
        given = json.dumps(request[said][:4] if said == "messages" else request[said])
        return f"PLAY-{agent}" in given and not any(word in given for word in ("subagent_type", AGENTS))

    return Lane(is_its, ["done"], agent)


def _repository(home: Path, *copies: tuple[Path, str]) -> Path:
    folder = _folder(home)
    git(folder, "init", "--quiet")
    for source, target in copies:
        shutil.copytree(source, folder / target)
    return folder


def _folder(home: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="agents-", dir=home))


def _first(done: ClientRun) -> int:
    return _size(done.lane()[0]["body"])


def _size(sent: Any) -> int:
    return len(json.dumps(sent, separators=(",", ":"), ensure_ascii=False))


def _tokens(size: int) -> int:
    return -(-size // CHARS_PER_TOKEN)


def _cost(what: str, size: int) -> Figure:
    return Figure(what, f"{_tokens(size)} tokens")


def _listed(client: str, size: int, most: int) -> Figure:
    return at_most(f"{client}, each session: all of them", _tokens(size), "tokens", most=most)
