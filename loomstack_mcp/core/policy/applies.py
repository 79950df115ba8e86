"""Whether a rule applies to a situation: to whom, where, and when."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from loomstack_mcp.core.patterns.gitignore import compiled, spelled_out
from loomstack_mcp.core.policy.looks import Looks
from loomstack_mcp.core.policy.rules import Rule, Where, Who
from loomstack_mcp.core.policy.situation import Actor, Situation, Touched
from loomstack_mcp.core.policy.windows import matched
from loomstack_mcp.core.records import record


@record
class Applied:
    """A rule applies, and to what."""

    paths: tuple[tuple[Touched, str], ...]
    """The touched paths that it covers, each with the pattern; "" where the rule names none."""
    time: str = ""
    """The window or freeze that holds."""
    is_scoped: bool = False
    """Whether the rule names paths or excepts some, so that it is about those that it covers alone."""
    unknown: tuple[str, ...] = ()
    """What is not known and would decide whether it applies; at a final point that counts as a match."""


def applies(rule: Rule, situation: Situation, /) -> Applied | None:
    """None where it does not apply."""
    if situation.actions.isdisjoint(rule.on):
        return None
    time = matched(rule.when, situation.now_ms)
    paths = covered_paths(rule.where, situation)
    if not time or paths is None:
        return None
    asked = dict((*_who(rule.who, situation.actor), *_where(rule.where, situation)))
    if any(holds is False for holds in asked.values()):
        return None
    unknown = ["paths"] if rule.where.paths and situation.touched is None else []
    unknown += [name for name, holds in asked.items() if holds is None]
    return Applied(
        paths=paths,
        time="" if time == "always" else time,
        is_scoped=situation.touched is not None and bool(rule.where.paths or rule.where.excepted),
        unknown=() if situation.is_final else tuple(unknown),
    )


def is_about(where: Where, path: str, /) -> bool:
    """Whether a rule that holds there is about this path."""
    return (not where.paths or bool(compiled(where.paths).loose(path))) and not compiled(where.excepted).exact(path)


def covered_paths(where: Where, situation: Situation, /) -> tuple[tuple[Touched, str], ...] | None:
    """The touched paths that the rule covers; None where it names paths and none of them is touched."""
    if situation.touched is None:
        return ()
    left = _left(where, situation)
    if where.paths:
        return tuple(hit for one in left for hit in _covered(where, one, situation.looks)) or None
    # A rule that names no paths binds an action that touches none, but not one all of whose paths are excepted.
    is_excepted = situation.touched and not left
    return None if is_excepted else tuple((one, "") for one in left)


def _who(who: Who, actor: Actor) -> Iterable[tuple[str, bool | None]]:
    for name, wanted, found, also in (
        ("who.kind", who.kind, actor.kind, ()),
        ("who.loop", who.loop, actor.loop, ()),
        ("who.developer", who.developer, actor.developer, actor.names),
        ("who.agent", who.agent, actor.agent, ()),
    ):
        if wanted:
            yield name, None if found in (None, "unknown") else not {found, *also}.isdisjoint(wanted)
    if who.role:
        yield "who.role", None if actor.roles is None else not set(who.role).isdisjoint(actor.roles)
    if who.not_role:
        yield "who.not_role", None if actor.roles is None else set(who.not_role).isdisjoint(actor.roles)


def _where(where: Where, situation: Situation) -> Iterable[tuple[str, bool | None]]:
    if where.repo:
        yield "where.repo", _any_of(where.repo, situation.repo)
    if where.branch:
        found = situation.branch
        yield "where.branch", None if found is None else bool(compiled(where.branch).loose(found))
    if where.environment:
        found = situation.environment
        known = {one.casefold() for one in where.environment}
        yield "where.environment", None if found is None else found.casefold() in known
    if where.tools:
        yield "where.tools", _any_of(where.tools, situation.tool)


def _any_of(patterns: Sequence[str], found: str | None) -> bool | None:
    return None if found is None else any(fnmatchcase(found, pattern) for pattern in patterns)


def _left(where: Where, situation: Situation) -> tuple[Touched, ...]:
    """The touched folders, and the files that the rule names and does not except; all where it names none."""
    left = situation.touched or ()
    if where.paths:
        near = set(compiled(where.paths).among(situation.files))
        left = tuple(one for one in left if one.is_folder or one.path in near)
    if where.excepted:
        excepted = compiled(where.excepted)
        # What covers a folder, covers all that is below it.
        left = tuple(one for one in left if not excepted.exact(one.path))
    return left


def _covered(where: Where, one: Touched, looks: Looks) -> Iterable[tuple[Touched, str]]:
    """The path with the pattern that covers it; of a folder, those that may cover what is below it."""
    if one.is_folder:
        yield from _covered_below(where, one, looks)
    elif hit := compiled(where.paths).loose(one.path):
        yield one, hit


def _covered_below(where: Where, folder: Touched, looks: Looks) -> Iterable[tuple[Touched, str]]:
    """The folder with a pattern that may cover what is below it, or what is seen there.

    A floating pattern may cover something in any folder. So it counts where the names of the folder begin it,
    else for what is seen there: `rm -rf build` deletes no `.mcp.json` where there is none. A pattern that
    names its files, `src/*.lock`, may name those to come.
    """
    patterns = spelled_out(where.paths)  # of `{a/b,c}` one floats
    floating = tuple(pattern for pattern in patterns if _floats(pattern))
    anchored = tuple(pattern for pattern in patterns if not _floats(pattern))
    if hit := compiled(anchored).below(folder.path) or _begun(floating, folder.path) or _named(floating, folder):
        yield folder, hit
    elif floating:
        excepted = compiled(where.excepted)
        for path, pattern in looks.below(folder.path, floating):
            if not excepted.exact(path):
                yield Touched(path=path), pattern


def _named(floating: Sequence[str], folder: Touched) -> str:
    return next((hit for shape in folder.shapes if (hit := compiled(floating).shared(shape))), "")


def _floats(pattern: str) -> bool:
    return "/" not in pattern.removesuffix("/") or pattern.removeprefix("/").startswith("**/")


def _begun(floating: Sequence[str], folder: str) -> str:
    """The first of the patterns whose first names are the last ones of the folder; any, where that is the root."""
    names = folder.split("/")
    ends = ["/".join(names[number:]) for number in range(len(names))]
    for pattern in floating:
        fixed = pattern.removeprefix("/")
        while fixed.startswith("**/"):
            fixed = fixed.removeprefix("**/")
        if not folder or any(compiled((f"/{fixed}",)).below(end) for end in ends):
            return pattern
    return ""
