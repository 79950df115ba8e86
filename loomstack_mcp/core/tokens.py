"""Bearer tokens, and whom they stand for: their shape, what is kept of them, which repos each may read, until when."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from functools import cache
from typing import Literal

from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.permits import HUB_ROLES, HubRole, Permit
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import ORG, is_forge, provisional

PowerVerdict = Literal["granted", "refused"]
EVERY_REPO = ("**",)
JWT = "jwt"
SECRET_BYTES, ID_BYTES = 32, 4
REPO_PATTERNS_MAX = 50
_SCOPES: dict[str, HubRole] = {
    "loom:read": "viewer", "loom:agent": "agent", "loom:decide": "developer", "loom:admin": "admin",
}  # fmt: skip
_TOKEN = re.compile(r"(loom_[0-9a-f]{8})_[0-9A-Za-z_-]{43}")
_PATTERN = re.compile(rf"(?!.*\*\*\*)\S{{1,{NAME_CHARS_MAX}}}")
_OWNER = re.compile(rf"\S{{1,{NAME_CHARS_MAX}}}")
_STARS = re.compile(r"(\*+)")
_DEPTHS = (1, 2, NAME_CHARS_MAX)
"""So many folders stand for `**` where a pattern is tried as a name; no pattern of single stars fits all of these."""


@record
class Principal:
    """Whom a token stands for, and what it opens. Never taken from arguments or from what a client says of itself."""

    name: str
    role: HubRole
    repos: tuple[str, ...] = EVERY_REPO
    """Patterns of identities; of a run's own token the one id of its repo."""
    run: str = ""
    """The run whose own token it is: it acts for that alone."""
    token: str = ""
    """The id of the token; `JWT` where an identity provider vouches."""


@record
class Token:
    """A token as it is kept and listed: nothing here opens anything."""

    id: str
    """`loom_1a2b3c4d`, with which the token begins."""
    principal: str
    role: HubRole
    repos: tuple[str, ...]
    run_id: str = ""
    created_at_ms: int
    created_by: str
    expires_at_ms: int
    used_at_ms: int = 0
    """To the minute; 0 where it never was."""
    revoked_at_ms: int | None = None
    revoked_by: str = ""

    @property
    def revoked_text(self) -> str:
        """That it was revoked, and by whom, unless that was erased with all else of them."""
        return f"revoked by {self.revoked_by}" if self.revoked_by else "revoked"


@record
class VouchedSubject:
    """Whom an identity provider vouches for, and for what."""

    subject: str
    """`issuer|subject`: who it is, unless an admin says by which name."""
    role: HubRole
    repos: tuple[str, ...] = ()


@record
class MappedSubject:
    """By which name a subject of an identity provider goes here."""

    subject: str
    principal: str
    repos: tuple[str, ...] = ()
    """What it opens, whatever its token says; empty: what that says."""


@record
class PowerUse:
    """Something that takes a developer's or an admin's token, done or refused; so often within that minute."""

    at_ms: int
    verdict: PowerVerdict
    what: str
    """The method of a service; `enter` for requests whose token opens nothing."""
    who: str
    token_id: str
    about: str
    """What it was done to, and the repo where it belongs to one."""
    count: int = 1


@record
class MadeToken:
    """A new token, and the one time that its text is told."""

    token: Token
    text: str = field(repr=False)


def token_id_of(bits: bytes, /) -> str:
    """The id that `ID_BYTES` random bytes spell."""
    return f"loom_{bits.hex()}"


def token_text(token_id: str, secret: bytes, /) -> str:
    """The token of an id and `SECRET_BYTES` random bytes."""
    return f"{token_id}_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"


def id_in_token(text: str, /) -> str:
    """The id with which a token begins; "" for what has no such shape."""
    match = _TOKEN.fullmatch(text)
    return match[1] if match else ""


