"""Tokens: made, listed and revoked by people, and checked with every request of a hub."""

import hmac
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from loomstack_mcp.core.errors import Invalid, NotFound, Unauthorized
from loomstack_mcp.core.limits import DAY_MS, EXPIRES_DAYS_MAX, NAME_CHARS_MAX, TOKEN_DEFAULT_MS
from loomstack_mcp.core.permits import HubRole
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.runs import Run, is_lapsed
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.core.tokens import (
    EVERY_REPO,
    ID_BYTES,
    JWT,
    SECRET_BYTES,
    MadeToken,
    MappedSubject,
    PowerUse,
    Principal,
    Token,
    VouchedSubject,
    governs_repos,
    grant_problem,
    id_in_token,
    owner_name,
    repo_patterns,
    token_hash,
    token_id_of,
    token_text,
)
from loomstack_mcp.services.powers import count_power
from loomstack_mcp.services.starts import run_of_id
from loomstack_mcp.services.token_uses import TokenUses
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

TOKENS = queries.statements("tokens")

_NOBODYS = token_hash("")
"""What a token that nobody made is compared with, so that it takes as long."""
_UNKNOWN = "the token that came is none of this hub; an admin makes one with `token create`"
_MADE = ("id", "principal", "role", "repos", "run_id", "created_at_ms", "created_by", "expires_at_ms")
_RUN_TOKEN_MS = 7 * DAY_MS
"""A run's own token ends with its lease, and with this at the latest."""


class Issuer(Protocol):
    """An identity provider whose tokens count here."""

    def subject_of(self, bearer: str, /) -> VouchedSubject:
        """Whom a token of its vouches for. Raises Unauthorized."""


