"""What pages read: who looks, and the lists as they are now."""

from collections.abc import Hashable, Mapping
from dataclasses import replace

from loomstack_mcp import __version__
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.tokens import is_confined
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.replies import Refusal
from loomstack_mcp.server.ui.deciding import Deciders
from loomstack_mcp.server.ui.known_answers import KnownAnswers
from loomstack_mcp.server.ui.lists import LISTS, PageList, inbox_body
from loomstack_mcp.server.ui.opened import VisibleRepos, repo_label
from loomstack_mcp.server.ui.questions import PageQuestion, Taken, page_question
from loomstack_mcp.server.ui.replies import PRIVATE, PageContent, PageReply, json_content
from loomstack_mcp.server.ui.visits import NOBODY, Visitor, VisitPlace, visitor_shown

_INBOX, _REPOS = "inbox", "repos"
_NO_QUERY = Taken()


class PageReading:
    """All lists, as one visitor or another may see them. Threads share it."""

    def __init__(
        self, loom: Loom, *, where: VisitPlace, deciders: Deciders, repos: VisibleRepos, things: Mapping[str, PageList]
    ) -> None:
        """`loom` are the services as whoever asks has them; `things` are asked about by name, the rest are lists."""
        self._loom, self._where, self._deciders, self._repos = loom, where, deciders, repos
        self._things = things
        self._known = KnownAnswers()

    def visitor_told(self, visitor: Visitor | None) -> Body:
        """Who looks, and what they may look at."""
        found = self._repos.listed(_whose(visitor)) if visitor else ()
        return {
            **visitor_shown(visitor, nobody=NOBODY[self._where]),
            "repo": found[0].repo_id if found else "",
            "repos": [{"repo": one.repo_id, "name": repo_label(one)} for one in found],
            "where": self._where,
            "version": __version__,
        }

    def repo_of(self, visitor: Visitor, query: Mapping[str, str]) -> str:
        """The one repo that is asked about. Raises Invalid, NotFound."""
        return self._chosen(visitor, page_question(query, _NO_QUERY).repo)

    def opens(self, visitor: Visitor, repo_id: str) -> bool:
        """Whether a repo is still there for somebody: by its events, or, before its first, by the list."""
        if not repo_id or self._loom.events.cursor(repo_id):
            return True
        return any(one.repo_id == repo_id for one in self._repos.listed(_whose(visitor)))

    def asks_git(self, name: str) -> bool:
        """Whether what is asked for under this name takes long."""
        thing = self._things.get(name.partition("/")[0])
        return thing is not None and thing.asks_git

    def list_reply(self, visitor: Visitor, name: str, query: Mapping[str, str]) -> PageReply:
        """What a list, or one thing, is now. Raises Refusal, LoomError."""
        if name == _REPOS:
            return PageReply(content=json_content(self._repos_told(visitor, query)))
        noun, _, about = name.partition("/")
        if listed := LISTS.get(name):
            asked = page_question(query, listed.taken)
            repo_id = self._chosen(visitor, asked.repo)
            return self._list(visitor, name, listed, replace(asked, repo=repo_id))
        if about and (thing := self._things.get(noun)):
            asked = page_question(query, thing.taken, about=about)
            repo_id = self._chosen(visitor, asked.repo) if asked.repo or thing.is_in_repo else ""
            return PageReply(content=json_content(thing.body(self._loom, replace(asked, repo=repo_id))))
        known = ", ".join((*LISTS, _REPOS, "me", *(f"{one}/…" for one in self._things)))
        raise Refusal(404, f"there is no such list; there are {known}", code="not_found")

    def _chosen(self, visitor: Visitor, named: str) -> str:
        """Raises NotFound, also for a token that opens nothing that is there."""
        repo_id = self._repos.chosen(_whose(visitor), named)
        if not repo_id and visitor.principal and is_confined(visitor.principal):
            raise NotFound(
                f"your token opens {', '.join(visitor.principal.repos)[:200]}, and this hub knows no such repository; "
                "it is here once somebody has worked in it, or ask an admin for a token that opens more"
            )
        return repo_id

    def _repos_told(self, visitor: Visitor, query: Mapping[str, str]) -> Body:
        page_question(query, _NO_QUERY)
        rows = [
            {"repo": one.repo_id, "name": repo_label(one), "names": one.names, "clones": one.clones}
            for one in self._repos.listed(_whose(visitor))
        ]
        return {"rows": rows, "more": False}

    def _list(self, visitor: Visitor, name: str, listed: PageList, asked: PageQuestion) -> PageReply:
        """A list of one repo, which holds as long as that has not moved: for everybody, but for what is one's own.

        Where the repo is, each visitor is told by the services themselves: to whom it is foreign, it is nowhere.
        """
        cursor = self._loom.events.cursor(asked.repo)
        state = bool(cursor) if listed.is_slow else cursor
        is_own = name == _INBOX

        def made(tag: str) -> PageContent:
            if is_own:
                body = inbox_body(self._loom, asked, judge=self._deciders.judge(visitor, asked.repo))
            else:
                body = listed.body(self._loom, asked)
            return json_content({**body, "cursor": cursor}, tag=tag)

        key = (name, asked, _whose(visitor) if is_own else None)
        return PageReply(content=self._known.content_at(key, state, made), kept=PRIVATE)


def _whose(visitor: Visitor) -> Hashable:
    """By what it is remembered what somebody may see."""
    return visitor.principal or visitor.seat
