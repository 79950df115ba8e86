"""What a session has loaded at `initialize`, at its first claim, at its first check: the rest of the house waits."""

import pytest

from tests.house.entries import serve, serve_calls
from tests.house.scene import SMALL, Scene, scene

START = ("start_run", {"loop": "loop", "goal": "goal"})
CLAIM = ("claim_paths", {"paths": ["free.py"], "intent": "mine"})
CHECK = ("check_policy", {"action": "edit", "paths": ["free.py"]})
_SLOW = {
    "anyio",
    "click",
    "git",
    "mcp",
    "opentelemetry",
    "mcp_types",
    "pydantic",
    "sqlite_utils",
    "starlette",
    "typing_extensions",
    "uvicorn",
}
_OF_CHECKS = {"re2", "tree_sitter", "yaml"}
_AT_START = {"dataclasses", "hashlib", "inspect", "logging", "pathlib", "sqlite3", "subprocess", "urllib"}
_INITIALIZE = """
core core.errors core.limits
server server.ending server.errors
server.front server.front.calls server.front.definitions server.front.failures server.front.main server.front.messages
server.front.session server.front.shapes server.front.wire
start
"""
_CLAIM = """
adapters adapters.beside_store adapters.git adapters.git.clone_settings adapters.git.cochange adapters.git.discovery
adapters.git.identity adapters.git.layout adapters.git.objects adapters.git.repository adapters.git.run
adapters.git.trunk adapters.git.worktree adapters.hub_tokens adapters.pauses
adapters.policy adapters.policy.cache adapters.policy.files
adapters.policy.folders adapters.settings adapters.settings_values adapters.system adapters.user core.briefing
core.briefing.fitting
core.briefing.items core.changes core.changes.conflict_records core.changes.hunks core.changes.meaning
core.changes.mentions core.changes.trailers
core.changes.packing core.claim_edits core.claims core.cochange core.edits core.errors core.events core.ids
core.notes core.notices core.outcomes core.patterns core.patterns.braces core.patterns.expressions
core.patterns.gitignore core.patterns.gitignore_routes core.patterns.globs core.patterns.keys core.patterns.segments
core.patterns.sharing core.patterns.spellings core.patterns.typed core.patterns.wildcards core.pauses core.people
core.phrases core.policy
core.policy.rules core.records core.repos core.runs core.secrets core.sessions core.stranded core.texts edge
edge.here edge.rules loom server.answers server.call server.callers server.errors server.face server.front.arguments
server.front.listening server.front.worker server.standpoints server.tools server.tools.briefings
server.tools.claims server.tools.runs server.waits services services.acting services.blockers services.claims
services.conflict_states services.context services.events services.expiry services.gone services.grants
services.judgings services.landed services.nearby services.news services.note_index services.notices services.offered
services.path_index services.sessions services.path_warnings services.recorded services.repos services.requests
services.runs services.sightings services.starts services.stranded services.waiters store store.base store.bells
store.plain store.queries store.rows store.sqlite store.sqlite.backend store.sqlite.boot store.sqlite.clock
store.sqlite.failures store.sqlite.file store.sqlite.gate store.sqlite.migrate store.sqlite.schema
store.sqlite.transaction
"""
_CHECK = """
adapters.git.aside adapters.git.blobs adapters.git.delta adapters.git.plain adapters.git.snapshots
adapters.policy.early adapters.policy.facts adapters.policy.situations adapters.policy.touched_paths
core.changes.batches core.changes.generated core.changes.imprints core.changes.landings core.changes.lines
core.changes.nets core.changes.works core.policy.applies core.policy.approvals core.policy.boundaries
core.policy.builtin_checks core.policy.checks core.policy.content core.policy.decide core.policy.decision_views
core.policy.delta core.policy.digests core.policy.facts core.policy.known core.policy.loading core.policy.looks
core.policy.path_checks core.policy.situation core.policy.violations core.policy.windows core.shell
core.shell.apply_patch core.shell.copies core.shell.effects core.shell.git_words core.shell.git_writes
core.shell.guarded core.shell.matching core.shell.options core.shell.shell_texts core.shell.targets core.shell.words
core.shell.wrappers core.shell.writes edge.asked edge.deciding edge.loading server.tools.policy services.approvals
services.evidence services.imprints services.landed_index services.ledger services.line_keys services.policy
services.slices services.attributed services.hints core.changes.attributions core.forges core.deploys core.wire
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("small"), SMALL)


def named(modules: str) -> set[str]:
    return {"loomstack_mcp", *(f"loomstack_mcp.{name}" for name in modules.split())}


def test_a_session_has_loaded_these_modules(small: Scene) -> None:
    at_start, at_claim, at_check = (
        serve(small),
        serve_calls(small, START, CLAIM),
        serve_calls(small, START, CLAIM, CHECK),
    )

    assert at_start.ours == named(_INITIALIZE)
    assert at_claim.ours - at_start.ours == named(_CLAIM) - at_start.ours
    assert at_check.ours - at_claim.ours == named(_CHECK) - at_claim.ours
    assert at_start.modules & (_AT_START | _SLOW | _OF_CHECKS) == set()
    assert at_claim.modules & (_SLOW | _OF_CHECKS) == set()
    assert at_check.modules & _SLOW == set()
