"""Of answers over several repos, what belongs to those that a token opens."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from loomstack_mcp.core.edits import CloserLook, HoldResult
from loomstack_mcp.core.events import DueAlert
from loomstack_mcp.services.opened import OpenedRepos
from loomstack_mcp.services.watches import Watched


def sifted(opened: OpenedRepos, name: str, answer: Any) -> Any:
    """The answer of `service.method` without what is foreign. All others are about the repo that was asked about."""
    return _SIFTED[name](opened, answer) if name in _SIFTED else answer


def _ids(opened: OpenedRepos, answer: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in answer if opened.opens(one))


def _listed(opened: OpenedRepos, answer: Any) -> Any:
    return tuple(one for one in answer if opened.opens(one.repo_id))


def _steps(opened: OpenedRepos, answer: Any) -> Any:
    return tuple(one for one in answer if opened.opens(opened.repo_of(one.id)))


def _alerts(opened: OpenedRepos, answer: tuple[DueAlert, ...]) -> tuple[DueAlert, ...]:
    return tuple(one for one in answer if opened.opens(opened.repo_of(one.run_id)))


def _watched(opened: OpenedRepos, answer: Watched) -> Watched:
    waits_in = tuple(one for one in answer.waits_in if opened.opens(one[0]))
    return replace(answer, alerts=_alerts(opened, answer.alerts), waits_in=waits_in)


def _look(opened: OpenedRepos, answer: CloserLook) -> CloserLook:
    return replace(answer, ends=_alerts(opened, answer.ends))


def _hold(opened: OpenedRepos, answer: HoldResult) -> HoldResult:
    return replace(answer, due=_alerts(opened, answer.due))


_SIFTED: Mapping[str, Callable[[OpenedRepos, Any], Any]] = {
    "repos.ids": _ids,
    "repos.listed": _listed,
    "why.behind": _steps,
    "alerts.due": _alerts,
    "glances.closer_look": _look,
    "edits.hold": _hold,
    "watches.watched": _watched,
}
