"""What a token opens: each call through it, with all that belongs to repos that it does not open taken for unknown.

What is foreign is put out of the arguments before a service sees them: in the place of an id stands one that nobody
ever drew, in that of a repo one that nobody has. So the service itself answers, in the very words that it has for what
is unknown. Whose word a call is, the token says, and no argument.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from loomstack_mcp.core.errors import LoomError, StoreUnavailable, Unauthorized
from loomstack_mcp.core.permits import PERMITS
from loomstack_mcp.core.records import record
from loomstack_mcp.core.tokens import Principal, is_confined, refuse_role
from loomstack_mcp.services.fitting import FittedCall
from loomstack_mcp.services.opened import OpenedRepos
from loomstack_mcp.services.powers import PowerLog
from loomstack_mcp.services.sifting import sifted
from loomstack_mcp.store.base import Store


@record
class Entered:
    """A call that may be made, as it is to be made."""

    arguments: Mapping[str, Any]
    shown: Callable[[Any], Any]
    """What the token opens of an answer."""


class Access:
    """The one door between tokens and services."""

    def __init__(self, private: Store, store: Store) -> None:
        self._private, self._store = private, store
        self._powers = PowerLog(private, store)

    @contextmanager
    def entered(self, principal: Principal, name: str, arguments: Mapping[str, Any]) -> Iterator[Entered]:
        """A call of `service.method`, to be made within.

        Raises Unauthorized, NotFound, and what the service raises. What is refused, and whatever takes a developer's
        token or more, is written down.
        """
        permit = PERMITS[name]
        has_power = permit.role in ("developer", "admin")
        with self._store.read() as tx:
            call, refused = FittedCall(tx, principal, name), None
            try:
                refuse_role(principal, permit)
                arguments = call.fit(arguments, reads=permit.how == "reads")
            except LoomError as error:
                refused = error
            is_kept = has_power or isinstance(refused, Unauthorized)
            repos = call.repos_of(arguments) if is_kept else ()
        at_ms = 0
        if is_kept:  # before it is done: nothing is done that could not be written down
            at_ms = self._powers.keep_power(principal, "refused" if refused else "granted", name, repos=repos)
        if refused:
            raise refused
        try:
            yield Entered(arguments=arguments, shown=lambda answer: self._shown(principal, name, answer))
        except LoomError as error:
            if is_kept and not isinstance(error, StoreUnavailable):  # the role sufficed, and the service knows better
                self._powers.keep_power(principal, "refused", name, repos=repos, granted_at_ms=at_ms)
            raise type(error)(call.as_asked(str(error))) from None

    def close(self) -> None:
        """Give back the private database."""
        self._private.close()

    def _shown(self, principal: Principal, name: str, answer: Any) -> Any:
        if not is_confined(principal):
            return answer
        with self._store.read() as tx:
            return sifted(OpenedRepos(tx, principal), name, answer)
