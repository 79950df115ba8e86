"""Deploys as the store keeps them: in their order, once by their name, whole or said not to be."""

import pytest

from loomstack_mcp.core.deploys import Deploy, DeployDraft, covered_words
from loomstack_mcp.core.errors import Invalid, LimitExceeded, NotFound
from loomstack_mcp.core.traces import TraceRef
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.erasing import erased_person
from tests.factories import REPO, SHOP
from tests.services.support import CHEN, started

SHAS = tuple(f"{at:040x}" for at in range(1, 4))


def recorded(loom: Loom, sha: str, *, seen: str = "", who: str = "ci", **given: object) -> Deploy | None:
    fixed = {"environment": "production", "sha": sha, "kind": "first"}
    return loom.deploys.record(SHOP, DeployDraft(**{**fixed, **given}), who=who, seen=seen).deploy  # type: ignore[arg-type]


def test_who_did_not_see_the_last_deploy_decides_anew(loom: Loom) -> None:
    first = recorded(loom, SHAS[0])
    assert first

    assert recorded(loom, SHAS[1]) is None
    second = recorded(loom, SHAS[1], seen=first.id, kind="forward", previous=first.id)
    assert second
    assert [one.id for one in loom.deploys.latest(REPO, limit=9)[0]] == [second.id, first.id]


def test_a_deploy_that_was_begun_is_said_to_be_so_and_goes_on(loom: Loom) -> None:
    begun = recorded(loom, SHAS[2], called="7", covers=3)
    assert begun
    loom.deploys.keep_commits(begun.id, SHAS[:2], place=0, is_last=False)

    assert "not all of them" in covered_words(begun)
    assert loom.traces.kept_trace(REPO, begun.id).unchecked[0].startswith("not all of its commits")
    assert recorded(loom, SHAS[2], called="7") == begun  # by the same name it is the same
    for place, some, is_last in ((0, SHAS[:2], False), (2, SHAS[2:], True), (3, ("f" * 40,), False)):
        loom.deploys.keep_commits(begun.id, some, place=place, is_last=is_last)
    assert loom.traces.trace_wanted(REPO, TraceRef(kind="deploy", text="7"), asked="7").shas == SHAS
    with pytest.raises(Invalid, match="give this one an --id of its own"):
        recorded(loom, SHAS[0], called="7", seen=begun.id)


def test_what_cannot_be_kept_is_refused(loom: Loom) -> None:
    deploy = recorded(loom, SHAS[0], covers=1)
    assert deploy
    with pytest.raises(LimitExceeded):
        loom.deploys.keep_commits(deploy.id, [SHAS[0]] * 1_001, place=0, is_last=True)
    with pytest.raises(NotFound, match="deploy list"):
        loom.deploys.keep_commits("dep_00000000", [], place=0, is_last=True)
    for given in (
        {"environment": " "},
        {"environment": "a "},
        {"environment": "a\nb"},
        {"environment": "x" * 101},
        {"called": "x" * 201},
        {"who": ""},
    ):
        with pytest.raises((Invalid, LimitExceeded)):
            recorded(loom, SHAS[1], seen=deploy.id, **given)


@pytest.mark.sqlite("the statements are the same")
def test_who_deployed_is_forgotten_with_the_person(loom: Loom) -> None:
    run = started(loom, CHEN)
    recorded(loom, SHAS[0], who="chen", called="chen's")
    loom.levers.stop_run(run.id, who="ana", why="over")
    [erased] = erased_person(loom.store, ["chen"], who="ana", is_tried=False)

    [deploy] = loom.deploys.latest(REPO, limit=9)[0]
    assert (deploy.who, deploy.called) == (erased.pseudonym, "")
