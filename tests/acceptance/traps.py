"""A repository in which every setting, attribute and hook names a program, each of which leaves a mark when it runs."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import IDENTITY, commit_all, environment, git
from tests.deadlines import seconds

_ROOT = Path(__file__).parents[2]
_PROGRAMS = (
    *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy"),
    *("core.alternateRefsCommand", "credential.helper", "diff.external", "sequence.editor"),
    *("pager.log", "pager.diff", "pager.status", "interactive.diffFilter", "uploadpack.packObjectsHook"),
    *("diff.trap.textconv", "diff.trap.command", "merge.trap.driver", "trailer.run.cmd", "trailer.run.command"),
    *("filter.trap.clean", "filter.trap.smudge", "filter.longer.process", "remote.origin.uploadpack", "alias.trap"),
)
_BESIDE = {
    "log.showSignature": "true",
    "merge.default": "trap",
    "filter.trap.required": "true",
    "core.untrackedCache": "true",
    "core.splitIndex": "true",
    "status.submoduleSummary": "true",
    "diff.submodule": "diff",
    "submodule.recurse": "true",
    "protocol.allow": "always",
    "user.name": "Ana",
    "user.email": "ana@localhost",
    "commit.gpgSign": "true",
}
"""What leads git to more of the programs."""
_HOOKS = (
    *("post-index-change", "reference-transaction", "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"),
    *("post-checkout", "post-merge", "pre-merge-commit", "post-rewrite", "pre-auto-gc", "fsmonitor-watchman"),
)
_VARIABLES = {
    **dict.fromkeys(("GIT_EXTERNAL_DIFF", "GIT_PAGER", "PAGER", "GIT_EDITOR", "EDITOR", "VISUAL"), "{trap} variable"),
    **dict.fromkeys(("GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND"), "{trap} variable"),
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "{trap} counted",
    "GIT_CONFIG_PARAMETERS": "'diff.external'='{trap} parameter'",
}
_ATTRIBUTES = "*.py filter=trap diff=trap merge=trap\n*.bin filter=longer diff=trap\n"
_SIGNED = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n bm9uZQ==\n -----END PGP SIGNATURE-----\n\n"
_CASES = """\
format: 1
cases:
- id: case-1
  rule: closed
  title: one edits what is closed
  point: ci
  given:
    git:
      - {write: {.gitattributes: "* filter=trap diff=trap merge=trap\\n", closed.py: "1\\n"}}
      - {commit: a}
      - {mark: A}
      - {branch: feat}
      - {write: {closed.py: "2\\n"}}
      - {commit: b}
      - {checkout: main}
      - {merge: feat}
  request: {base: A}
  expect: {decision: deny}
"""
_RULE = """\
version: 1
policy: more
rules:
  - {id: closed, why: it is closed, effect: deny, on: [land], where: {paths: [/closed.py]}}
"""


@dataclass(frozen=True, kw_only=True)
class Trapped:
    """The repository, on the branch `feat` with files changed, staged and new."""

    home: Path
    root: Path

    @property
    def marks(self) -> set[str]:
        """The names of the programs that ran."""
        return {path.name for path in (self.home / "marks").iterdir()}

    def environment(self) -> dict[str, str]:
        """A person's: variables name programs as well."""
        trap = str(self.home / "trap")
        return environment(self.home, **{name: value.format(trap=trap) for name, value in _VARIABLES.items()})

    def below_git(self) -> dict[str, tuple[int, bytes]]:
        """Every file and folder below the git folders: when it was changed, and what is in it.

        Of objects the time is none: git marks those that it finds again as new, so that nobody prunes them meanwhile.
        """
        tops = (self.root / ".git", self.root / "sub/.git")
        return {str(path): _state(path) for top in tops for path in (top, *top.rglob("*"))}


def _state(path: Path) -> tuple[int, bytes]:
    is_object = path.is_file() and "objects" in path.parts
    return 0 if is_object else path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b""


def trapped(home: Path) -> Trapped:
    """A repository with a history in which all is merged, signed, filtered and partly missing; then come the traps."""
    found = Trapped(home=home, root=home / "shop")
    (home / "marks").mkdir(parents=True)
    (home / "trap").write_text(f'#!/bin/sh\ntouch "{home}/marks/$1"\n')
    (home / "trap").chmod(0o755)
    _history(found.root)
    _missing(found.root)
    for config, scope in ((found.root / ".git/config", "clone"), (home / ".gitconfig", "person")):
        _settings(config, f"{home}/trap", scope)
    _settings(found.root / "sub/.git/config", f"{home}/trap", "submodule")
    (home / "attributes").write_text(_ATTRIBUTES)
    (found.root / ".git/info/attributes").write_text(_ATTRIBUTES)
    for folder in (found.root / ".git/hooks", home / "hooks", found.root / "sub/.git/hooks"):
        folder.mkdir(exist_ok=True)
        for name in _HOOKS:
            (folder / name).write_text(f'#!/bin/sh\nexec "{home}/trap" hook-{name}\n')
            (folder / name).chmod(0o755)
    return found


