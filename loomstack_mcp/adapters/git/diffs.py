"""What commits and trees changed, as git says it: by their content, whatever an attribute calls it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from loomstack_mcp.adapters.git.commit_logs import DIFF, LARGE, Log, parsed_files
from loomstack_mcp.adapters.git.merge_results import standing
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.generated import machine_made, named_so
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted


@dataclass
class Unread:
    """The commits that could not be read, or not wholly: an object is missing, or git gave up."""

    shas: list[str] = field(default_factory=list)
    later: int = 0
    """How many after them changed the same files."""
    _paths: set[str] = field(default_factory=set)
    _is_anywhere: bool = False
    """Whether of one of them not even the paths are known."""

    def note(self, change: Change) -> None:
        """Hear of the next change, in the order of landing."""
        if change.unread:
            self.shas.append(change.sha)
            self._paths |= {name for file in change.files if file.unread for name in (file.path, file.old_path)}
            self._is_anywhere |= not change.files
        else:
            names = {name for file in change.files for name in (file.path, file.old_path)}
            self.later += bool(names) and (self._is_anywhere or not names.isdisjoint(self._paths))

    def sentences(self) -> tuple[str, ...]:
        """What to say of them; nothing where all were read."""
        if not self.shas:
            return ()
        named = ", ".join(sha[:12] for sha in self.shas[:3])
        what = f"what {counted(self.later, 'later one')} did" if self.later else "what later ones do"
        more = " …" if len(self.shas) > 3 else ""
        return (
            f"{counted(len(self.shas), 'commit')} could not be read ({named}{more}), as where a clone is partial: "
            f"{what} to their files was not judged against them",
        )


def changes(repo: Repository, listed: Sequence[Change], unread: Unread, *, lines: Lines) -> Iterator[Change]:
    """What each commit changed, in the order given, parents first: a merge, what it changed beyond merging.

    Of the commits `listed` only sha and parents count. Files that machines write, as their names say, are left out.
    What cannot be read is yielded as `unread`, and noted there; of the first commits of a shallow clone, which git
    shows as if they had made every file, the repository's `gaps` tell.
    """
    # Merges newest first: git forgets the parents of what it has shown, and would merge without a base. What they
    # changed besides merging is little, so that they may wait for their turn.
    merges = [commit for commit in reversed(listed) if _is_merge(commit)]
    others = [commit for commit in listed if not _is_merge(commit) and commit.sha not in repo.boundaries]
    read = Log(repo, lines, has_merges=bool(merges)).changes([*merges, *others])
    merged = {change.sha: change for change in islice(read, len(merges))}
    for commit in listed:
        if commit.sha in repo.boundaries:
            yield replace(commit, unread=True)
            continue
        change = standing(repo, merged.pop(commit.sha), lines) if _is_merge(commit) else next(read)
        unread.note(change)
        yield change


def merge_gaps(repo: Repository, listed: Sequence[Change]) -> tuple[str, ...]:
    """What cannot be known of these commits' merges here, in a sentence."""
    if not any(map(_is_merge, listed)) or repo.merges:
        return ()
    return ("this git is older than 2.35: what merges themselves took back is unknown",)


def diff(repo: Repository, base: str, tip: str, *, lines: Lines) -> Change:
    """What `tip`, a commit or a tree, would land on top of `base`, each by its id.

    Raises Invalid where git cannot compare them.
    """
    ran = repo.run_plain(*LARGE, "diff", *DIFF, "--end-of-options", base, tip)
    if ran.code:
        raise Invalid(f"git cannot compare {tip[:12]} with {base[:12]}: {ran.complaint}")
    files = parsed_files(ran.printed, lines, ignored=machine_made)
    return Change(
        sha=tip,
        parents=(base,),
        files=tuple(file for file in files if not named_so(file.path)),
        lists=tuple(file for file in files if named_so(file.path)),
    )


def _is_merge(commit: Change) -> bool:
    return len(commit.parents) > 1
