"""Each thing that should not be so is found where it is so."""

from typing import Any

import pytest

from loomstack_mcp.core.events import Event
from tests.fire.findings import findings
from tests.fire.worker import CALLS_MAX

_WITHIN_MS = 100


def event(seq: int, kind: Any, about: str, run_id: str = "run_1", **payload: Any) -> Event:
    return Event(seq=seq, kind=kind, about=about, run_id=run_id, at_ms=0, payload=payload)


def call(number: int, what: str, **more: Any) -> dict[str, Any]:
    return {"call": number, "what": what, "who": "ana", "paths": [], "ttl_ms": 50, "at_ms": 0.0, **more}


_START = [call(1, "start"), {"end": 1, "at_ms": 1.0, "answer": "started", "run": "run_1"}]
_RECORD = [call(2, "record", at_ms=2.0), {"end": 2, "at_ms": 3.0, "answer": "recorded", "outcome": "outcome_1"}]
_STARTED = event(1, "run.started", "run_1")
_RECORDED = event(2, "outcome.recorded", "outcome_1")

_CLAIM = [call(3, "claim"), {"end": 3, "at_ms": 1.0, "answer": "granted", "claim": "claim_1", "fence": 7}]
_GRANTED = event(7, "claim.granted", "claim_1", patterns=["src/"])
_FENCED_OFF = {"wrote": "x", "claim": "claim_1", "fence": 7, "is_refused": True}


@pytest.mark.parametrize(
    ("lines", "events", "read", "told"),
    [
        ([*_START, *_RECORD], [_STARTED, _RECORDED], [1, 2], []),
        (_START, [], [], ["run_1 was started, and is not"]),
        ([*_START, *_RECORD], [_STARTED], [1], ["outcome_1 was recorded, and is not"]),
        (
            [*_START, *_RECORD],
            [_STARTED, _RECORDED, event(3, "outcome.recorded", "outcome_2")],
            [1, 2, 3],
            ["run_1 has 2 of outcome, and asked for 1"],
        ),
        (_START, [_STARTED], [1, 1], ["a reader missed [], was told [1] twice, and [] that are not there (2 of 1)"]),
        (_START, [_STARTED], [], ["a reader missed [1], was told [] twice, and [] that are not there (0 of 1)"]),
        ([call(1, "start")], [], [], ["ana waited for ever for its start"]),
        (
            [call(1, "start"), {"failed": 1, "at_ms": 101.0, "code": "store_unavailable"}],
            [],
            [],
            ["ana waited 101 ms for its start"],
        ),
        (
            [call(7 * CALLS_MAX + 1, "start"), {"killed": 7, "at_ms": 101.0}],
            [],
            [],
            ["ana waited 101 ms for its start"],
        ),
        ([call(7 * CALLS_MAX + 1, "start"), {"killed": 7, "at_ms": 99.0}], [], [], []),
        (
            [*_CLAIM, {**_FENCED_OFF, "at_ms": 49.0}],
            [_GRANTED],
            [7],
            ["x was refused to claim_1, which held it under 7"],
        ),
        ([*_CLAIM, {**_FENCED_OFF, "at_ms": 51.0}], [_GRANTED], [7], []),
        (
            [],
            [_GRANTED, event(8, "claim.granted", "claim_2", "run_2", patterns=["src/f1.py"])],
            [7, 8],
            ["src/f1.py: claim_2 was granted while claim_1 held it"],
        ),
        ([], [_GRANTED, event(8, "claim.granted", "claim_2", patterns=["src/f1.py"])], [7, 8], []),
        (
            [],
            [
                _GRANTED,
                event(8, "claim.expired", "claim_1"),
                event(9, "claim.granted", "claim_2", "run_2", patterns=["src/f1.py"]),
            ],
            [7, 8, 9],
            [],
        ),
        ([*_CLAIM], [], [], ["claim_1 was granted under 7, and the log says None"]),
    ],
)
def test_what_should_not_be_so_is_told(
    lines: list[dict[str, Any]], events: list[Event], read: list[int], told: list[str]
) -> None:
    assert findings(lines, events, read, within_ms=_WITHIN_MS) == told
