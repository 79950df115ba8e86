"""The shop of the demo: a real repository with a price and a test of it, and everybody's clone."""

import os
import subprocess
import sys
from collections.abc import Mapping
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


def made_shop(folder: Path, more: Mapping[str, str] | None = None) -> Path:
    """A repository without a worktree, from which everybody clones: with the code, its test, and `more`, on `main`."""
    from git import Repo

    first, origin = folder / "first", folder / "shop.git"
    write_file(first / "shop/tax.py", CODE)
    write_file(first / "shop/__init__.py", "")
    write_file(first / "tests/test_tax.py", TEST)
    write_file(first / "tests/__init__.py", "")
    write_file(first / "README.md", "# Shop\n")
    for name, text in (more or {}).items():
        write_file(first / name, text)
    with Repo.init(first, initial_branch="main") as repo:
        _introduce(first)
        repo.git.add(all=True)
        repo.git.commit("--quiet", "-m", "A shop", "--no-verify")
        repo.clone(str(origin), bare=True)
    return origin


def cloned_shop(origin: Path, folder: Path, branch: str) -> Path:
    """A clone of it, on `main` or on a new branch off it."""
    from git import Repo

    with Repo.clone_from(str(origin), str(folder), branch="main") as repo:
        if branch != "main":
            repo.git.switch("--quiet", "-c", branch)
    _introduce(folder)
    return folder


def land_commit(clone: Path, message: str) -> str:
    """Commit everything in a clone and bring the trunk up to it; returns the commit."""
    commit_all(clone, message)
    git_output(clone, "push", "--quiet", "origin", "HEAD:main")
    return git_output(clone, "rev-parse", "HEAD")


def _introduce(clone: Path) -> None:
    """A machine may know nobody's name."""
    for name, value in (("user.name", "demo"), ("user.email", "demo@localhost"), ("commit.gpgsign", "false")):
        git_output(clone, "config", name, value)


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


def program_output(command: list[str], folder: Path, told: Mapping[str, str] | None = None) -> str:
    """What a program prints, and complains of; `told` goes into its environment."""
    environment = {**os.environ, **(told or {})}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout + done.stderr).strip()
