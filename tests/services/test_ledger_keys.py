"""A new key: nothing that was hashed with the old one is compared any more, and nothing else is lost."""

from loomstack_mcp.loom import Loom
from loomstack_mcp.services.ledger_keys import rotated_key
from loomstack_mcp.store.base import Statement
from tests.factories import ANA, REPO, SHOP
from tests.services.support import recorded, started

SHA = "5" * 40
LANDED = Statement(
    "test.landed",
    "INSERT INTO landed (repo_id, sha, at_ms, made_at_ms, author, account, title, run_id, said)"
    " VALUES (:repo_id, :sha, 1, 1, '', '', '', '', 0)",
)


def test_the_ledgers_are_empty_and_filled_up_to_nowhere(loom: Loom) -> None:
    started(loom, ANA)
    recorded(loom, ANA, commits=[SHA])
    before = loom.ledger.key(SHOP)
    with loom.store.write(REPO) as tx:
        tx.run(LANDED, repo_id=REPO, sha=SHA)
        tx.run(Statement("test.filled", "UPDATE repo SET filled = 'x'"))
        tx.run(Statement("test.imprinted", "UPDATE binding SET imprinted = 1"))
    ids = rotated_key(loom.store, who="root")

    assert (ids, loom.ledger.key(SHOP) != before, loom.repos.filled(SHOP)) == ([REPO], True, "")
    with loom.store.read() as tx:
        assert tx.all(Statement("test.none", "SELECT sha FROM landed")) == []
        assert [row["imprinted"] for row in tx.all(Statement("test.bound", "SELECT imprinted FROM binding"))] == [0]
    last = loom.events.latest(REPO, limit=1)[0][0]
    assert (last.kind, last.payload) == ("ledger.emptied", {"who": "root"})
    assert len(loom.outcomes.of_runs([loom.runs.latest(REPO, limit=1)[0][0].id])) == 1
