"""Who is who among those who sign commits: one person under several names and addresses, a fleet's address, a bot."""

import re
from collections import defaultdict
from collections.abc import Iterable

from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.people import Person

_FLEET_NAMES = 5
"""An address with so many names belongs to a fleet of agents: each name is an author. A name with so many addresses,
`root` say, may be several people's, and ties none of its addresses together."""
_NOREPLY = re.compile(r"(?:\d+[+-])?(?P<user>[^@]+)@(?P<host>(?:users\.)?noreply\.[^@]+)")
"""What forges give who hides an address: `123+user@users.noreply.github.com` and, before 2017, `user@…`."""
_NOBODY = re.compile(r"(?:|(?:no|do-?not)[-_.]?reply@.*)")
_BOT = re.compile(r".*\[bot\]|(?:.*[-_. ])?(?:ro)?bot|(?:dependabot|renovate|github[- ]actions|greenkeeper)\b.*")
_AGENT = re.compile(r"(?:copilot|devin|claude|cursor|codex|jules|gemini|openhands|google-labs-jules)\b.*")
"""Agents that write code under a bot's account: their work is as good as anybody's, and as lost."""

Signer = tuple[str, str]
"""Name and account."""


def account_of(address: str, lines: Lines, /) -> str:
    """A keyed hash of whose address it is; "" for one that is nobody's, as `noreply@…` is.

    A forge's noreply address counts by its user alone, with and without the user's number.
    """
    spelled = spelled_address(address)
    return lines.hidden(spelled) if spelled else ""


def spelled_address(address: str, /) -> str:
    """An address, or a name, as it is compared, not hashed; "" as in `account_of`."""
    spelled = address.strip().casefold()
    if _NOBODY.fullmatch(spelled):
        return ""
    forged = _NOREPLY.fullmatch(spelled)
    return f"{forged['user']}@{forged['host']}" if forged else spelled


def accounts_of(people: Iterable[Person], lines: Lines, /) -> tuple[tuple[str, str], ...]:
    """The accounts of persons, each with a name that ties those of one person together, and that no commit can bear."""
    return tuple(
        (account, f"\0{person.name}")
        for person in people
        for address in person.addresses
        if (account := account_of(address, lines))
    )


def is_bot(name: str, /) -> bool:
    """Whether a name is a machine's that keeps a repository, by the names that such machines have."""
    spelled = name.strip().casefold()
    return bool(_BOT.fullmatch(spelled)) and not _AGENT.fullmatch(spelled)


class People:
    """What names and accounts were seen together."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = defaultdict(set)
        self._accounts: dict[str, set[str]] = defaultdict(set)
        self._reached: dict[Signer, frozenset[str]] = {}

    def know(self, account: str, name: str, /) -> None:
        """Hear that a name signs with an account; "" is nobody's account."""
        name = _spelled(name, account)
        if account and name not in self._names[account]:
            self._names[account].add(name)
            self._accounts[name].add(account)
            self._reached.clear()

    def same(self, one: Signer, other: Signer, /) -> bool:
        """Whether two signers are one person: by name, or as names that share an address are, of no fleet's.

        Who is asked for signs, too, and is known from then on.
        """
        (name, account), (other_name, other_account) = ((_spelled(*each), each[1]) for each in (one, other))
        if not (name and other_name):
            return False
        self.know(account, name)
        self.know(other_account, other_name)
        return (
            name == other_name
            or other_name in self._names_of(name, account)
            or name in self._names_of(other_name, other_account)
        )

    def _names_of(self, name: str, account: str) -> frozenset[str]:
        """All names of one person, without those that may be several people's."""
        known = self._reached.get((name, account))
        if known is None:
            found: set[str] = set()
            waiting = {name, *self._bearers(account)}
            while waiting:
                new = {one for one in waiting - found if len(self._accounts[one]) < _FLEET_NAMES}
                found |= new
                waiting = {bearer for one in new for at in self._accounts[one] for bearer in self._bearers(at)} - found
            known = self._reached[name, account] = frozenset(found)
        return known

    def _bearers(self, account: str) -> set[str]:
        """Whose names an account has; none where it is a fleet's."""
        names = self._names.get(account, set())
        return names if len(names) < _FLEET_NAMES else set()


def _spelled(name: str, account: str) -> str:
    """A name without what tells nobody apart; who has none is whoever has that account."""
    return " ".join(name.casefold().split()) or (account and f"<{account}>")
