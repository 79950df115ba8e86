"""One call on its way to the service: in the name of its token, and with nothing foreign in it."""

from collections.abc import Mapping
from typing import Any

from loomstack_mcp.core.errors import Unauthorized
from loomstack_mcp.core.repos import ORG, Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.tokens import Principal, has_role, is_confined
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.called import Named, mapped, named_in_arguments, typed_id, unknown_id, unknown_repo
from loomstack_mcp.services.opened import OpenedRepos
from loomstack_mcp.services.own_words import as_its_run, in_own_words
from loomstack_mcp.services.starts import run_of_id
from loomstack_mcp.store.base import Tx

_SESSION_RUNS_MAX = 200
_OF_OWN_RUNS = frozenset({"alerts.heard", "sessions.open_work", "sessions.remind"})
"""What is told of runs, and of no caller: of one's own alone."""


class FittedCall:
    """The arguments of one call, on their way to the service."""

    def __init__(self, tx: Tx, principal: Principal, name: str) -> None:
        self._tx, self._principal, self._name = tx, principal, name
        self._opened = OpenedRepos(tx, principal)
        self._stands_for: dict[str, str] = {}

    def fit(self, arguments: Mapping[str, Any], *, reads: bool) -> dict[str, Any]:
        """The arguments as the service is to have them. Raises Unauthorized, NotFound."""
        own = self._own(arguments, reads=reads)
        self._refuse_org(own)
        if is_confined(self._principal):
            self._refuse_torn(own)
        elif self._name not in _OF_OWN_RUNS:
            return own
        stand_in = {one: self._unknown(one) for one in dict.fromkeys(named_in_arguments(own)) if self._is_foreign(one)}
        if not stand_in:
            return own
        return {name: mapped(one, lambda it: stand_in.get(it, it.text), name) for name, one in own.items()}

    def repos_of(self, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """What a call is about, of what the token opens."""
        checkouts = (one for one in arguments.values() if isinstance(one, Checkout))
        found = [self._opened.repo_called(one) for one in checkouts]
        found += [one.text if one.is_repo else self._opened.repo_of(one.text) for one in named_in_arguments(arguments)]
        return tuple(one for one in dict.fromkeys(found) if one and self._opened.opens(one))

    def as_asked(self, text: str) -> str:
        """What a service says, with what was asked for in the place of what stood for it."""
        for unknown, original in self._stands_for.items():
            text = text.replace(unknown, original)
        return text

    def _own(self, arguments: Mapping[str, Any], *, reads: bool) -> dict[str, Any]:
        """In the token's own name, and of checkouts only the names that it opens."""
        run = run_of_id(self._tx, self._principal.run) if self._principal.run else None
        if run and not reads:
            arguments = as_its_run(run.id, arguments, name=self._name)
        own = in_own_words(self._principal, arguments, run)
        if "typed" in own:
            own["typed"] = typed_id(own["typed"])
        return {name: self._opened.checkout(one) if isinstance(one, Checkout) else one for name, one in own.items()}

    def _is_foreign(self, one: Named) -> bool:
        repo_id = one.text if one.is_repo else self._opened.repo_of(one.text)
        if not repo_id or not self._opened.opens(repo_id):
            return bool(repo_id)
        if self._name not in _OF_OWN_RUNS or not one.text.startswith("run_"):
            return False
        return run_of_id(self._tx, one.text).principal != self._principal.name

    def _unknown(self, one: Named) -> str:
        number = len(self._stands_for)
        stand_in = unknown_repo(one.text) if one.is_repo else unknown_id(one.text, number)
        self._stands_for[stand_in] = one.text
        return stand_in

    def _refuse_org(self, arguments: Mapping[str, Any]) -> None:
        """What holds for every repo is an admin's to say. Raises Unauthorized."""
        says = self._name == "notes.add" and arguments.get("checkout") is None
        takes_place = bool(arguments.get("supersedes")) and self._opened.repo_of(arguments["supersedes"]) == ORG
        if (says or takes_place) and not has_role(self._principal, "admin"):
            raise Unauthorized(f"notes for every repository are an admin's, and {self._principal.name} is none here")
        if arguments.get("name") and self._name == "repos.alias":
            self._opened.checkout(Checkout(identity=arguments["name"]))

    def _refuse_torn(self, arguments: Mapping[str, Any]) -> None:
        """Raises Unauthorized where a caller's session has live runs in repos that this token does not open.

        Those would be meant by a call that names no run.
        """
        for caller in (one for one in arguments.values() if isinstance(one, Caller)):
            who = {"principal": caller.principal, "session": caller.session, "agent": "*"}
            for row in self._tx.all(RUNS["of_session"], **who, limit=_SESSION_RUNS_MAX):
                if not self._opened.opens(row["repo_id"]):
                    raise Unauthorized(
                        f"another run of this session, {row['id']}, is in a repository that this token does not open; "
                        "let it end, or use the token with which it was started"
                    )
