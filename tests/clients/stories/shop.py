"""The repositories of the stories: real code, real tests, and what a team has set up."""

import os
import subprocess
import sys
from pathlib import Path

from loomstack_mcp.cli.demo_shop import CODE, TEST
from tests.conftest import commit_all, git

ROOT = Path(__file__).parents[3]
BIN = str(Path(sys.executable).parent)
PATH = os.pathsep.join([BIN, os.environ["PATH"]])
UNREAD = """\
def cents(text):
    return int(text) * 100
"""
HASTY = "    return round(float(text) * 100)\n"
MENDED = """\
    text = text.replace("€", "").replace(" ", "")
    text = text.replace(",", "") if "." in text else text.replace(",", ".")
    sign = -1 if text.endswith("-") else 1
    return sign * round(float(text.rstrip("-") or 0) * 100)
"""
CASES = {
    "whole": ("12", 1200),
    "point": ("12.50", 1250),
    "comma": ("12,50", 1250),
    "euro": ("€12", 1200),
    "space": ("1 234", 123_400),
    "thousand": ("1,234.50", 123_450),
    "minus": ("12-", -1200),
    "empty": ("", 0),
}
"""What customers type, and what is meant."""
_CASES_OF = "import unittest\n\nfrom shop.cents import cents\n\n\nclass Cents(unittest.TestCase):"
_RULE = """\
version: 1
policy: landing
rules:
  - id: checked-by-another
    why: nobody passes a change of his own
    effect: deny
    on: [land]
    check:
      evidence: [{kind: tests, by: not_maker}]
    fix: let another run check exactly this commit
"""


def cents_shop(folder: Path) -> Path:
    """A repository with a function that is not done, eight cases of what it is to do, and a rule for landing."""
    cases = "".join(
        f"\n    def test_{name}(self):\n        self.assertEqual(cents({given!r}), {meant})\n"
        for name, (given, meant) in CASES.items()
    )
    files = {
        "shop/__init__.py": "",
        "shop/cents.py": UNREAD,
        "tests/__init__.py": "",
        "tests/test_cents.py": f"{_CASES_OF}{cases}",
        "policies/landing.yaml": _RULE,
        ".gitignore": "__pycache__/\n",
    }
    return _repository(folder, files)


def priced_shop(folder: Path) -> Path:
    """A repository with a price that includes the tax, and a test that says so."""
    return _repository(
        folder,
        {
            "shop/__init__.py": "",
            "shop/tax.py": CODE,
            "tests/__init__.py": "",
            "tests/test_tax.py": TEST,
            ".gitignore": "__pycache__/\n",
        },
    )


def set_up(shop: Path, home: Path, *, hook: bool = True) -> dict[str, str]:
    """What a team has done: `init`, which brings agents and skills. Returns what a session has to be told."""
    env = {"LOOMSTACK_HOME": str(home / "loom")}
    home.mkdir(parents=True, exist_ok=True)
    commands = {**env, "PATH": PATH, "HOME": str(home)}
    subprocess.run(["loomstack-mcp", "init", "--yes"], cwd=shop, env=commands, capture_output=True, check=True)
    if not hook:
        (shop / ".claude/settings.json").write_text("{}\n")
    commit_all(shop)
    return env


def _repository(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "you")
    git(folder, "config", "user.email", "you@localhost")
    commit_all(folder)
    return folder
