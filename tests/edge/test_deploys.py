"""What comes with a deploy: by the history alone, whatever clocks say, and refused where the history is not here."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import ANY

import pytest

from loomstack_mcp.cli.trace_text import trace_lines
from loomstack_mcp.core.deploys import Deploy, DeployDraft, covered_words
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.edge.deploys import deployed_commit, recorded_deploy, take_in_tags
from loomstack_mcp.edge.gate import Gate
from loomstack_mcp.edge.here import unwatched
from loomstack_mcp.loom import Loom, open_loom
from tests.adapters.git.support import commit
from tests.conftest import git
from tests.edge.support import here


@dataclass
class Yard:
    """A repository, and the store that is told what is deployed of it."""

    root: Path
    home: Path
    loom: Loom

    def deploy(self, sha: str, *, env: str = "production", called: str = "", at_ms: int = 0) -> Deploy:
        found = here(self.root, self.home)
        with found.repository() as repo:
            draft = DeployDraft(
                environment=env, sha=deployed_commit(repo, sha), called=called, kind="first", at_ms=at_ms
            )
            kept = recorded_deploy(self.loom, repo, found.checkout(), draft, who="ci").deploy
        assert kept
        return kept

    def tags(self, *patterns: str) -> tuple[str, ...]:
        found = here(self.root, self.home)
        with found.repository() as repo:
            return take_in_tags(self.loom, repo, found.checkout(), patterns, who="ana")

    def listed(self, env: str = "") -> list[tuple[str, str, str, int]]:
        repo_id = self.loom.repos.id_of(here(self.root, self.home).checkout())
        found, _ = self.loom.deploys.latest(repo_id, environment=env, limit=9)
        return [(one.environment, one.called or one.how, one.kind, one.covers) for one in found]


@pytest.fixture
def yard(shop: Path, tmp_path: Path) -> Iterator[Yard]:
    (tmp_path / "home").mkdir()
    with open_loom(tmp_path / "home" / "loom.db") as loom:
        yield Yard(root=shop, home=tmp_path / "home", loom=loom)


def test_a_deploy_covers_what_came_since_the_last_one_that_it_descends_from(yard: Yard) -> None:
    shas = [git(yard.root, "rev-parse", "HEAD"), *(commit(yard.root, {"src/a.py": f"{at}\n"}) for at in range(4))]
    first = yard.deploy(shas[0])
    forward = yard.deploy(shas[3][:10], called="512", at_ms=5)  # by a clock that is half a century behind
    again = yard.deploy(shas[3], called="512")
    back = yard.deploy(shas[1])
    staging = yard.deploy(shas[4], env="staging")
    onward = yard.deploy(shas[4])
    git(yard.root, "checkout", "--quiet", "-b", "hotfix", shas[2])
    aside = yard.deploy(commit(yard.root, {"src/b.py": "hot\n"}))

    assert (first.kind, first.covers, first.previous) == ("first", 1, "")
    assert (forward.kind, forward.covers, forward.previous, forward.deployed_at_ms) == ("forward", 3, first.id, 5)
    assert again == forward
    assert (back.kind, back.covers, back.previous) == ("rollback", 0, forward.id)
    assert (staging.kind, staging.covers) == ("first", 5)
    assert (onward.kind, onward.covers, onward.previous) == ("forward", 3, back.id)  # what was rolled back comes again
    assert (aside.kind, aside.covers, aside.previous) == ("aside", 2, back.id)
    assert yard.deploy("HEAD").kind == "again"
    assert [event.kind for event in yard.loom.events.latest(first.repo_id, limit=99)[0]] == ["deploy.recorded"] * 7
    with pytest.raises(Invalid, match="512 is recorded in production"):
        yard.deploy(shas[4], called="512")


def test_what_is_not_here_is_refused_with_what_to_do(yard: Yard, tmp_path: Path) -> None:
    commit(yard.root, {"src/a.py": "a\n"})
    yard.deploy("HEAD~1")
    with pytest.raises(NotFound, match="git fetch origin"):
        yard.deploy("f" * 40)
    git(tmp_path, "clone", "--quiet", "--depth=1", yard.root.as_uri(), "shallow")
    yard.root = tmp_path / "shallow"

    with pytest.raises(Invalid, match="fetch-depth: 0"):
        yard.deploy("HEAD")


def test_what_somebody_was_killed_in_recording_is_whole_after_the_next_one(yard: Yard) -> None:
    yard.deploy("HEAD")
    sha = commit(yard.root, {"src/a.py": "a\n"})
    found = here(yard.root, yard.home)
    [first], _ = yard.loom.deploys.latest(yard.loom.repos.ids()[0], limit=9)
    draft = DeployDraft(environment="production", sha=sha, kind="forward", previous=first.id, covers=1)
    begun = yard.loom.deploys.record(found.checkout(), draft, who="ci", seen=first.id).deploy
    assert begun
    assert not begun.whole

    again = yard.deploy(sha)

    assert (again.kind, again.previous) == ("again", begun.id)
    trace = yard.loom.traces.kept_trace(first.repo_id, begun.id)
    assert (trace.deploys[0].deploy.whole, "not all" in " ".join(trace.unchecked)) == (True, False)


def test_tags_stand_for_deploys_by_the_setting(yard: Yard) -> None:
    git(yard.root, "tag", "-a", "v1", "-m", "one")
    commit(yard.root, {"src/a.py": "a\n"})
    git(yard.root, "tag", "v2")
    git(yard.root, "tag", "notes")
    gaps = yard.tags("v*=production")
    commit(yard.root, {"src/a.py": "b\n"})
    git(yard.root, "tag", "--force", "v2")
    moved = git(yard.root, "rev-parse", "HEAD")[:12]
    yard.tags("v*=production")

    assert gaps == yard.tags("v*=production") == ()
    assert yard.listed() == [
        ("production", f"v2@{moved}", "forward", 1),
        ("production", "v2", "forward", 1),
        ("production", "v1", "first", 1),
    ]


def test_tags_that_are_too_many_are_told_once(yard: Yard) -> None:
    for number in range(51):
        git(yard.root, "tag", f"v{number:02}")
    [told] = yard.tags("v*=production")

    assert told.startswith("tags older than v")
    assert yard.tags("v*=production") == ()


def test_the_gate_records_what_it_lets_through_and_ci_confirms_it(yard: Yard) -> None:
    commit(yard.root, {"policies/p.yaml": RULE})
    gate = Gate(here(yard.root, yard.home), actor="", git_only=False, progress=unwatched)
    assert yard.listed() == []
    passed, refused = gate.deploy("production"), gate.deploy("vault")

    assert (passed.status, refused.status) == (0, 2)
    assert yard.listed() == [("production", "gate", "first", 2)]
    assert (refused.deploy, passed.deploy and covered_words(passed.deploy)) == (
        None,
        "2 commits, the first one here; let through, not told as gone out",
    )
    assert passed.deploy
    assert gate.deploy("production").deploy == replace(passed.deploy, decision=ANY)
    confirmed = yard.deploy("HEAD", called="7")
    assert yard.listed() == [("production", "7", "first", 2)]
    assert covered_words(confirmed) == "2 commits, the first one here"
    assert yard.loom.why.behind(confirmed.id)[1].fields["actions"] == ["deploy"]


def test_who_approved_a_deploy_is_told_with_it(yard: Yard) -> None:
    commit(yard.root, {"policies/p.yaml": RULE.replace("deny", "require_approval") + "    approve: {by: [dana]}\n"})
    gate = Gate(here(yard.root, yard.home), actor="", git_only=False, progress=unwatched)
    assert yard.listed() == []
    asked = gate.deploy("vault")
    yard.loom.approvals.answer(asked.approval, Approver(name="dana"), "granted", why="tonight")
    passed = gate.deploy("vault")

    assert (asked.status, passed.status) == (3, 0)
    [deploy] = yard.loom.deploys.latest(yard.loom.repos.ids()[0], limit=9)[0]
    trace = trace_shown(yard.loom.traces.kept_trace(deploy.repo_id, deploy.id))
    assert trace["deploys"][0]["decision"]["approved_by"] == ["dana"]  # type: ignore[index]
    assert "  approved  by dana" in list(trace_lines(trace))


RULE = """\
version: 1
policy: p
rules:
  - id: closed
    why: nobody deploys there
    effect: deny
    on: [deploy]
    where: {environment: [vault]}
"""
