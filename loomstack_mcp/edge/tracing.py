"""A trace where the repository is seen: what a name stands for here, whose its commits are, and what runs."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from loomstack_mcp.adapters.git.authorship import agent_sessions_of
from loomstack_mcp.adapters.git.forge import forge_pages
from loomstack_mcp.adapters.git.one_commit import blamed_line, gone_from_trunk
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.changes.mentions import mentions
from loomstack_mcp.core.errors import Invalid, LoomError, NotFound, Unauthorized
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.repos import Checkout, identity_of
from loomstack_mcp.core.texts import plain_line
from loomstack_mcp.core.traces import Trace, TracedCommit, TraceRef, TraceWanted, WrittenLine, trace_ref
from loomstack_mcp.edge.attributing import attributed, attributed_line
from loomstack_mcp.edge.clones import clone_of_meant
from loomstack_mcp.edge.deploys import take_in_tags
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom

_LOOKED_AT_MAX = 100
"""Commits of a deploy, or a pull request, that nobody asked about before, and are looked at now: 2 s of them."""
_GREPPED_MAX = 20
_REVERSED_MAX = 5
_SINCE_MAX = 5_000
"""Commits since one was made, among which those are looked for that take it back: 60 ms. The store knows the others."""
_SEEN_MAX = 20
"""Commits of which the clone tells more than the store."""


def traced(here: Here, loom: Loom, ref: str) -> Trace:
    """The chain of a commit, `path:line`, a pull request, a deploy or a run.

    Raises NotFound and Invalid, with what to do, for what is unknown, ambiguous, rewritten or not in this clone.
    """
    told = trace_ref(ref)
    clone = clone_of_meant(here, loom)
    checkout = (clone or here).checkout()
    repo_id = loom.repos.id_of(checkout)
    if clone is None:
        return loom.traces.kept_trace(repo_id, ref)
    with clone.repository() as repo:
        return Tracing(clone, loom, repo, checkout, repo_id).trace(told, asked=ref)


def caught_up(here: Here, loom: Loom) -> tuple[str, ...]:
    """What landed lately is known, as far as it is seen here. Returns what is not, in sentences."""
    clone = clone_of_meant(here, loom)
    if clone is None:
        return ("what landed since somebody looked in a clone",)
    checkout = clone.checkout()
    with clone.repository() as repo:
        tracing = Tracing(clone, loom, repo, checkout, loom.repos.id_of(checkout))
        return tracing.catch_up()


def gone_here(here: Here, loom: Loom, shas: Sequence[str]) -> frozenset[str]:
    """Those of some commits that had landed and are on the trunk no longer, as far as it is seen here."""
    clone = clone_of_meant(here, loom)
    if clone is None:
        return frozenset()
    with clone.repository() as repo:
        return gone_from_trunk(repo, shas)


class Tracing:
    """One trace, in one clone."""

    def __init__(self, here: Here, loom: Loom, repo: Repository, checkout: Checkout, repo_id: str) -> None:
        self._here, self._loom, self._repo = here, loom, repo
        self._checkout, self._repo_id = checkout, repo_id
        self._gaps: list[str] = []

    def trace(self, ref: TraceRef, *, asked: str) -> Trace:
        """The chain. Raises NotFound, Invalid."""
        self.catch_up()
        wanted = self._wanted(ref, asked=asked)
        found = self._loom.traces.chain(self._repo_id, wanted)
        known = {one.commit.sha for one in found.commits}
        if missing := [sha for sha in wanted.shas if sha not in known]:
            self._look_at(missing[:_LOOKED_AT_MAX])
        if self._look_for_reversals(wanted) or missing:
            found = self._loom.traces.chain(self._repo_id, wanted)
        return replace(
            found, commits=tuple(self._seen(found.commits)), unchecked=(*found.unchecked, *dict.fromkeys(self._gaps))
        )

    def catch_up(self) -> tuple[str, ...]:
        """What landed since is known, with what it takes back; and tags that stand for deploys are kept as such.

        Returns what is not, in sentences.
        """
        repo, loom = self._repo, self._loom
        try:
            mark = self._here.filling_mark(repo)
            if mark and loom.repos.filled(self._checkout) != mark:
                self._here.landing(repo, loom.ledger, self._checkout)
            patterns = self._here.settings.deploy_tags
            self._gaps += take_in_tags(loom, repo, self._checkout, patterns, who=principal())
        except Unauthorized:
            self._gaps.append("what landed since somebody who may record it looked: this token reads alone")
        except LoomError as error:
            self._gaps.append(f"what landed lately: {error}")
        return tuple(self._gaps)

    def _wanted(self, ref: TraceRef, *, asked: str) -> TraceWanted:
        if ref.kind == "line":
            return self._of_line(ref, asked=asked)
        if ref.kind == "commit":
            return self._of_commit(ref, asked=asked)
        try:
            return self._loom.traces.trace_wanted(self._repo_id, replace(ref, is_bare=False), asked=asked)
        except NotFound as no_pull:
            if ref.kind != "pr" or not self._is_here(ref.url):
                raise
            if landed := self._landed_with(int(ref.text)):
                return TraceWanted(asked=asked, kind="pr", shas=landed)
            if not ref.is_bare:
                raise
            try:
                return self._of_commit(replace(ref, kind="commit"), asked=asked)
            except NotFound as no_commit:
                raise NotFound(f"{no_pull}; and {no_commit}") from None

    def _of_commit(self, ref: TraceRef, *, asked: str) -> TraceWanted:
        """A commit of this clone, or else one that the store knows: it was rewritten, or is another clone's."""
        try:
            return TraceWanted(asked=asked, kind="commit", shas=(self._look_at([ref.text])[0],))
        except NotFound:
            if self._repo.objects.object_named(f"HEAD:{self._path(ref.text)}"):
                shown = plain_line(ref.text, chars_max=NAME_CHARS_MAX)
                raise Invalid(f"{shown} is a path: name a line of a file, {shown}:1, or a commit") from None
            with suppress(NotFound):
                found = self._loom.traces.trace_wanted(self._repo_id, ref, asked=asked)
                more = "--unshallow" if self._repo.is_shallow else "--all --tags"
                self._gaps.append(f"{ref.text[:12]}, which is not in this clone; git fetch {more} may bring it")
                return found
            raise

    def _is_here(self, url: str) -> bool:
        """Whether the pages at an address are this repository's, as the clone itself knows."""
        return not url or identity_of(url) in (self._repo_id, self._checkout.identity, *self._checkout.others)

    def _of_line(self, ref: TraceRef, *, asked: str) -> TraceWanted:
        path = self._path(ref.text)
        try:
            found = attributed_line(self._checkout, self._loom, self._repo, path, ref.line)
        except Unauthorized:
            self._gaps.append("which of the commit's runs wrote the line: this token reads alone")
            head = self._repo.commit("HEAD")
            sha = blamed_line(self._repo, head, path, ref.line, deciders=()).sha
            return TraceWanted(asked=asked, kind="line", shas=(sha,))
        line = WrittenLine(
            path=found.path,
            line=found.line,
            sha=found.commit.sha,
            run_id=found.run_id,
            bound_by=found.bound_by,
            confidence=found.confidence,
        )
        return TraceWanted(asked=asked, kind="line", shas=(found.commit.sha,), line=line)

    def _path(self, typed: str) -> str:
        """A path as the repository has it: typed from the folder that one stands in, or from its top.

        Raises NotFound for one outside of it.
        """
        if self._here.worktree is None or self._here.folder is None:
            return typed
        whole = os.path.normpath(os.path.join(self._here.folder, typed))  # noqa: PTH118 it need not be there any more
        from_top = os.path.relpath(whole, self._here.root)
        is_there = not from_top.startswith("..") and self._repo.objects.object_named(f"HEAD:{from_top}")
        if is_there:
            return from_top
        if (path := os.path.normpath(typed)).startswith("../"):  # git ends where it is asked for such a one
            raise NotFound(f"{typed} is outside of this repository; name a path in it, from its top")
        return path

    def _look_at(self, names: Sequence[str]) -> list[str]:
        """Find out whose these commits are, which is kept. Returns their whole ids."""
        shas = []
        for name in names:
            try:
                shas.append(attributed(self._checkout, self._loom, self._repo, name).sha)
            except Unauthorized:
                self._gaps.append("commits that nobody looked at who may record it: this token reads alone")
                shas.append(self._repo.commit(name) or name)
            except (NotFound, Invalid):
                if len(names) == 1:
                    raise
                self._gaps.append(f"{name[:12]}, which is not in this clone")
        return shas

    def _look_for_reversals(self, wanted: TraceWanted) -> bool:
        """Find out whose the commits are that say they take these back, where few have landed since. Whether any is."""
        trunk = self._repo.commit(self._repo.trunk) if self._repo.trunk else ""
        if wanted.kind == "deploy" or not trunk or not 0 < len(wanted.shas) <= _REVERSED_MAX:
            return False
        since = [f"^{sha}" for sha in wanted.shas]
        asked = ("rev-list", "--count", f"--max-count={_SINCE_MAX + 1}", "--end-of-options", trunk, *since)
        if int(self._repo.run(*asked).text or _SINCE_MAX + 1) > _SINCE_MAX:
            return False
        words = [f"--grep=This reverts commit {sha}" for sha in wanted.shas]
        log = ("log", f"--max-count={_REVERSED_MAX}", "--fixed-strings", *words, "--format=%H")
        found = self._repo.run_plain(*log, "--end-of-options", trunk, *since).text.split()
        return bool(found and self._look_at(found))

    def _landed_with(self, number: int) -> tuple[str, ...]:
        """The commits of the trunk whose messages say that they landed with a pull request."""
        trunk = self._repo.commit(self._repo.trunk) if self._repo.trunk else ""
        if not trunk:
            return ()
        words = [f"--grep={word}" for word in (f"#{number}", f"!{number}", f"PR {number}:")]
        asked = ("log", f"--max-count={_GREPPED_MAX}", "--fixed-strings", *words, "--format=%H%x00%B%x00")
        fields = self._repo.run_plain(*asked, "--end-of-options", trunk).text.split("\0")
        pairs = zip(fields[::2], fields[1::2], strict=False)
        return tuple(sha.strip() for sha, message in pairs if number in mentions(message.strip("\n")).pulls)

    def _seen(self, commits: Sequence[TracedCommit]) -> Iterator[TracedCommit]:
        """With where the forge shows them, and what other tools wrote down beside them."""
        pages = forge_pages(self._repo.place) if commits else ""
        gone = gone_from_trunk(self._repo, [one.commit.sha for one in commits[:_SEEN_MAX] if one.commit.landed_at_ms])
        for at, one in enumerate(commits):
            sessions = agent_sessions_of(self._repo, one.commit.sha) if at < _SEEN_MAX else ()
            url = f"{pages}{one.commit.sha}" if pages else ""
            yield replace(one, url=url, sessions=sessions, is_gone=one.commit.sha in gone)
