"""Policy files of all layers → one rulebook, or everything that is wrong with them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from loomstack_mcp.adapters.policy import models as models
from loomstack_mcp.adapters.policy.cache import PolicyFile, builtin, policy_hash, policy_record
from loomstack_mcp.adapters.policy.messages import Wrong, key_path, spoken
from loomstack_mcp.adapters.policy.people import people_in
from loomstack_mcp.adapters.policy.strict_yaml import Document, YamlPlace, document
from loomstack_mcp.adapters.policy.times import instant_ms
from loomstack_mcp.adapters.policy.validate import wrong_in_rule, wrong_in_waiver
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.people import PEOPLE_FILE, Person
from loomstack_mcp.core.policy.rules import Layer, Rule, Rulebook, Waiver
from loomstack_mcp.core.records import record

__all__ = ["PolicyFile", "builtin", "file_schema", "loaded"]

PROBLEMS_MAX = 50
"""Told at once; the rest after these are mended."""

_LAYERS: tuple[Layer, ...] = ("builtin", "org", "repo")
_DAY_MINUTES = 24 * 60


@record
class _Source:
    """A file that has the right shape."""

    layer: Layer
    lines: Document
    doc: models.Doc

    def at(self, place: YamlPlace) -> str:
        return f"{self.lines.name}:{self.lines.line(place)}"


def loaded(files: Sequence[PolicyFile]) -> Rulebook:
    """The rules and waivers of all files, the built-in layer first, then the organisation's, then the repository's; and
    who is who.

    The files of the built-in layer are not added: pass `builtin()` with the others. Raises PolicyError
    with every problem found, one a line, `file:line: key: what is wrong`, at most PROBLEMS_MAX of them.
    """
    sources: list[_Source] = []
    problems: list[str] = []
    people: tuple[Person, ...] = ()
    for file in sorted(files, key=lambda file: _LAYERS.index(file.layer)):
        try:
            if file.name == PEOPLE_FILE:
                people = people_in(file.content)
            else:
                sources.append(_source(file))
        except PolicyError as refused:
            problems += str(refused).split("\n")
    _refuse(problems + _wrong(sources, complete=not problems))
    rules = tuple(rule for source in sources for rule in _rules(source))
    waivers = tuple(waiver for source in sources for waiver in _waivers(source))
    return Rulebook(rules=rules, waivers=waivers, people=people, hash=policy_hash(rules, waivers, people))


def file_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a policy file, for editors."""
    found = models.Doc.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _wrong(sources: Sequence[_Source], *, complete: bool) -> list[str]:
    """What is wrong in files that have the right shape; `complete` where there are no others."""
    problems = [problem for source in sources for problem in _wrong_rules(source)]
    problems += _told_twice(sources)
    if complete:  # else a waiver's rule may be in the file that was refused
        problems += _wrong_waivers(sources)
    return problems


def _refuse(problems: Sequence[str]) -> None:
    """Raises PolicyError for any."""
    if problems:
        more = [f"and {len(problems) - PROBLEMS_MAX} more"] if len(problems) > PROBLEMS_MAX else []
        raise PolicyError("\n".join([*problems[:PROBLEMS_MAX], *more]))


def _source(file: PolicyFile) -> _Source:
    lines = document(file.name, file.content)
    try:
        doc = models.Doc.model_validate(lines.value)
    except ValidationError as refused:
        told = [spoken(error) for error in refused.errors(include_url=False)]
        ordered = sorted((lines.line(place), key_path(place), text) for place, text in told)
        raise PolicyError(
            "\n".join(f"{file.name}:{line}: {key or 'the file'}: {text}" for line, key, text in ordered)
        ) from None
    return _Source(layer=file.layer, lines=lines, doc=doc)


def _wrong_rules(source: _Source) -> Iterator[str]:
    for number, rule in enumerate(source.doc.rules):
        place: YamlPlace = ("rules", number)
        if rule.id.startswith("builtin.") and source.layer != "builtin":
            yield f"{source.at((*place, 'id'))}: {key_path((*place, 'id'))}: builtin. is for rules that come with us"
        yield from _told(source, place, wrong_in_rule(rule))


def _wrong_waivers(sources: Sequence[_Source]) -> Iterator[str]:
    rules: Mapping[str, models.Rule] = {rule.id: rule for source in sources for rule in source.doc.rules}
    for source in sources:
        for number, waiver in enumerate(source.doc.waivers):
            yield from _told(source, ("waivers", number), wrong_in_waiver(waiver, rules))


def _told(source: _Source, place: YamlPlace, wrong: Wrong) -> Iterator[str]:
    for below, text in wrong:
        where = (*place, *below)
        yield f"{source.at(where)}: {key_path(where)}: {text}"


def _told_twice(sources: Sequence[_Source]) -> Iterator[str]:
    """Layers only add, so no id comes twice, whichever rule would be the stricter one."""
    first: dict[tuple[str, str], str] = {}
    for source in sources:
        ids = [("rules", number, rule.id) for number, rule in enumerate(source.doc.rules)]
        ids += [("waivers", number, waiver.id) for number, waiver in enumerate(source.doc.waivers)]
        for kind, number, found in ids:
            place: YamlPlace = (kind, number, "id")
            if at := first.get((kind, found)):
                wrong = f"{found} is already at {at}; a layer adds, it cannot change"
                yield f"{source.at(place)}: {key_path(place)}: {wrong}"
            else:
                first[kind, found] = source.at(place)


def _rules(source: _Source) -> Iterator[Rule]:
    for number, rule in enumerate(source.doc.rules):
        raw = _raw(rule)
        for window in raw.get("when", {}).get("windows", ()):
            window["start_minute"] = _minute(window.pop("start", None), default=0)
            window["end_minute"] = _minute(window.pop("end", None), default=_DAY_MINUTES)
        yield policy_record("rules", {**raw, "layer": source.layer, "place": source.at(("rules", number, "id"))})


def _waivers(source: _Source) -> Iterator[Waiver]:
    for number, waiver in enumerate(source.doc.waivers):
        raw = _raw(waiver)
        raw["created_at_ms"] = instant_ms(raw.pop("created"))
        raw["expires_at_ms"] = instant_ms(raw.pop("expires"))
        yield policy_record("waivers", {**raw, "place": source.at(("waivers", number, "id"))})


def _raw(part: models.Rule | models.Waiver) -> dict[str, Any]:
    """Without what is at its default, which the records have as well, and null in the file is one of them."""
    return part.model_dump(exclude_defaults=True)


def _minute(clock: str | None, *, default: int) -> int:
    if clock is None:
        return default
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
