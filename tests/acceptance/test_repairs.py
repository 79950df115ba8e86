"""Who puts back what somebody silently took is told that it repairs, and belongs to that case."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run, git

pytestmark = pytest.mark.sqlite("about git, whatever the store is")

OLD = "".join(f"def price_{number}(item):\n    return item.price * {number}00\n" for number in range(1, 7))
NEW = OLD.replace("00", "95")


def land(folder: Path, text: str, author: str) -> str:
    (folder / "prices.py").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", f"{author} <{author}@shop>", "-m", f"Prices of {author}")
    return git(folder, "rev-parse", "HEAD")


def test_who_repairs_is_told_whose_loss(shop: Path, loomstack: Run) -> None:
    land(shop, OLD, "root")
    bea, ana = land(shop, NEW, "bea"), land(shop, OLD, "ana")
    git(shop, "checkout", "--quiet", "-b", "side")
    git(shop, "config", "user.name", "bea")
    git(shop, "config", "user.email", "bea@shop")
    (shop / "prices.py").write_text(NEW)
    found = json.loads(loomstack("conflicts", "--json", cwd=shop).stdout)

    assert (found["verdict"], found["conflicts"]) == ("clear", [])
    assert found["repairs"] == [f"puts back what {ana[:10]} of ana took of {bea[:10]}: “Prices of ana”"]
    assert f"OK    puts back what {ana[:10]} of ana took" in loomstack("conflicts", cwd=shop).stdout


def test_a_repair_by_somebody_else_is_told_and_may_be_an_old_copy_as_well(shop: Path, loomstack: Run) -> None:
    land(shop, OLD, "root")
    land(shop, NEW, "bea")
    ana = land(shop, OLD, "ana")
    git(shop, "checkout", "--quiet", "-b", "side")
    git(shop, "config", "user.name", "cleo")
    git(shop, "config", "user.email", "cleo@shop")
    (shop / "prices.py").write_text(NEW)
    found = json.loads(loomstack("conflicts", "--json", cwd=shop).stdout)

    assert (found["verdict"], [one["who"] for one in found["conflicts"]]) == ("warn", ["ana"])
    assert found["repairs"][0].startswith(f"puts back what {ana[:10]} of ana took")


def test_a_repair_is_part_of_its_case(shop: Path, loomstack: Run) -> None:
    land(shop, OLD, "root")
    _, ana, back = land(shop, NEW, "bea"), land(shop, OLD, "ana"), land(shop, NEW, "bea")
    told = loomstack("audit", cwd=shop).stdout

    assert told.count("STOP") == 1
    assert ana[:10] in told
    assert f"put back by bea after under a minute ({back[:7]})" in told
    assert "1 put back what had been lost" in told


def test_what_is_put_back_and_goes_again_is_a_ping_pong(shop: Path, loomstack: Run) -> None:
    land(shop, OLD, "root")
    for author, text in (("bea", NEW), ("ana", OLD), ("bea", NEW), ("ana", OLD)):
        land(shop, text, author)
    [*_, last] = json.loads(loomstack("audit", "--json", cwd=shop).stdout)["reversals"]

    assert (last["verdict"], last["kind"]) == ("stop", "ping_pong")
