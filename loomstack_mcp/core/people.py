"""Who is who: persons with all that they are called, as the trunk's `.loomstack/people.yaml` says."""

from collections.abc import Iterable, Sequence

from loomstack_mcp.core.records import record

PEOPLE_FILE = ".loomstack/people.yaml"


@record
class Person:
    """One person, whatever the name they act under."""

    name: str
    addresses: tuple[str, ...] = ()
    """By which their commits are signed."""
    users: tuple[str, ...] = ()
    """Accounts of operating systems."""
    handles: tuple[str, ...] = ()
    """What forges call them."""
    tokens: tuple[str, ...] = ()
    """Owners of tokens."""
    roles: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that they are called, the name first."""
        return tuple(dict.fromkeys((self.name, *self.users, *self.handles, *self.addresses, *self.tokens)))


def person_called(people: Sequence[Person], name: str, /) -> Person | None:
    """Whoever is called so; no two persons share a name. Addresses and handles know no letter case."""
    if not name:
        return None
    folded = name.casefold()
    for person in people:
        is_spelled = name in (person.name, *person.users, *person.tokens)
        if is_spelled or any(folded == one.casefold() for one in (*person.addresses, *person.handles)):
            return person
    return None


def with_all_names(people: Sequence[Person], names: Iterable[str], /) -> frozenset[str]:
    """The names, and all others of whoever has one of them."""
    given = frozenset(names)
    persons = (person_called(people, name) for name in given) if people else ()
    return given.union(*(person.names for person in persons if person))