class TokenService:
    """Who may come in. In a database of its own; the store is asked for runs alone."""

    def __init__(self, private: Store, store: Store, issuer: Issuer | None = None) -> None:
        self._private, self._store, self._issuer = private, store, issuer
        self._uses = TokenUses(private)

    def create(
        self,
        by: Principal,
        *,
        owner: str,
        role: HubRole,
        repos: Sequence[str] = (),
        ttl_ms: int = TOKEN_DEFAULT_MS,
        run_id: str = "",
    ) -> MadeToken:
        """A new token for its owner. Its text is told this once: only a hash is kept.

        With a run it is that run's own, for as long as its lease. Unless `by` is an admin, it ends with the token with
        which it is made, and a day after it is made with an identity provider's. Raises Unauthorized where `by` may not
        give it.
        """
        owner = owner_name(owner)
        within("the number of days", -(-ttl_ms // DAY_MS), least=1, most=EXPIRES_DAYS_MAX)
        patterns = repo_patterns(repos)
        if run_id:
            run = self._live_run(run_id, owner)
            role, patterns, ttl_ms = "agent", (run.repo_id,), min(ttl_ms, _RUN_TOKEN_MS)
        if problem := grant_problem(by, owner=owner, role=role, repos=patterns):
            raise Unauthorized(f"{problem}; no token was made")
        secret = os.urandom(SECRET_BYTES)
        with self._private.append() as tx:
            ttl_ms = min(ttl_ms, _given_ms(tx, by))
            made = Token(
                id="",
                principal=owner,
                role=role,
                repos=patterns,
                run_id=run_id,
                created_at_ms=tx.now_ms,
                created_by=by.name,
                expires_at_ms=tx.now_ms + ttl_ms,
            )
            while True:
                made = replace(made, id=token_id_of(os.urandom(ID_BYTES)))
                text = token_text(made.id, secret)
                if tx.run(TOKENS["insert"], hash=token_hash(text), **rows.row(made, only=_MADE)):
                    break
            count_power(tx, by, "granted", "tokens.create", about=f"{made.id} for {owner}, {role}")
        return MadeToken(token=made, text=text)

    def listed(self, by: Principal) -> tuple[tuple[Token, ...], int]:
        """Their own, and for an admin every token of the repos that theirs opens, the newest first. And the time."""
        with self._private.read() as tx:
            found = rows.as_records(Token, tx.all(TOKENS["listed"]))
            return tuple(one for one in found if _is_theirs(by, one)), tx.now_ms

    def revoke(self, by: Principal, token_id: str) -> Token:
        """From now on it opens nothing. Raises NotFound for another's, but for an admin; Invalid where it is done."""
        with self._private.append() as tx:
            found = rows.as_records(Token, tx.all(TOKENS["get"], id=token_id))
            if not found or not _is_theirs(by, found[0]):
                raise NotFound(f"token {token_id[:40]} is unknown; `token list` shows those that you may revoke")
            if not tx.run(TOKENS["revoke"], id=token_id, revoked_at_ms=tx.now_ms, revoked_by=by.name):
                raise Invalid(f"token {token_id} was {found[0].revoked_text} already")
            count_power(tx, by, "granted", "tokens.revoke", about=f"{token_id} of {found[0].principal}")
            return replace(found[0], revoked_at_ms=tx.now_ms, revoked_by=by.name)

    def checked(self, bearer: str) -> Principal:
        """Whom a token stands for. Raises Unauthorized for what opens nothing, whatever the reason may be."""
        try:
            if self._issuer and bearer.count(".") == 2:
                return self._vouched(self._issuer.subject_of(bearer))
            return self._known(bearer)
        except Unauthorized:
            self._uses.count_stranger(id_in_token(bearer))
            raise

    def map_subject(self, by: Principal, subject: str, *, owner: str, repos: Sequence[str] = ()) -> MappedSubject:
        """From now on a subject of an identity provider goes by a name here, and opens these repos, if any are named.

        Raises Unauthorized where `by` does not open them.
        """
        subject = bounded("subject", subject, chars_max=NAME_CHARS_MAX, required=True)
        owner = owner_name(owner)
        patterns = repo_patterns(repos) if repos else ()
        if problem := grant_problem(by, owner=owner, role="admin", repos=patterns or EVERY_REPO):
            raise Unauthorized(f"{problem}; nothing was mapped")
        made = MappedSubject(subject=subject, principal=owner, repos=patterns)
        with self._private.append() as tx:
            for former in rows.as_records(MappedSubject, tx.all(TOKENS["subject"], subject=subject)):
                if not governs_repos(by, former.repos or EVERY_REPO):
                    raise Unauthorized(f"{subject} was mapped for more repos than {by.name} opens; nothing was mapped")
            tx.run(TOKENS["map_subject"], **rows.row(made))
            count_power(tx, by, "granted", "tokens.map_subject", about=f"{subject} is {owner}")
        return made

    def subjects(self, by: Principal) -> tuple[MappedSubject, ...]:
        """Every subject that was mapped; for others than admins their own."""
        with self._private.read() as tx:
            found = rows.as_records(MappedSubject, tx.all(TOKENS["subjects"]))
            return tuple(one for one in found if by.name == one.principal or governs_repos(by, one.repos or EVERY_REPO))

    def whoami(self, by: Principal) -> Principal:
        """Whom a hub takes the sender for, by the token alone; on the hub's own machine whoever asks."""
        return by

    def opens_still(self, by: Principal) -> bool:
        """Whether the token of one who came in before lets them in now. Of an identity provider's nobody can say."""
        with self._private.read() as tx:
            found = rows.as_records(Token, tx.all(TOKENS["get"], id=by.token))
            return not found or (found[0].revoked_at_ms is None and tx.now_ms < found[0].expires_at_ms)

    def powers(self, by: Principal, *, limit: int) -> tuple[tuple[PowerUse, ...], int]:
        """The last uses of power and what was refused, the newest first: everybody's for an admin, else one's own.

        And the time.
        """
        with self._private.read() as tx:
            found = rows.as_records(PowerUse, tx.all(TOKENS["powers"], limit=limit))
            return tuple(one for one in found if by.name == one.who or governs_repos(by, EVERY_REPO)), tx.now_ms

    def settle(self) -> None:
        """What was noted of uses until now is written."""
        self._uses.settle()

    def close(self) -> None:
        """Write what is still to be noted, and give back the database."""
        self._uses.close()
        self._private.close()

    def _vouched(self, told: VouchedSubject) -> Principal:
        with self._private.read() as tx:
            found = rows.as_records(MappedSubject, tx.all(TOKENS["subject"], subject=told.subject))
        name, repos = (found[0].principal, found[0].repos) if found else (told.subject, ())
        return Principal(name=name, role=told.role, repos=repos or told.repos, token=JWT)

    def _known(self, bearer: str) -> Principal:
        token_id = id_in_token(bearer)
        with self._private.read() as tx:
            found = tx.last(TOKENS["get"], id=token_id) if token_id else []
            now_ms = tx.now_ms
        kept = found[0]["hash"] if found else _NOBODYS
        if not hmac.compare_digest(kept, token_hash(bearer)) or not found:
            raise Unauthorized(_UNKNOWN)
        token = rows.as_record(Token, found[0])
        if token.revoked_at_ms is not None:
            raise Unauthorized(f"token {token.id} was {token.revoked_text}; ask an admin of the hub for another")
        if token.expires_at_ms <= now_ms:
            raise Unauthorized(f"token {token.id} expired {age(now_ms - token.expires_at_ms)} ago; ask for another")
        if token.run_id:
            self._live_run(token.run_id, token.principal)
        self._uses.note_use(token, now_ms=now_ms)
        return Principal(name=token.principal, role=token.role, repos=token.repos, run=token.run_id, token=token.id)

    def _live_run(self, run_id: str, owner: str) -> Run:
        with self._store.read() as tx:
            run = run_of_id(tx, run_id)
            if run.principal != owner:
                raise NotFound(f"run {run_id} is unknown; start_run returns yours")
            if run.state != "live" or is_lapsed(run, now_ms=tx.now_ms):
                raise Unauthorized(f"{run_id} is over or its lease has ended, and so has its own token")
            return run


def _given_ms(tx: Tx, by: Principal) -> int:
    """How long what somebody gives may last: nobody gives more than they have, but an admin."""
    if by.role == "admin":
        return EXPIRES_DAYS_MAX * DAY_MS
    if by.token == JWT:
        return DAY_MS
    own = rows.as_records(Token, tx.all(TOKENS["get"], id=by.token))
    return max(1, own[0].expires_at_ms - tx.now_ms) if own else DAY_MS


def _is_theirs(by: Principal, token: Token) -> bool:
    return by.name == token.principal or governs_repos(by, token.repos)
