"""What test runners and coverage are told by their settings, as one record for all formats."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class RunnerSettings:
    """What is set, by the runners' own names for it."""

    options: set[str] = field(default_factory=set)
    """Words of `addopts`; an option and its value are one, as `-k=not slow`."""
    lists: dict[str, set[str]] = field(default_factory=dict)
    """What is looked at or left out, by the name of the setting."""
    numbers: dict[str, float] = field(default_factory=dict)
    """Coverage that is asked for."""
    strict: set[str] = field(default_factory=set)
    """Settings that make a runner fail more often, as far as they are on."""
    hooks: set[str] = field(default_factory=set)
    """What a conftest does to results and to the list of tests: `pytest_collection_modifyitems: skip`."""
    error: str = ""

    def add(self, other: "RunnerSettings") -> None:
        """Both together; of two numbers the last, as when a setting moves from one file to another."""
        self.options |= other.options
        self.strict |= other.strict
        self.hooks |= other.hooks
        self.numbers |= other.numbers
        for name, several in other.lists.items():
            self.extend(name, several)

    def extend(self, name: str, more: Iterable[str]) -> None:
        """The list of that name holds these as well."""
        self.lists[name] = self.lists.get(name, set()) | set(more)
