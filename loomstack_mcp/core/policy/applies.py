"""Whether a rule applies to a situation: to whom, where, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.policy.rules import Rule, Where, Who
from loomstack_mcp.core.policy.situation import Actor, Look, Situation, Touched
from loomstack_mcp.core.policy.windows import matched


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A rule applies, and to what."""

    paths: tuple[tuple[Touched, str], ...]
    """The touched paths that it covers, each with the pattern; "" where the rule names none."""
    time: str = ""
    """The window or freeze that holds."""
    unknown: tuple[str, ...] = ()
    """What is not known and would decide whether it applies; at a final point that counts as a match."""


def applies(rule: Rule, situation: Situation, /) -> Applied | None:
    """None where it does not apply."""
    if situation.actions.isdisjoint(rule.on):
        return None
    time = matched(rule.when, situation.now_ms)
    paths = _paths(rule.where, situation)
    if not time or paths is None:
        return None
    unknown = ["paths"] if rule.where.paths and situation.touched is None else []
    asked = (*_who(rule.who, situation.actor), *_where(rule.where, situation))
    for name, holds in asked:
        if holds is None:
            unknown.append(name)
        elif not holds:
            return None
    return Applied(
        paths=paths, time="" if time == "always" else time, unknown=() if situation.is_final else tuple(unknown)
    )


def _who(who: Who, actor: Actor) -> Iterable[tuple[str, bool | None]]:
    for name, wanted, found in (
        ("who.kind", who.kind, actor.kind),
        ("who.loop", who.loop, actor.loop),
        ("who.developer", who.developer, actor.developer),
        ("who.agent", who.agent, actor.agent),
    ):
        if wanted:
            yield name, None if found is None or found == "unknown" else found in wanted
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


def _paths(where: Where, situation: Situation) -> tuple[tuple[Touched, str], ...] | None:
    """The touched paths that the rule covers; None where it names paths and none of them is touched."""
    touched = situation.touched
    if touched is None:
        return ()
    if where.paths:
        near = set(compiled(where.paths).among(situation.files))
        touched = tuple(one for one in touched if one.is_folder or one.path in near)
    if where.excepted:
        excepted = compiled(where.excepted)
        left = tuple(one for one in touched if one.is_folder or not excepted.exact(one.path))
    else:
        left = touched
    if not where.paths:
        return tuple((one, "") for one in left) if left or not touched else None
    return tuple(hit for one in left for hit in _covered(where, one, situation.look.get("below"))) or None


def _covered(where: Where, one: Touched, below: Look | None) -> Iterable[tuple[Touched, str]]:
    """The path with the pattern that covers it; of a folder, with one that may cover what is below it.

    A floating pattern may cover something in any folder. So it counts where the names of the folder begin it,
    else for what is seen there: `rm -rf build` deletes no `.mcp.json` where there is none.
    """
    if not one.is_folder:
        if hit := compiled(where.paths).loose(one.path):
            yield one, hit
        return
    floating = tuple(pattern for pattern in where.paths if _floats(pattern))
    anchored = tuple(pattern for pattern in where.paths if not _floats(pattern))
    if hit := compiled(anchored).below(one.path) or _begun(floating, one.path):
        yield one, hit
    elif floating and below:
        excepted = compiled(where.excepted)
        for seen in below(one.path, floating):
            if not excepted.exact(seen.path):
                yield Touched(path=seen.path), seen.text


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
