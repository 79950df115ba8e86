"""A shop that two people's agents work on: a trunk behind a gate, a clone of each, one store, and rules."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.user import principal
from tests.cli.test_cli import on_terminal
from tests.clients.bypass.hands import ClaudeHand, Hand
from tests.clients.client_run import ClientRun
from tests.clients.drive_claude import run_claude
from tests.clients.drive_codex import run_codex
from tests.clients.script import Call, Script
from tests.clients.stories.shop import PATH
from tests.conftest import commit_all, git

PRICES, RATES, DEPLOY = "tests/test_prices.py", "billing/rates.py", "infra/deploy.sh"
_CASES = ("tea", "ink", "oak", "zip")


def prices(factor: int) -> str:
    """A test file whose cases lie far enough apart to be hunks of their own."""
    cases = [
        f"def test_{name}():\n    # {name} is priced by the shop\n    basket = [{name!r}]\n    amount = len(basket)\n"
        f"    assert amount == 1\n    assert price({name!r}) == {at * factor}\n    assert basket == [{name!r}]\n"
        for at, name in enumerate(_CASES, 1)
    ]
    return "from shop import price\n\n\n" + "\n\n".join(cases)


GROSS, NET = prices(120), prices(100)
RULES = f"""\
version: 1
policy: core
rules:
  - id: rates-are-the-law
    why: tax rates are set by law, and changed by the tax office's import alone
    effect: deny
    on: [edit, commit, push, land]
    where: {{paths: [/billing/**]}}
    fix: leave the rates, and say what is wrong with them
  - id: deploys-need-a-person
    why: what deploys is read by a person first
    effect: require_approval
    on: [land]
    where: {{paths: [/infra/**]}}
    approve: {{by: [{principal()}], not_maker: false}}
    fix: ask a person to approve it
"""
FILES = {
    PRICES: GROSS,
    RATES: "RATE = 19\n",
    DEPLOY: "echo deploy\n",
    "shop.py": "def price(name):\n    return 120\n",
    "policies/core.yaml": RULES,
    ".gitignore": "__pycache__/\n",
}


@dataclass
class Shop:
    """A trunk behind a gate, and a clone of each of two people on one machine, with one store."""

    folder: Path
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        home = self.folder / "home"
        (home / ".codex").mkdir(parents=True)
        # Codex runs lines in a login shell, for which /etc/profile begins with a PATH of its own.
        (home / ".profile").write_text(f'export PATH="{PATH}"\n')
        self.env = {"HOME": str(home), "LOOMSTACK_HOME": str(self.folder / "loom"), "PATH": PATH, "LANG": "C.UTF-8"}
        seed = self.folder / "seed"
        for name, text in FILES.items():
            (seed / name).parent.mkdir(parents=True, exist_ok=True)
            (seed / name).write_text(text)
        git(seed, "init", "--quiet", "--initial-branch=main")
        self.loomstack("init", "--yes", cwd=seed)
        commit_all(seed)
        git(seed, "clone", "--quiet", "--bare", str(seed), str(self.hub))
        for name in ("ana", "bea"):
            git(self.folder, "clone", "--quiet", str(self.hub), name)
            git(self.folder / name, "config", "user.name", name)
            git(self.folder / name, "config", "user.email", f"{name}@shop")
            self.loomstack("init", "--yes", cwd=self.folder / name)
        home_of_gate = self.env["LOOMSTACK_HOME"]
        self.loomstack("--home", home_of_gate, "gate", "--install", str(self.hub), "--actor", "$PUSHER", cwd=seed)

    @property
    def hub(self) -> Path:
        return self.folder / "hub.git"

    def loomstack(self, *arguments: str, cwd: Path) -> str:
        """What a person's command prints, in a terminal outside of any client."""
        done = subprocess.run(
            ["loomstack-mcp", *arguments], cwd=cwd, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def approved(self, approval: str) -> str:
        """What a person is shown who approves, on a terminal."""
        command = ["loomstack-mcp", "approve", approval, "--why", "read and fine"]
        status, shown = on_terminal(command, cwd=self.folder / "ana", env=self.env, answer=lambda: "y\n")
        assert status == 0, shown
        return shown

    def meant(self, path: str, text: str) -> None:
        """A person says that a file is changed on purpose."""
        command = ["loomstack-mcp", "note", "add", text, "--kind", "intent", "--path", path]
        status, shown = on_terminal(command, cwd=self.folder / "bea", env=self.env)
        assert status == 0, shown

    def plays(self, hand: Hand, who: str, script: Script) -> ClientRun:
        """A session in that person's clone."""
        where: dict[str, Any] = {"cwd": self.folder / who, "home": self.env["HOME"], "env": self.env, "path": PATH}
        if isinstance(hand, ClaudeHand):
            args = ["--permission-mode", "acceptEdits"]
            return run_claude(script, "mend the shop", args=args, strict=False, allow=["Bash"], **where)
        args = ["--dangerously-bypass-hook-trust"]
        return run_codex(script, "mend the shop", args=args, trust=True, sandbox="danger-full-access", **where)


def whole(hand: Hand, path: str, was: str, text: str) -> Call:
    """The file, written anew."""
    return hand.write(path, text) if isinstance(hand, ClaudeHand) else hand.write(path, text, was=was)
