"""`python -m tests.clients.screens` plays sessions on the clients' own screens, and keeps what they show."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.bypass.hands import ClaudeHand, CodexHand
from tests.clients.drive_claude import CLAUDE
from tests.clients.drive_codex import CODEX, config_text
from tests.clients.fake_anthropic import FakeAnthropic
from tests.clients.fake_openai import FakeOpenAI
from tests.clients.screens.refused import REFUSED_DONE, hold_as_other, refused_script
from tests.clients.screens.screen import Screen
from tests.clients.screens.svg import PICTURES, svg
from tests.clients.screens.tty import Tty
from tests.clients.script import Script
from tests.clients.stories.claude_hands import Claude
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.rework import PROMPT, rework_script
from tests.clients.stories.shop import PATH, cents_shop, set_up
from tests.clients.untold_shop import Shop

_ROWS = 70
_DONE = r"Nothing is open[\s\S]*(?:done|Worked)"
_SETTLE_S = 2
"""What is drawn first takes no keys yet; what is drawn last has more to come."""
_KEY = "sk-ant-dummy-not-a-key"
_TERMINAL = {"PATH": PATH, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
_DOWN = "\x1b[B"


@dataclass(frozen=True, kw_only=True)
class _Session:
    """What is played on a screen."""

    script: Script
    prompt: str
    done: str
    """A pattern of what the screen shows at the end."""
    cwd: Path
    rows: int = _ROWS
    writable: Sequence[Path] = ()
    """Repositories in which Codex's shell may commit."""


_Shown = Callable[[_Session, dict[str, str]], contextlib.AbstractContextManager[Screen]]


def main() -> None:
    """Write the pictures of each client: of the first story, and of a session that is told nothing, and refused."""
    with tempfile.TemporaryDirectory(prefix="screens-") as kept:
        os.environ.setdefault("HARNESS_TMP", kept)
        PICTURES.mkdir(exist_ok=True)
        for name, title, hands, shown in (
            ("claude", Claude.name, Claude, _claude),
            ("codex", Codex.name, Codex, _codex),
        ):
            home = Path(kept) / name
            shop = cents_shop(home / "shop")
            env = {**_TERMINAL, **set_up(shop, home), "HOME": str(home)}
            script = rework_script(Claude(PATH, on_screen=True) if hands is Claude else Codex(PATH), shop)
            prompt = f"{hands.skill}{PROMPT}"
            with shown(_Session(script=script, prompt=prompt, done=_DONE, cwd=shop, writable=(shop,)), env) as screen:
                (PICTURES / f"{name}.svg").write_text(svg(screen, title=f"{title} runs a loop"), "utf-8")
            _draw_refused(Path(kept) / f"{name}-refused", name, title, shown)


def _draw_refused(folder: Path, name: str, title: str, shown: _Shown) -> None:
    folder.mkdir()
    shop = Shop(folder)
    hold_as_other(shop, "codex" if name == "claude" else "claude")
    script = refused_script(ClaudeHand() if name == "claude" else CodexHand(), shop)
    session = _Session(script=script, prompt="mend the shop", done=REFUSED_DONE, cwd=shop.folder / "ana", rows=44)
    with shown(session, {**_TERMINAL, **shop.env}) as screen:
        (PICTURES / f"{name}-refused.svg").write_text(svg(screen, title=f"{title} is refused an edit"), "utf-8")


@contextlib.contextmanager
def _claude(session: _Session, env: dict[str, str]) -> Iterator[Screen]:
    """Its screen after the session; a person has trusted the folder and the server before."""
    trusted = {"hasTrustDialogAccepted": True, "enabledMcpjsonServers": ["loomstack"]}
    known = {"hasCompletedOnboarding": True, "theme": "dark", "projects": {str(session.cwd): trusted}}
    approved = {"customApiKeyResponses": {"approved": [_KEY[-20:]], "rejected": []}}
    (Path(env["HOME"]) / ".claude.json").write_text(json.dumps({**known, **approved}))
    command = [CLAUDE, "--model", "claude-opus-4-8", "--permission-mode", "acceptEdits", "--allowedTools", "Bash"]
    with FakeAnthropic(session.script) as model:
        quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"}
        env = {**env, **quiet, "ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": _KEY}
        with Tty(command, cwd=session.cwd, env=env, rows=session.rows) as tty:
            tty.wait("accept edits on")
            _play(tty, session)
            yield tty.screen


@contextlib.contextmanager
def _codex(session: _Session, env: dict[str, str]) -> Iterator[Screen]:
    """Its screen after the session; a person has trusted the folder and the hooks before."""
    folders = json.dumps([str(folder) for shop in session.writable for folder in Codex.writable(shop)])
    command = [CODEX, "--no-daemon", "--sandbox", "workspace-write", "--dangerously-bypass-hook-trust"]
    command += ["--config", f"sandbox_workspace_write.writable_roots={folders}"]
    with FakeOpenAI(session.script) as model:
        own = Path(env["HOME"]) / ".codex"
        own.mkdir(exist_ok=True)
        written = config_text(model.url, "gpt-5.5", trusted=str(session.cwd), mcp={})
        (own / "config.toml").write_text(f"{written}\n[features]\ndaemon_auto_start = false\n")
        env = {**env, "CODEX_HOME": str(own), "FAKE_KEY": "dummy-not-a-key"}
        with Tty(command, cwd=session.cwd, env=env, rows=session.rows) as tty:
            tty.wait("Use existing model|Ask Codex")
            tty.read(_SETTLE_S)
            if "Use existing model" in tty.screen.text:
                tty.type(_DOWN)
            tty.wait("Ask Codex")
            _play(tty, session)
            yield tty.screen


def _play(tty: Tty, session: _Session) -> None:
    """Type the words once the screen takes them, and read until the session is over."""
    tty.read(_SETTLE_S)
    tty.type(session.prompt)
    tty.wait(session.done, quiet_s=60)
    tty.read(_SETTLE_S)


if __name__ == "__main__":
    main()
