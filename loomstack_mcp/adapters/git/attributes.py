"""What the files of commits say about other paths: which are made by machines, which commits only reformat."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.errors import Invalid

_AHEAD_MAX = 64
_AHEAD_FILES_MAX = 1_000
"""Of so many commits or files the attributes are asked for at once: a process for each costs more than judging it."""


class Attributes:
    """`.gitattributes` of commits, as github-linguist's attributes mark generated and vendored files: where all do.

    Neither a worktree's nor an index's, a clone's `info/attributes` nor a person's: what is judged must not decide.
    """

    def __init__(self, repo: Repository, tips: Sequence[str]) -> None:
        """`tips` are full ids; without any, nothing is marked. Raises Invalid where one cannot be read."""
        self._repo = repo
        self._aside = TemporaryDirectory(prefix="loomstack-")
        self._indexes = [{"GIT_INDEX_FILE": f"{self._aside.name}/{tip}"} for tip in tips]
        for tip, index in zip(tips, self._indexes, strict=True):
            ran = repo.run_plain("read-tree", tip, variables=index)
            if ran.code:
                raise Invalid(f"git cannot read the files of {tip[:12]}: {ran.complaint}")

    def taught(self, changes: Iterable[Change], generated: Generated) -> Iterator[Change]:
        """The changes, in their order, each without the files that are generated; git is asked of many at once."""
        ahead: list[Change] = []
        files = 0
        for change in changes:
            ahead.append(change)
            files += len(change.files)
            if len(ahead) >= _AHEAD_MAX or files >= _AHEAD_FILES_MAX:
                yield from self._told_apart(ahead, generated)
                ahead, files = [], 0
        yield from self._told_apart(ahead, generated)

    def teach(self, generated: Generated, *changes: Change) -> None:
        """Tell of the paths of these changes that were not asked about before."""
        if unknown := generated.unknown({file.path for change in changes for file in change.files}):
            generated.learn(unknown, marked=self._marked(unknown))

    def _told_apart(self, changes: Sequence[Change], generated: Generated) -> Iterator[Change]:
        self.teach(generated, *changes)
        for change in changes:
            yield replace(change, files=tuple(file for file in change.files if not generated(file.path)))

    def _marked(self, paths: Collection[str]) -> frozenset[str]:
        return _common([self._marked_in(index, paths) for index in self._indexes])

    def _marked_in(self, index: Mapping[str, str], paths: Collection[str]) -> frozenset[str]:
        asked = ("check-attr", "--cached", "-z", "--stdin", "linguist-generated", "linguist-vendored")
        given = "\0".join(paths).encode("utf-8", "surrogateescape")
        ran = self._repo.run_plain(*asked, stdin=given, variables=index)
        fields = as_text(ran.printed).split("\0")
        triples = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
        return frozenset(path for path, _, value in triples if value in ("set", "true"))


def reformatting(repo: Repository, tips: Sequence[str]) -> frozenset[str]:
    """The commits that the `.git-blame-ignore-revs` of all tips name: nobody's intent is in their lines.

    As git-blame(1) has it.
    """
    listed = [as_text(repo.file(tip, ".git-blame-ignore-revs")) for tip in tips]
    return _common([frozenset(re.findall(r"^\s*([0-9a-f]{40,64})\b", text, re.MULTILINE)) for text in listed])


def _common(found: Sequence[frozenset[str]]) -> frozenset[str]:
    return frozenset.intersection(*found) if found else frozenset()
