"""What lies behind an id: from a refusal or a decision to the rule, the claim, the note and the person."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.phrases import age, lean
from loomstack_mcp.core.records import record
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Store, Tx

CLAIMS = queries.statements("claims")
WHY = queries.statements("why")

_ID = re.compile(r"\b(run|claim|note|out|conf|dec|apr|evid|dep)_[0-9A-Z]{8}\b")
_OF_NOUN = {
    "run": WHY["run"],
    "claim": WHY["claim"],
    "note": WHY["note"],
    "out": WHY["out"],
    "dec": WHY["dec"],
    "conf": WHY["conf"],
    "apr": WHY["apr"],
    "evid": WHY["evid"],
    "dep": WHY["dep"],
}
_JSON = frozenset(
    {"paths", "reasons", "failing", "commits", "links", "contradicts", "actions", "shown", "rules", "answers"}
)
_STEPS_MAX = 20
_INTENTS_MAX = 5
_NOUNS = "dec_…, conf_…, claim_…, note_…, run_…, out_…, apr_…, evid_… or dep_…"


@record
class WhyStep:
    """One record on the way, by its id."""

    id: str
    fields: Mapping[str, Any]


class WhyService:
    """Follows ids to what they stand for, and on to what those name."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def behind(self, typed: str) -> tuple[WhyStep, ...]:
        """What the id stands for, then what that names, nearest first. Raises Invalid, or NotFound."""
        noun, _, letters = typed.strip().partition("_")
        start = f"{noun.lower()}_{letters.upper()}"
        if not _ID.fullmatch(start):
            raise Invalid(f"{typed[:40]} is no id; take one from a refusal, an answer or a list: {_NOUNS}")
        steps: dict[str, WhyStep] = {}
        wanted = [start]
        with self._store.read() as tx:
            while wanted and len(steps) < _STEPS_MAX:
                here = wanted.pop(0)
                if here not in steps and (row := next(iter(tx.all(_OF_NOUN[here.partition("_")[0]], id=here)), None)):
                    steps[here] = WhyStep(id=here, fields=_shown(row, now_ms=tx.now_ms))
                    wanted += [*_named(row, but=here), *_intents(tx, row)]
        if not steps:
            raise NotFound(f"there is no {start} in this store; ids look like {_NOUNS}, and `db path` says which store")
        return tuple(steps.values())


def _named(row: Row, *, but: str) -> Iterator[str]:
    """The ids in a record, in the order of its columns."""
    for value in dict(row).values():
        yield from (found[0] for found in _ID.finditer(str(value)) if found[0] != but)


def _intents(tx: Tx, row: Row) -> Iterator[str]:
    """What a run whose change is taken back had said about it."""
    if run_id := dict(row).get("with_run"):
        for statement in (WHY["intents_of_run"], CLAIMS["asked_of_run"]):
            yield from (str(each["id"]) for each in tx.all(statement, run_id=run_id, limit=_INTENTS_MAX))


def _shown(row: Row, *, now_ms: int) -> Mapping[str, Any]:
    found = {name: _value(name, value) for name, value in dict(row).items()}
    return dict(lean({**found, "age": age(now_ms - found.pop("at_ms"))}))


def _value(name: str, value: Any) -> Any:
    return json.loads(value) if name in _JSON and isinstance(value, str) and value[:1] in ("[", "{") else value
