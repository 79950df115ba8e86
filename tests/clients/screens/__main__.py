"""`python -m tests.clients.screens` plays the first story on the clients' own screens, and keeps what they show."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.clients.drive_claude import CLAUDE
from tests.clients.drive_codex import CODEX, config_text
from tests.clients.fake_anthropic import FakeAnthropic
from tests.clients.fake_openai import FakeOpenAI
from tests.clients.screens.screen import Screen
from tests.clients.screens.svg import PICTURES, svg
from tests.clients.screens.tty import Tty
from tests.clients.stories.claude_hands import Claude
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.rework import PROMPT, rework_script
from tests.clients.stories.shop import PATH, cents_shop, set_up

_ROWS = 70
_DONE = r"Nothing is open[\s\S]*(?:done|Worked)"
_SETTLE_S = 2
"""What is drawn first takes no keys yet; what is drawn last has more to come."""
_KEY = "sk-ant-dummy-not-a-key"
_TERMINAL = {"PATH": PATH, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
_DOWN = "\x1b[B"


def main() -> None:
    """Write a picture of each client."""
    with tempfile.TemporaryDirectory(prefix="screens-") as kept:
        os.environ.setdefault("HARNESS_TMP", kept)
        for name, title, shown in (("claude", Claude.name, _claude), ("codex", Codex.name, _codex)):
            home = Path(kept) / name
            shop = cents_shop(home / "shop")
            with shown(shop, home, {**_TERMINAL, **set_up(shop, home), "HOME": str(home)}) as screen:
                PICTURES.mkdir(exist_ok=True)
                (PICTURES / f"{name}.svg").write_text(svg(screen, title=f"{title} runs a loop"), "utf-8")


@contextlib.contextmanager
def _claude(shop: Path, home: Path, env: dict[str, str]) -> Iterator[Screen]:
    """Its screen after the story; a person has trusted the folder and the server before."""
    trusted = {"hasTrustDialogAccepted": True, "enabledMcpjsonServers": ["loomstack"]}
    known = {"hasCompletedOnboarding": True, "theme": "dark", "projects": {str(shop): trusted}}
    approved = {"customApiKeyResponses": {"approved": [_KEY[-20:]], "rejected": []}}
    (home / ".claude.json").write_text(json.dumps({**known, **approved}))
    script = rework_script(Claude(PATH, on_screen=True), shop)
    command = [CLAUDE, "--model", "claude-opus-4-8", "--permission-mode", "acceptEdits", "--allowedTools", "Bash"]
    with FakeAnthropic(script) as model:
        quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"}
        env = {**env, **quiet, "ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": _KEY}
        with Tty(command, cwd=shop, env=env, rows=_ROWS) as tty:
            tty.wait("accept edits on")
            _play(tty, f"/{PROMPT}")
            yield tty.screen


@contextlib.contextmanager
def _codex(shop: Path, home: Path, env: dict[str, str]) -> Iterator[Screen]:
    """Its screen after the story; a person has trusted the folder and the hook before."""
    script = rework_script(Codex(PATH), shop)
    folders = json.dumps([str(folder) for folder in Codex.writable(shop)])
    command = [CODEX, "--no-daemon", "--sandbox", "workspace-write", "--dangerously-bypass-hook-trust"]
    command += ["--config", f"sandbox_workspace_write.writable_roots={folders}"]
    with FakeOpenAI(script) as model:
        own = home / ".codex"
        own.mkdir(exist_ok=True)
        written = config_text(model.url, "gpt-5.5", trusted=str(shop), mcp={})
        (own / "config.toml").write_text(f"{written}\n[features]\ndaemon_auto_start = false\n")
        env = {**env, "CODEX_HOME": str(own), "FAKE_KEY": "dummy-not-a-key"}
        with Tty(command, cwd=shop, env=env, rows=_ROWS) as tty:
            tty.wait("Use existing model|Ask Codex")
            tty.read(_SETTLE_S)
            if "Use existing model" in tty.screen.text:
                tty.type(_DOWN)
            tty.wait("Ask Codex")
            _play(tty, f"${PROMPT}")
            yield tty.screen


def _play(tty: Tty, prompt: str) -> None:
    """Type the words once the screen takes them, and read until the story is over."""
    tty.read(_SETTLE_S)
    tty.type(prompt)
    tty.wait(_DONE, quiet_s=60)
    tty.read(_SETTLE_S)


if __name__ == "__main__":
    main()