def token_hash(text: str, /) -> str:
    """What is kept of a token. It is 256 random bits, so that a slow hash would protect nothing."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def repo_patterns(patterns: Sequence[str], /) -> tuple[str, ...]:
    """Patterns of repos as they are kept: `github.com/acme/*`; `*` is within a name, `**`, of which there may
    be one, any number of them.

    Every repo where none is given. Raises Invalid.
    """
    found = tuple(dict.fromkeys(_spelled(one.strip()) for one in patterns)) or EVERY_REPO
    if len(found) > REPO_PATTERNS_MAX:
        raise Invalid(f"{len(found)} patterns of repos, {REPO_PATTERNS_MAX} is the most; use a wider one")
    if not all(_PATTERN.fullmatch(one) and one.isprintable() and one.count("**") < 2 for one in found):
        raise Invalid("a pattern of repos is like github.com/acme/* or github.com/acme/shop; see `repo list`")
    if odd := next((one for one in found if "://" in one or one.endswith(".git")), ""):
        raise Invalid(f"{odd} would open nothing: repositories are named without scheme and .git; see `repo list`")
    return found


def _spelled(pattern: str) -> str:
    """In lower case what is so in every identity: a host, and on a forge that knows no letter case all of it."""
    host, slash, rest = pattern.partition("/")
    return pattern.lower() if is_forge(host) else f"{host.lower() if '.' in host else host}{slash}{rest}"


def fits_repo(patterns: Iterable[str], name: str, /) -> bool:
    """Whether one of the patterns means this name of a repo; one that `repo_patterns` refuses means none."""
    return any(_PATTERN.fullmatch(one) and one.count("**") < 2 and _expression(one).fullmatch(name) for one in patterns)


def may_read(principal: Principal, repo_id: str, names: Iterable[str], /) -> bool:
    """Whether a token opens a repo, by its id; by other names only where it has none of its own yet.

    Whoever works in a repo can give it other names; they open it to nobody else.
    """
    if repo_id == ORG:
        return True
    if principal.run:
        return repo_id in principal.repos
    told = names if provisional(repo_id) else ()
    return fits_repo(principal.repos, repo_id) or any(
        fits_repo(principal.repos, name) for name in told if not name.startswith("clone:")
    )


def is_confined(principal: Principal) -> bool:
    """Whether there are repos that a token does not open."""
    return bool(principal.run) or EVERY_REPO[0] not in principal.repos


def covers_repos(own: Sequence[str], wanted: Sequence[str], /) -> bool:
    """Whether patterns mean every repo that others mean."""
    return all(fits_repo(own, name) for pattern in wanted for name in _samples(pattern))


def role_of_scopes(scopes: Iterable[str], /) -> HubRole | None:
    """The highest role that the scopes of an identity provider's token give."""
    found = [_SCOPES[one] for one in scopes if one in _SCOPES]
    return max(found, key=HUB_ROLES.index, default=None)


def has_role(principal: Principal, role: HubRole, /) -> bool:
    """Whether it may do what this role may."""
    return HUB_ROLES.index(principal.role) >= HUB_ROLES.index(role)


def refuse_role(principal: Principal, permit: Permit, /) -> None:
    """Raises Unauthorized where the token's role is too low for a method."""
    if not has_role(principal, permit.role):
        raise Unauthorized(
            f"the token of {principal.name} is {_whose(principal.role)}, and this takes {_whose(permit.role)}; "
            "ask an admin of the hub"
        )


def owner_name(name: str, /) -> str:
    """A name by which people.yaml can call the owner of a token. Raises Invalid."""
    if not (_OWNER.fullmatch(name) and name.isprintable()):
        raise Invalid("a token is for somebody, by one word as people.yaml may name them under tokens: ana, or ci-shop")
    return name


def governs_repos(by: Principal, repos: Sequence[str], /) -> bool:
    """Whether it is an admin's, of all these repos."""
    return not by.run and by.role == "admin" and covers_repos(by.repos, repos)


def grant_problem(by: Principal, *, owner: str, role: HubRole, repos: Sequence[str]) -> str:
    """Why somebody may not make such a token; "" where they may."""
    if by.run or not has_role(by, "developer"):
        return "tokens are made by developers, for themselves, and by admins"
    if not covers_repos(by.repos, repos):
        return f"it would open more repos than that of {by.name} does: {', '.join(by.repos)}"
    if by.role != "admin" and (owner != by.name or role not in ("viewer", "agent")):
        return f"{by.name} is no admin: only viewer's and agent's tokens, and only --for {by.name}"
    return ""


def _whose(role: HubRole) -> str:
    return f"{'an' if role[0] == 'a' else 'a'} {role}'s"


def _samples(pattern: str) -> tuple[str, ...]:
    """Names that a pattern means and no narrower one does: with letters that no pattern holds in place of its stars."""
    deep = pattern.replace("**", "\1").replace("*", "\0")
    return tuple(deep.replace("\1", "/".join("\0" * depth)) for depth in _DEPTHS)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """In time near the square of a name: no star but the last and `**` tries more than the nearest place."""
    first, *rest = _STARS.split(pattern)
    found = re.escape(first)
    for at in range(0, len(rest), 2):
        stars, letters = rest[at], re.escape(rest[at + 1])
        if at == len(rest) - 2:
            found += f"{'.' if stars == '**' else '[^/]'}*{letters}"
        else:
            found += f".*?{letters}" if stars == "**" else f"(?>[^/]*?{letters})"
    return re.compile(found, re.DOTALL)
