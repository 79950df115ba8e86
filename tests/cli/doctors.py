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
# What Codex 0.169.0 keeps once a person trusted the hook that `init` writes (config.toml after app-server's
# hooks/list and config/batchWrite, 2026-11).
HOOK_HASH = "sha256:88e6eadeb5f27ef11080d347653c88ef708c440a01010e6a241b62fafc8494b9"


class Doctor:
    """Runs `doctor` in a repository, with clients that are only names on PATH."""

    def __init__(self, home: Path, shop: Path) -> None:
        self.home, self.shop = home, shop
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
        run([SCRIPT, "init", "--yes", *arguments], cwd=self.shop, env=environment(self.home), check=True)

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
        state = f'[hooks.state."{self.shop}/.codex/hooks.json:pre_tool_use:0:0"]\n{hook}\n' if hook else ""
        self.write(".codex/config.toml", trusted + state + more)

    def all_set(self) -> None:
        """After `init`, and after every question of both clients was answered with yes."""
        self.init()
        self.claude_keeps(**APPROVED)
        self.codex_keeps(hook=f'trusted_hash = "{HOOK_HASH}"')
