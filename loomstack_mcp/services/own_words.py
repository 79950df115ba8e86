"""Whose word a call is: the token says it, whatever its sender wrote into the arguments."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loomstack_mcp.core.errors import Unauthorized
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.known import ANSWERED_BY, USUAL_ROLES
from loomstack_mcp.core.runs import FAR_PROCESS, FAR_PROCESS_DIGITS, PROCESS_SESSION, Caller, Run
from loomstack_mcp.core.tokens import Principal, is_confined, token_hash

_FAR = re.compile(f"{FAR_PROCESS}[0-9a-f]{{{FAR_PROCESS_DIGITS}}}")
_WHO = "who"
_RUN, _RELIED = "run_id", "relied"


def in_own_words(principal: Principal, arguments: Mapping[str, Any], run: Run | None) -> dict[str, Any]:
    """The arguments with the token's owner wherever one tells who acts; `run` is the run whose own token it is."""
    return {name: _own(principal, name, value, run) for name, value in arguments.items()}


def as_its_run(run_id: str, arguments: Mapping[str, Any], *, name: str) -> dict[str, Any]:
    """What a run's own token asks for, as a call of that run. Raises Unauthorized for anything else."""
    relied = arguments.get(_RELIED)
    if _RUN not in arguments and relied is None:
        raise Unauthorized(f"this token is {run_id}'s own, and {name} is not for one run to do")
    named = relied.run if relied is not None else arguments[_RUN] or run_id
    if named != run_id:
        raise Unauthorized(f"run {named} belongs to another session; call start_run and use your own")
    return {**arguments, _RUN: run_id} if _RUN in arguments else dict(arguments)


def _own(principal: Principal, name: str, value: Any, run: Run | None) -> Any:
    if isinstance(value, Caller):
        session = value.session or _session_of(principal)
        # A process of another machine is none of ours, whatever it is called.
        process = value.process if _FAR.fullmatch(value.process) else ""
        who = replace(value, principal=principal.name, session=session, process=process)
        return replace(who, session=run.session, agent=run.agent, certain=True) if run else who
    if isinstance(value, Principal):
        return principal
    if isinstance(value, Approver):
        return _approver(principal, value)
    return principal.name if name == _WHO else value


def _session_of(principal: Principal) -> str:
    """The session of a client that names none: what is done with tokens of other repos is of another."""
    if not is_confined(principal):
        return ""
    return f"{PROCESS_SESSION}{token_hash(' '.join(principal.repos))[:12]}"


def _approver(principal: Principal, told: Approver) -> Approver:
    """The token's owner, with what the trunk's people.yaml says of that one, as far as its sender has read it there.

    Whoever decides reads it again.
    """
    mark = f"{ANSWERED_BY}{principal.token}"
    if principal.name not in told.all_names:
        return Approver(name=principal.name, names=(mark,), roles=USUAL_ROLES)
    return Approver(name=principal.name, names=(*sorted(told.all_names), mark), roles=told.roles)
