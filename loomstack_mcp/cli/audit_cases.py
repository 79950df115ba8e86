"""The cases of an audit, each with a line that went, a command that shows it, and the forge's page."""

import shlex
from functools import cached_property

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.adapters.git.forge import forge_pages
from loomstack_mcp.adapters.git.lost_lines import FileLines, LostLine, lost_line
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli import output
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.people import is_bot
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.changes.words import taken_back
from loomstack_mcp.core.records import record

_SHA_CHARS = 12
_MAGIC = frozenset("*?[\\")


@record
class Case:
    """A commit that took back what others had landed."""

    one: Reversal
    pages: str
    """See `forge_pages`."""
    line: LostLine | None
    command: str
    """Shows in a shell what it did to the file of that line."""

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Where it took back what was not agreed."""
        return tuple(sorted({path for undone in taken_back(self.one) for path in undone.paths}))

    @property
    def most_undone(self) -> tuple[Undone, ...]:
        """What was not agreed, that of which most went first."""
        return tuple(sorted(taken_back(self.one), key=lambda undone: (-undone.hunks, -undone.share)))

    @property
    def is_of_bots(self) -> bool:
        """Whether only bots' work went: nobody's, and made anew by the next run of theirs."""
        return all(is_bot(undone.change.author) for undone in taken_back(self.one))

    def page(self, change: Change) -> str:
        """Where the forge shows a commit; "" where none is known."""
        return f"{self.pages}{change.sha}" if self.pages else ""


def told_cases(found: Audit, repo: Repository, *, is_top: bool) -> tuple[Case, ...]:
    """What was not agreed: stops first, those of bots' work last, and of each the one that misses most.

    `is_top` says whether commands are for the top of the worktree.
    """
    files, head, pages = FileLines(repo), repo.commit("HEAD"), forge_pages(repo.place)
    made = []
    for one in found.reversals:
        if one.verdict != "clear":
            line = lost_line(files, one, head=head)
            path = (
                line.path
                if line
                else next((place.by_path for undone in taken_back(one) for place in undone.places), "")
            )
            command = _shown_by(one.change, path, is_top=is_top, merges=repo.merges)
            made.append(Case(one=one, pages=pages, line=line, command=command))
    return tuple(sorted(made, key=_rank))


def signed_name(author: str) -> str:
    """A name as a report shows it: a bot is marked as one."""
    marked = is_bot(author) and not author.endswith("[bot]")
    return output.harmless(f"{author} (bot)" if marked else author)


def _rank(case: Case) -> tuple[bool, bool, int, int, int]:
    one = case.one
    return one.verdict != "stop", case.is_of_bots, -one.missing, -one.lost, -one.change.at_ms


def _shown_by(change: Change, path: str, *, is_top: bool, merges: bool) -> str:
    # A merge by what it did besides merging, as it was judged.
    how = " --remerge-diff" if len(change.parents) > 1 and merges else ""
    is_literal = bool(_MAGIC.intersection(path)) or path.startswith(":")
    magic = ",".join(word for word, is_on in (("top", not is_top), ("literal", is_literal)) if is_on)
    where = f" -- {_shell_word(f':({magic}){path}' if magic else path)}" if path else ""
    return f"git show{how} {change.sha[:_SHA_CHARS]}{where}"


def _shell_word(text: str) -> str:
    """As a shell reads it back, also what a terminal would not show as it is: in bash's and zsh's `$'…'`."""
    if output.harmless(text) == text:
        return shlex.quote(text)
    spelled = (
        chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in "'\\" else f"\\x{byte:02x}"
        for byte in text.encode("utf-8", "surrogateescape")
    )
    return f"$'{''.join(spelled)}'"
