"""Calls about everything that a world has: made from the annotations of a method, whatever it is about."""

import collections.abc
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, Union

from loomstack_mcp.core.deploys import DeployDraft
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import Loom
from tests.factories import ANA, BEA
from tests.services.support import claimed, recorded, started

ZOO = Checkout(identity="github.com/zoo/cage", clone="clone:zoo")
NOWHERE = "github.com/zoo/none"
ADMIN = Principal(name="dee", role="admin")


class World:
    """Ana's run in the shop, and Bea's in a repo that is foreign to Ana; and ids that were never drawn."""

    def __init__(self, loom: Loom) -> None:
        self.mine = started(loom, ANA)
        self.foreign = self._filled(loom, BEA, ZOO)
        self.unknown = {noun: f"{noun}_ZZZZZZZ{number}" for number, noun in enumerate(self.foreign)}

    def _filled(self, loom: Loom, caller: Caller, checkout: Checkout) -> dict[str, str]:
        run = started(loom, caller, checkout, goal="secret goal", patterns=["secret/**"])
        claim = claimed(loom, caller, "secret/file.py", intent="secret intent").claim
        assert claim
        note = loom.notes.share(caller, run.id, kind="decision", text="secret zebra", patterns=["secret/**"]).note
        out = recorded(loom, caller, run.id, summary="secret summary").outcome
        draft = DeployDraft(environment="secret place", sha="5" * 40, kind="first")
        deploy = loom.deploys.record(checkout, draft, who="secret person").deploy
        assert deploy
        return {"run": run.id, "claim": claim.id, "note": note.id, "out": out.id, "dep": deploy.id}


def given(kind: Any, name: str, ids: Mapping[str, str], repo: str, caller: Caller) -> Any:
    """An argument of a kind; whatever it names is of these ids, or that repo."""
    special = {Caller: caller, Checkout: Checkout(identity=repo, clone="clone:x"), Principal: ADMIN}
    if kind in special:
        return special[kind]
    if kind is str:
        return _text(name, ids, repo)
    plain: Any = {int: 1, bool: True, float: 1.0, bytes: b"", type(None): None, Any: None, object: None}
    if kind in plain:
        return plain[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        return given(inner[0], name, ids, repo, caller)
    if origin is tuple and Ellipsis not in inner:
        return tuple(given(one, name, ids, repo, caller) for one in inner)
    if origin in (tuple, list, collections.abc.Sequence):
        return (given(inner[0], name, ids, repo, caller),)
    if origin in (dict, collections.abc.Mapping):
        return {given(inner[0], name, ids, repo, caller): given(inner[1], name, ids, repo, caller)}
    hints = typing.get_type_hints(kind)
    needed = [one for one in fields(kind) if (one.default, one.default_factory) == (MISSING, MISSING)]
    also = [one for one in fields(kind) if one.name in ("recognised", "hints", "run", "claim", "deploy_ids")]
    return kind(**{one.name: given(hints[one.name], one.name, ids, repo, caller) for one in (*needed, *also)})


def _text(name: str, ids: Mapping[str, str], repo: str) -> str:
    nouns = {"claim": "claim", "claims": "claim", "claim_id": "claim", "typed": "note", "supersedes": "note"}
    nouns |= {"deploy_id": "dep", "deploy_ids": "dep", "ref": "dep"}
    if name in ("repo", "repo_id"):
        return repo
    if name in nouns:
        return ids[nouns[name]]
    runs = ("run", "run_id", "run_ids", "checks_run", "recognised", "hints", "made", "id", "about_run", "named")
    return ids["run"] if name in runs else "src/a.py" if name in ("patterns", "paths", "pattern") else "x"
