"""DESIGN's story on two hosts: two developers, two clocks, two replicas over one PostgreSQL behind a load balancer."""

from collections.abc import Iterator

import pytest

from tests.conftest import git
from tests.databases import PostgresServer, fresh_database, postgres_server
from tests.deadlines import wait_until
from tests.lab.balancer import why_no_nginx
from tests.lab.hosts import network, why_no_hosts
from tests.lab.team import Developer, Team, team

__all__ = ["postgres_server"]
_WHY_NOT = why_no_hosts() or why_no_nginx()
pytestmark = [
    pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT),
    pytest.mark.sqlite("its hub has a PostgreSQL of its own"),
]


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[tuple[Team, Developer, Developer]]:
    folder = tmp_path_factory.mktemp("team")
    first, origin = folder / "first", folder / "shop.git"
    (first / "tests").mkdir(parents=True)
    (first / "tests/test_tax.py").write_text("assert total(100) == 120\n")
    (first / "tax.py").write_text("def total(price):\n    return price + 20\n")
    git(first, "init", "--quiet", "--initial-branch=main")
    git(first, "add", "--all")
    git(first, "commit", "--quiet", "-m", "A shop")
    git(first, "clone", "--quiet", "--bare", str(first), str(origin))
    with network("+2h", "-2h") as net, team(folder, fresh_database(postgres_server), net.address) as hub:
        ana, bea = (hub.joined(name, host, origin) for name, host in zip(("ana", "bea"), net.hosts, strict=True))
        yield hub, ana, bea


def test_two_hosts_meet_in_one_memory(played: tuple[Team, Developer, Developer]) -> None:
    hub, ana, bea = played
    file = "tests/test_tax.py"
    with bea.session("bea-1") as loop:
        loop.initialize()
        loop.call("start_run", {"loop": "refactor", "goal": "all prices are net"})
        claimed = loop.call("claim_paths", {"paths": [file], "intent": "100 stays 100"})["structuredContent"]
        assert claimed["granted"]

        # Ana's edit, on another host by another clock, is refused with Bea's intent and something to do instead.
        refused = ana.edits(file, session="ana-1")
        assert "100 stays 100" in refused
        assert "bea" in refused
        assert ana.edits("tax.py", session="ana-1") == ""
        # And Bea's of the file that Ana's hook holds for her now.
        assert "ana" in bea.edits("tax.py", session="bea-1")

        # A replica dies: the session goes on with the other.
        hub.replicas[0].process.kill()
        (bea.clone / file).write_text("assert total(100) == 100, 'net'\n")
        bea.git("commit", "--quiet", "--all", "-m", "Expect net prices")
        bea.git("push", "--quiet", "origin", "HEAD:main")
        sha = bea.git("rev-parse", "HEAD")
        done = {"status": "done", "summary": "prices are net", "commits": [sha], "checks": {"passed": 1}}
        assert loop.call("record_outcome", done)["structuredContent"]["released"] == [claimed["claim"]]

    # At night the old test comes back. Git has nothing against it; the landing check has.
    ana.git("pull", "--quiet", "origin", "main")
    ana.git("switch", "--quiet", "-c", "night")
    (ana.clone / file).write_text("assert total(100) == 120\n")
    ana.git("commit", "--quiet", "--no-verify", "--all", "-m", "Tidy the tests")
    with ana.session("ana-2") as night:
        night.initialize()
        briefing = night.call("start_run", {"loop": "cleanup", "goal": "tidy tests", "paths": ["tests/"]})
        assert "refactor" in str(briefing)
        found = night.call("check_conflicts", {})["structuredContent"]
    assert found["verdict"] == "stop"
    assert "100 stays 100" in str(found["conflicts"])


def test_a_host_that_is_cut_off_is_told_so_and_goes_on_when_it_is_back(
    played: tuple[Team, Developer, Developer],
) -> None:
    _, _, bea = played
    with bea.session("bea-2") as loop:
        loop.initialize()
        started = loop.call("start_run", {"loop": "later", "goal": "on"})["structuredContent"]
        bea.host.cut()
        away = loop.call("claim_paths", {"paths": ["later.py"], "intent": "x"})
        assert away["isError"]
        assert "store_unavailable" in str(away)
        assert "hub" in str(away)
        bea.host.mend()
        # A cable that is back carries something when its kernel has looked at it, and a busy machine takes its time.
        again = wait_until(
            lambda: loop.call("claim_paths", {"paths": ["later.py"], "intent": "x"}).get("structuredContent")
        )
        assert again
        assert again["granted"]
        held = bea.run("claims", "--json").stdout
        assert started["run"] in held
    assert not list(bea.home.rglob("loom.db"))
