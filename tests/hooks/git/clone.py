"""A clone with our hooks in it, and whoever works there: git as people and agents run it."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.install.git_hooks import carry_out_git_hooks, planned_git_hooks
from loomstack_mcp.adapters.install.hooks_folders import hooks_folder
from loomstack_mcp.core.runs import Run
from loomstack_mcp.loom import Loom, open_loom
from tests.conftest import IDENTITY, environment
from tests.processes import HOOK

BIN = str(Path(HOOK).parent)


@dataclass(frozen=True)
class Clone:
    """A worktree, and the environment in which git is run there."""

    root: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def by(self, **env: str) -> "Clone":
        """The same, for another: `CLAUDE_CODE_SESSION_ID="s-1"`."""
        return replace(self, env={**self.env, **env})

    def at(self, root: Path) -> "Clone":
        return replace(self, root=root)

    def run(self, *arguments: str, given: str = "", status: int | None = 0) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([BIN, os.environ["PATH"]])
        env = {**environment(self.home), "PATH": path, "GIT_EDITOR": "true", **self.env}
        command = ["git", *IDENTITY, *arguments]
        done = subprocess.run(command, cwd=self.root, env=env, input=given, capture_output=True, text=True, check=False)
        assert status is None or done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).write_text(text)
        self.run("add", "--all")

    def commit(
        self, *arguments: str, files: Mapping[str, str] | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        self.write(files or {"file": os.urandom(4).hex()})
        return self.run("commit", "--quiet", *(arguments or ("-m", "Work")), status=status)

    @property
    def head(self) -> str:
        return self.run("rev-parse", "HEAD").stdout.strip()

    @property
    def message(self) -> str:
        return self.run("log", "-1", "--format=%B").stdout.rstrip("\n")

    def runs_named(self, commit: str = "HEAD") -> list[str]:
        """By git's own reading of trailers."""
        asked = "--format=%(trailers:key=Loom-Run,valueonly)"
        return self.run("log", "-1", asked, commit).stdout.split()

    def opened(self) -> Loom:
        return open_loom(self.home / "loomstack" / "loom.db")

    def runs(self) -> dict[str, Run]:
        """Every run, by its session and agent."""
        with self.opened() as loom:
            return {
                f"{run.session}/{run.agent}": run
                for repo in loom.repos.ids()
                for run in loom.runs.latest(repo, limit=50)[0]
            }

    def makers(self, commit: str = "HEAD") -> list[str]:
        """Whose a commit is, by the store."""
        sha = self.run("rev-parse", commit).stdout.strip()
        with self.opened() as loom, loom.store.read() as tx:
            from loomstack_mcp.services.landed import CHANGES

            return sorted(
                row["run_id"] for repo in loom.repos.ids() for row in tx.all(CHANGES["makers"], repo_id=repo, sha=sha)
            )


def with_hooks(root: Path) -> Path:
    """Our hooks, where git looks for them."""
    worktree = worktree_at(root)
    assert worktree
    carry_out_git_hooks(planned_git_hooks(hooks_folder(worktree)))
    return root
