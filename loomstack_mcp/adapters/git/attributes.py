"""What the files of a commit say about other paths: which are made by machines, which commits only reformat."""

import re
from collections.abc import Collection
from tempfile import TemporaryDirectory

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import ASIDE, READ_SECONDS_MAX, as_text
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change


class Attributes:
    """`.gitattributes` of a commit, as github-linguist's attributes mark generated and vendored files.

    Not that of the worktree: a branch must not decide what it is not judged by.
    """

    def __init__(self, repo: Repository, tip: str) -> None:
        self._repo = repo
        self._aside = TemporaryDirectory(prefix="loomstack-")
        self._index = {"GIT_INDEX_FILE": f"{self._aside.name}/index"}
        repo.run(*ASIDE, "read-tree", tip, seconds_max=READ_SECONDS_MAX, variables=self._index)

    def teach(self, generated: Generated, change: Change) -> None:
        """Tell of the paths of a change that were not asked about before."""
        if unknown := generated.unknown({file.path for file in change.files}):
            generated.learn(unknown, marked=self._marked(unknown))

    def _marked(self, paths: Collection[str]) -> frozenset[str]:
        asked = ("check-attr", "--cached", "-z", "--stdin", "linguist-generated", "linguist-vendored")
        given = "\0".join(paths).encode("utf-8", "surrogateescape")
        ran = self._repo.run(*asked, seconds_max=READ_SECONDS_MAX, stdin=given, variables=self._index)
        fields = as_text(ran.printed).split("\0")
        triples = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
        return frozenset(path for path, _, value in triples if value in ("set", "true"))


def reformatting(repo: Repository, tip: str) -> frozenset[str]:
    """The commits that `.git-blame-ignore-revs` names, as git-blame(1) has it: nobody's intent is in their lines."""
    listed = as_text(repo.file(tip, ".git-blame-ignore-revs"))
    return frozenset(re.findall(r"^\s*([0-9a-f]{40,64})\b", listed, re.MULTILINE))
