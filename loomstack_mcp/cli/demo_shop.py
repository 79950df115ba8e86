"""The shop of the demo: a real repository with a price, a test of it, and worktrees."""

import subprocess
import sys
from pathlib import Path

CODE = '''"""Prices of the shop."""

TAX_PERCENT = 20


def total(price):
    return price + price * TAX_PERCENT // 100
'''
TEST = """import unittest

from shop.tax import total


class TestTotal(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total(100), 120)
"""


def made_shop(folder: Path) -> Path:
    """A repository with the code and its test, on `main`."""
    from git import Repo

    write_file(folder / "shop/tax.py", CODE)
    write_file(folder / "shop/__init__.py", "")
    write_file(folder / "tests/test_tax.py", TEST)
    write_file(folder / "tests/__init__.py", "")
    write_file(folder / "README.md", "# Shop\n")
    with Repo.init(folder, initial_branch="main") as repo:
        with repo.config_writer() as config:
            config.set_value("user", "name", "demo").set_value("user", "email", "demo@localhost")
            config.set_value("commit", "gpgsign", "false")
        repo.git.add(all=True)
        repo.git.commit("--quiet", "-m", "A shop", "--no-verify")
    return folder


def added_worktree(trunk: Path, folder: Path, branch: str) -> Path:
    """Another worktree of it, on a new branch off `main`."""
    git_output(trunk, "worktree", "add", "--quiet", "-b", branch, str(folder), "main")
    return folder


def land_commit(trunk: Path, worktree: Path, message: str) -> str:
    """Commit everything in a worktree and bring the trunk up to it; returns the commit."""
    commit_all(worktree, message)
    git_output(trunk, "merge", "--quiet", "--ff-only", git_output(worktree, "rev-parse", "--abbrev-ref", "HEAD"))
    return git_output(worktree, "rev-parse", "HEAD")


def commit_all(worktree: Path, message: str) -> None:
    """Commit everything in a worktree."""
    git_output(worktree, "add", "--all")
    git_output(worktree, "commit", "--quiet", "--no-verify", "-m", message)


def git_output(folder: Path, *arguments: str) -> str:
    """What git prints. Raises GitCommandError where it fails."""
    from git import Git

    return str(Git(folder).execute(["git", *arguments]))


def write_file(path: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_report(worktree: Path) -> str:
    """The last line of the test suite's own report."""
    return program_output([sys.executable, "-B", "-m", "unittest"], worktree).splitlines()[-1]


def program_output(command: list[str], folder: Path) -> str:
    """What a program prints, and complains of."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout + done.stderr).strip()
