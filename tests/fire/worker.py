"""One client: `python -m tests.fire.worker SPEC`. It claims, releases, edits and records until it is killed.

What it asks is written to its log before it asks, and the answer after it came: whoever is killed in between leaves a
call of which nobody knows whether it was done.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from loomstack_mcp.core.errors import LeaseLost, LoomError, NotFound
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from tests.factories import REPO, SHOP
from tests.fire.fenced import is_written
from tests.fire.mutants import MUTANTS
from tests.fire.stores import is_hub, opened

FOLDER = "src/"
FILES = tuple(f"{FOLDER}f{number}.py" for number in range(6))
SLEEP_S_MAX = 0.01
TTL_MS = 800
PAST_LEASE_S = 1.3 * TTL_MS / 1000
_OVERSLEPT = 0.03
"""So many of those who hold a path do not know how late it is: their machine slept, say."""
_SLOW = 0.5
"""So many take as long who have a long lease: on a busy machine calls take longer than any short work under a claim."""
_AGAIN_S = 0.05
CALLS_MAX = 1_000_000
"""Of one process: the number of a call tells which."""


@dataclass(frozen=True)
class Spec:
    """What a client is told at its start."""

    store: str
    name: str
    seed: int
    ttl_ms: int
    log: str
    stop: str
    """A file that is there once it is over."""
    wall_ahead_s: float = 0.0
    """How wrong its own wall clock is."""
    mutant: str = ""


class Client:
    """A client with a run of its own, which it takes up again each time it is started.

    Through a hub it takes up another instead, after each call whose answer it did not get: what was asked in the old
    one's name may still be done, and only in that.
    """

    def __init__(self, loom: Loom, spec: Spec) -> None:
        self._loom = loom
        self._spec = spec
        self._random = Random(spec.seed)
        self._is_far = is_hub(spec.store)
        self._name = spec.name
        self._run = ""
        self._log = Path(spec.log).open("a", encoding="utf-8")  # noqa: SIM115  # to the end of the process
        self._number = os.getpid() * CALLS_MAX

    def work(self) -> None:
        """To the end of the time, whatever the store says meanwhile."""
        steps = [self._claim] * 6 + [self._edit] * 2 + [self._record, self._share, self._look]
        is_clean = False
        while not os.path.exists(self._spec.stop):  # noqa: PTH110  # twenty times as quick
            try:
                is_clean = is_clean or self._begin_anew()
                self._random.choice(steps)()
            except LoomError as error:
                if error.code != "store_unavailable":
                    raise
                is_clean = False  # what it asked last may have been done
                time.sleep(_AGAIN_S)

    @property
    def _caller(self) -> Caller:
        return self._caller_of(self._name)

    def _caller_of(self, name: str) -> Caller:
        return Caller(principal=self._spec.name, session=f"fire:{name}")

    def _begin_anew(self) -> bool:
        """Its run, which then holds nothing."""
        if self._run:
            self._loom.runs.details(self._run)  # whatever happened, a run that was begun is known
        if self._is_far:
            self._name = f"{self._spec.name}.{os.getpid()}.{self._number}"
        self._asked("start", [], self._started)
        self._release_old()
        return True

    def _started(self) -> dict[str, Any]:
        run = self._loom.runs.start(
            self._caller, SHOP, loop=self._name, goal="burn", key=self._name, budget_tokens=100
        ).run  # fmt: skip
        self._run = run.id
        return {"answer": "started", "run": run.id}

    def _release_old(self) -> None:
        if not self._is_far:
            self._asked("release", FILES, self._swept)
            return
        held, _ = self._loom.claims.held(REPO, limit=1000)
        for claim in held:
            if self._is_old(claim.loop):
                self._asked("release", claim.patterns, self._released((claim.id,), claim.loop), who=claim.loop)

    def _swept(self) -> dict[str, Any]:
        """What lapsed, too: the run would get it back, if nobody takes it, and then hold a path by two claims."""
        return {"answer": "swept", "claims": self._loom.claims.release_paths(self._caller, "").released}

    def _is_old(self, loop: str) -> bool:
        return loop.startswith(f"{self._spec.name}.") and loop != self._name

    def _claim(self) -> None:
        paths = [FOLDER] if self._random.random() < 0.1 else self._random.sample(FILES, self._random.choice((1, 1, 2)))
        answer = self._asked("claim", paths, lambda: self._claimed(paths))
        if claim := answer.get("claim"):
            is_late = self._random.random() < (_OVERSLEPT if self._spec.ttl_ms <= TTL_MS else _SLOW)
            time.sleep(PAST_LEASE_S if is_late else self._random.random() * SLEEP_S_MAX)
            self._write(paths, claim, answer["fence"])
            self._asked("release", paths, self._released((claim,)))

    def _claimed(self, paths: Sequence[str]) -> dict[str, Any]:
        got = self._loom.claims.claim_paths(
            self._caller, "", patterns=paths, intent="burn", mode="exclusive", ttl_ms=self._spec.ttl_ms
        )
        if got.claim:
            return {"answer": "granted", "claim": got.claim.id, "fence": got.claim.fence}
        return {"answer": "refused", "by": [blocker.loop for blocker in got.blockers]}

    def _write(self, paths: Sequence[str], claim: str, fence: int) -> None:
        for path in FILES if FOLDER in paths else paths:
            done = is_written(Path(self._spec.log).parent, path, fence=fence)
            self._note(wrote=path, claim=claim, fence=fence, is_refused=not done)

    def _released(self, claims: Sequence[str], name: str = "") -> Callable[[], dict[str, Any]]:
        def release() -> dict[str, Any]:
            try:
                done = self._loom.claims.release_paths(self._caller_of(name or self._name), "", claims=claims)
            except (LeaseLost, NotFound):
                return {"answer": "lost"}
            return {"answer": "released", "claims": done.released}

        return release

    def _edit(self) -> None:
        path = self._random.choice(FILES)
        # An edit renews the lease of its run only where less than half of that is left.
        ttl_ms = self._spec.ttl_ms // 2
        if self._asked("claim", [path], lambda: self._edited(path), ttl_ms=ttl_ms)["answer"] == "granted":
            time.sleep(self._random.random() * SLEEP_S_MAX)
            self._asked("release", [path], lambda: self._settled(path))

    def _edited(self, path: str) -> dict[str, Any]:
        found = self._loom.edits.hold(self._caller, SHOP, [path])
        if found.blockers:
            return {"answer": "refused", "by": [blocker.loop for blocker in found.blockers]}
        return {"answer": "granted"}

    def _settled(self, path: str) -> dict[str, Any]:
        done = self._loom.edits.settle(self._caller, SHOP, [path])
        return {"answer": "released", "claims": done} if done else {"answer": "lost"}

    def _record(self) -> None:
        def record() -> dict[str, Any]:
            done = self._loom.outcomes.record(
                self._caller, "", status="passed", summary="burnt", role="maker", checks=CheckCounts()
            )
            return {"answer": "recorded", "outcome": done.outcome.id}

        self._asked("record", [], record)

    def _share(self) -> None:
        def share() -> dict[str, Any]:
            done = self._loom.notes.share(self._caller, "", kind="fact", text="it burns")
            return {"answer": "shared", "note": done.note.id}

        self._asked("share", [], share)

    def _look(self) -> None:
        if self._is_far:
            self._release_old()
        else:
            self._loom.claims.held(REPO, limit=10)

    def _asked(
        self, what: str, paths: Sequence[str], call: Callable[[], dict[str, Any]], *, ttl_ms: int = 0, who: str = ""
    ) -> dict[str, Any]:
        self._number += 1
        number, who = self._number, who or self._name
        self._note(call=number, what=what, paths=list(paths), ttl_ms=ttl_ms or self._spec.ttl_ms, who=who)
        try:
            answer = call()
        except LoomError as error:
            self._note(failed=number, code=error.code, said=str(error))
            raise
        self._note(end=number, **answer)
        return answer

    def _note(self, **line: Any) -> None:
        self._log.write(json.dumps({"at_ms": time.monotonic() * 1000, **line}) + "\n")
        self._log.flush()


def main() -> None:
    spec = Spec(**json.loads(sys.argv[1]))
    real = time.time_ns
    time.time_ns = lambda: real() + round(spec.wall_ahead_s * 1e9)
    time.time = lambda: time.time_ns() / 1e9
    MUTANTS[spec.mutant](Random(spec.seed))
    with opened(spec.store) as loom:
        Client(loom, spec).work()


if __name__ == "__main__":
    main()
