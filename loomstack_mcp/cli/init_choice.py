"""Which agents and skills `init` brings: those that somebody named, or chose at the terminal, or has already."""

from collections.abc import Sequence

import click

from loomstack_mcp.adapters.install.definitions import FoundDefinition
from loomstack_mcp.core.clients.files.definitions import DefinitionKind
from loomstack_mcp.core.errors import Invalid


def chosen_definitions(
    found: Sequence[FoundDefinition], *, agents: str | None, skills: str | None, asks: bool
) -> tuple[FoundDefinition, ...]:
    """Those that `init` is to bring, and those of ours that no package has any more.

    None stands for what is there of ours already, or for all where nothing is; with `asks` the person at the terminal
    says. Raises Invalid for a name that there is not.
    """
    shipped = [each for each in found if each.definition.text]
    brought = {
        *_chosen_names("agents", agents, shipped, asks=asks),
        *_chosen_names("skills", skills, shipped, asks=asks),
    }
    return tuple(
        each for each in found if (each.definition.kind, each.definition.name) in brought or each not in shipped
    )


def _chosen_names(
    kind: DefinitionKind, words: str | None, shipped: Sequence[FoundDefinition], *, asks: bool
) -> list[tuple[DefinitionKind, str]]:
    """The names of one kind that are wanted, with it."""
    there = [each for each in shipped if each.is_ours] or shipped
    known, default = _sorted_names(kind, shipped), _sorted_names(kind, there)
    names = _asked(kind, known, default) if asks and words is None else _names(kind, words, known, default)
    return [(kind, name) for name in names]


def _sorted_names(kind: DefinitionKind, found: Sequence[FoundDefinition]) -> list[str]:
    return sorted({each.definition.name for each in found if each.definition.kind == kind})


def _names(kind: DefinitionKind, words: str | None, known: Sequence[str], default: Sequence[str]) -> Sequence[str]:
    """The names that these words mean. Raises Invalid for one that there is not."""
    if words is None:
        return default
    if words in ("all", "none"):
        return known if words == "all" else ()
    names = [word.strip() for word in words.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise Invalid(f"there is no {kind.removesuffix('s')} {unknown[0]!r}; say all, none, or of {', '.join(known)}")
    return names


def _asked(kind: DefinitionKind, known: Sequence[str], default: Sequence[str]) -> Sequence[str]:
    """What the person at the terminal chooses; asked again after a name that there is not."""

    def meant(words: str) -> Sequence[str]:
        try:
            return _names(kind, words, known, default)
        except Invalid as error:
            raise click.BadParameter(str(error)) from None

    shown = "all" if list(default) == list(known) else ",".join(default) or "none"
    names: Sequence[str] = click.prompt(
        f"{kind.capitalize()}: all, none, or some of {', '.join(known)}", default=shown, value_proc=meant
    )
    return names
