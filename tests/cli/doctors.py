"""What the tests of `doctor` share: a repository, clients that are only names on PATH, and their files."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import environment
from tests.processes import SCRIPT, run

SCRIPTS = str(Path(SCRIPT).parent)
APPROVED = {"hasTrustDialogAccepted": True, "enabledMcpjsonServers": ["loomstack"]}
# What Codex 0.169.0 keeps once a person trusted the hooks that `init` writes (app-server's hooks/list, 2026-11).
HASHES = {
    "session_start": "b75f6602cce2cc4cb1bbeb58918fddf6e8aca52fc075ba5c7d2d47882e1861bd",
    "user_prompt_submit": "01cd0b98d63386943db1b4a687647af8d9e55cb0e1f1f5550b2570e360ebf9b3",
    "subagent_start": "18a65aba9732ed244c7f8b6a08c2bd71d775d96dd5d5e8a1b7c6a985e7265c1e",
    "pre_tool_use": "484b0780718b16f57aae5bf4dcb51e02b503a4fb5d3c7827dc44b645e8521f0d",
    "post_tool_use": "c4c65659c1214919b940b86b00af252b3c542b7b545b9f89f945dd11cf2338ba",
    "subagent_stop": "8f62ffc1aa720b7e3b5b562d40f93319968ff0d95fc5251f3b8591c449ae4ada",
    "stop": "6192121500537cfb96739180f2f355a27998140dd78c1f967506e72d8372a5d7",
    "session_end": "3e11cd45276f30c0b02fbcfce42313a35b258d2764e3c624749f5fe6a23213ba",
}
GUARD_HASHES = {
    "pre_tool_use": "6e8dad25cd383cec91cefcd44deb123d455d23f18e0f2b5a8b379b834bc3def5",
    "post_tool_use": "fd0d74951a1a49a0b828d35561a0df25c34874c0dee178a4fe31b5b8fe389532",
}
"""The same after `init --guard`."""
TRUSTED = 'trusted_hash = "sha256:{}"'
"""What Codex keeps of a hook that a person trusts, with its hash."""
EVENTS = (
    *("SessionStart", "UserPromptSubmit", "SubagentStart", "PreToolUse", "PostToolUse", "SubagentStop", "Stop"),
    "SessionEnd",
)
CLAUDES_OWN = "PostToolUseFailure"
"""An event that Codex does not have."""


def states(place: str, kept: str, hashes: dict[str, str] = HASHES) -> str:
    """What Codex keeps of the hooks in a file, or of a plugin."""
    each = (f'[hooks.state."{place}:{event}:0:0"]\n{kept.format(known)}\n' for event, known in hashes.items())
    return "".join(each)


class Doctor:
    """Runs `doctor` in a repository, with clients that are only names on PATH."""

    def __init__(self, home: Path, shop: Path, *, git_hooks: bool = False) -> None:
        """`git_hooks` where they matter: to try each of them is half of the time that a `doctor` takes."""
        self.home, self.shop, self._git_hooks = home, shop, git_hooks
        (home / "bin").mkdir()
        for name in ("claude", "codex"):
            self.program(name, "")

    def program(self, name: str, printed: str) -> None:
        path = self.home / "bin" / name
        path.write_text(f"#!/bin/sh\necho '{printed}'\n")
        path.chmod(0o755)

    def run(self, *arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.home / "bin"), SCRIPTS, os.environ["PATH"]])
        env = {**environment(self.home), "PATH": path, **env}
        return run([SCRIPT, "doctor", *arguments], cwd=cwd or self.shop, env=env)

    def found(self, *, cwd: Path | None = None, **env: str) -> dict[str, dict[str, Any]]:
        done = self.run("--json", cwd=cwd, **env)
        assert "Traceback" not in done.stderr, done.stderr
        return {check["check"]: check for check in json.loads(done.stdout)}

    def after(self, mends: list[str]) -> list[dict[str, Any]]:
        """What is found once these commands have been typed in one shell, each question answered with yes."""
        path = os.pathsep.join([str(self.home / "bin"), SCRIPTS, os.environ["PATH"]])
        typed = [f"{mend} --yes" if mend.endswith("loomstack-mcp init") else mend for mend in dict.fromkeys(mends)]
        script = "; ".join(["set -e", *(f"{{ {line}; }} >&2" for line in typed), "loomstack-mcp doctor --json"])
        done = run(["bash", "-c", script], cwd=self.shop, env={**environment(self.home), "PATH": path})
        checks: list[dict[str, Any]] = json.loads(done.stdout)
        return checks

    def init(self, *arguments: str) -> None:
        without = () if self._git_hooks else ("--no-git-hooks",)
        run([SCRIPT, "init", "--yes", *without, *arguments], cwd=self.shop, env=environment(self.home), check=True)

    def write(self, path: str, content: object) -> None:
        """A file below the home folder, which also holds the repository `shop`; objects as JSON."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))

    def claude_keeps(self, **state: object) -> None:
        """What Claude Code keeps of the repository in the user's home."""
        self.write(".claude.json", {"projects": {str(self.shop): state}})

    def codex_keeps(self, *, hook: str = "", more: str = "", folder: Path | None = None) -> None:
        """A folder that Codex trusts, and what it keeps of the hook in the repository."""
        trusted = f'[projects."{folder or self.shop}"]\ntrust_level = "trusted"\n'
        state = states(f"{self.shop}/.codex/hooks.json", hook) if hook else ""
        self.write(".codex/config.toml", trusted + state + more)

    def all_set(self) -> None:
        """After `init`, and after every question of both clients was answered with yes."""
        self.init()
        self.claude_keeps(**APPROVED)
        self.codex_keeps(hook=TRUSTED)