def _write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def _history(root: Path) -> None:
    lines = [f"line {number}\n" for number in range(20)]
    shutil.copytree(_ROOT / "policies", root / "policies", ignore=shutil.ignore_patterns("tests"))
    _write(root, "policies/more.yaml", _RULE)
    _write(root, "policies/tests/cases.yaml", _CASES)
    _write(root, "src/a.py", "".join(lines))
    _write(root, "gone.py", "the content that a partial clone lacks\n")
    (root / "image.bin").write_bytes(b"\0pointer")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root, "First")
    _write(root, "gone.py", "another content\n")
    git(root, "checkout", "--quiet", "-b", "side")
    _write(root, "src/a.py", "".join(["of the side\n", *lines[1:]]))
    commit_all(root, "Side")
    git(root, "checkout", "--quiet", "main")
    _write(root, "src/a.py", "".join([*lines[:-1], "of main\n"]))
    commit_all(root, "Main")
    git(root, "merge", "--quiet", "--no-ff", "--no-edit", "side")
    git(root, "checkout", "--quiet", "-b", "feat")
    _write(root, "src/b.py", "b\n")
    commit_all(root, "Feat")
    git(root, "checkout", "--quiet", "main")
    _write(root, ".gitattributes", _ATTRIBUTES)
    _write(root, "src/a.py", "".join(["of the side\n", *lines[1:10], "more of main\n", *lines[10:-1], "of main\n"]))
    commit_all(root, "Attributes")
    git(root, "reset", "--quiet", "--hard", _signed(root))
    git(root, "checkout", "--quiet", "feat")
    _submodule(root)
    _write(root, ".gitattributes", _ATTRIBUTES)
    _write(root, "src/a.py", "".join(["of feat\n", *lines[1:-1], "of main\n"]))
    commit_all(root, "Feat again")
    _write(root, "src/b.py", "staged\n")
    git(root, "add", "src/b.py")
    _write(root, "src/a.py", "changed\n")
    _write(root, "src/new.py", "new\n")
    (root / "image.bin").write_bytes(b"\0changed")
    _write(root, "sub/inner.py", "changed\n")


def _signed(root: Path) -> str:
    """HEAD with a signature that no program has checked yet."""
    headers, message = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.split("\n\n", 1)
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=root, check=True, capture_output=True, text=True,
        input=f"{headers}\n{_SIGNED}{message}",
    )  # fmt: skip
    return made.stdout.strip()


def _submodule(root: Path) -> None:
    _write(root, "sub/inner.py", "1\n")
    git(root / "sub", "init", "--quiet")
    commit_all(root / "sub")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{git(root / 'sub', 'rev-parse', 'HEAD')},sub")


def _first(root: Path) -> str:
    return git(root, "rev-list", "--max-parents=0", "main")


def _missing(root: Path) -> None:
    blob = git(root, "rev-parse", f"{_first(root)}:gone.py")
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()


def _settings(config: Path, trap: str, scope: str) -> None:
    """Half of them in a file that this one includes."""
    pairs = [(name, f"{'!' if name.startswith('alias.') else ''}{trap} {scope}-{name}") for name in _PROGRAMS]
    pairs += [*_BESIDE.items(), ("core.attributesFile", f"{Path(trap).parent}/attributes")]
    pairs += [("remote.origin.url", "ext::" + f"{trap} {scope}-ext"), ("remote.origin.promisor", "true")]
    checker = Path(trap).with_name(f"{scope}-gpg.program")  # whose name git takes as it is, without arguments
    checker.write_text(f'#!/bin/sh\nexec "{trap}" {checker.name}\n')
    checker.chmod(0o755)
    pairs += [("gpg.program", str(checker))]
    if scope == "clone":
        pairs += [("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "origin")]
        pairs += [("include.path", "included")]
    if scope == "person":
        pairs += [("core.hooksPath", f"{Path(trap).parent}/hooks"), ("init.templateDir", f"{Path(trap).parent}")]
    for number, (name, value) in enumerate(pairs):
        into = config.with_name("included") if scope == "clone" and number % 2 and "ilter" in name else config
        subprocess.run(["git", "config", "--file", str(into), name, value], check=True)


def sprung(found: Trapped) -> set[str]:
    """The names of the programs that run when a person looks with plain git: that they are no traps for nothing."""
    copy = Trapped(home=found.home, root=Path(shutil.copytree(found.root, found.home / "copy", symlinks=True)))
    variables = {"PATH": os.environ["PATH"], "HOME": str(found.home)}
    for words in (
        ("status",), ("add", "--all"), ("log", "-p", "--remerge-diff", "-3"), ("diff", "HEAD"),
        ("diff", "--no-ext-diff", "HEAD"), ("log", "-1", "main"),
        ("merge-tree", "--write-tree", "main", "feat"), ("cat-file", "-p", f"{_first(found.root)}:gone.py"),
    ):  # fmt: skip
        subprocess.run(
            ["git", *IDENTITY, *words],
            cwd=copy.root,
            env=variables,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=seconds(10),
        )
    shutil.rmtree(copy.root)
    ran = found.marks
    for name in ran:
        (found.home / "marks" / name).unlink()
    return ran
