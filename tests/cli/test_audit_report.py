"""The report of a lead: totals, stops with what they took and a command that shows it, the rest in a line each."""

import json
import os
import subprocess
from pathlib import Path

import click
import pytest

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.cli.audit_cases import Case
from loomstack_mcp.cli.audit_report import report
from loomstack_mcp.core.changes.repairs import Repair
from loomstack_mcp.core.limits import DAY_MS
from tests.cli.cases import case, repair
from tests.conftest import Run, git

OLD = "".join(f"def price_{number}(item):\n    return item.price * {number}00\n" for number in range(1, 7))
NEW = OLD.replace("00", "95")
LOST = "return item.price * 195"


def land(folder: Path, name: bytes, text: str, author: str) -> str:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", f"{author} <{author}@shop>", "-m", f"Prices of {author}")
    return git(folder, "rev-parse", "HEAD")


def undo(folder: Path, name: bytes = b"prices.py") -> str:
    """Bea lands new prices, and Ana writes the old ones over them."""
    for author, text in (("root", OLD), ("bea", NEW)):
        land(folder, name, text, author)
    return land(folder, name, OLD, "ana")


def clean_up(folder: Path) -> str:
    """Cleo lands one line, which Dan takes back: a warning."""
    for author, text in (("root", "total = net + tax\n"), ("cleo", "total = net + tax * rate(2)\n")):
        land(folder, b"total.py", text, author)
    return land(folder, b"total.py", "total = net + tax\n", "dan")


def lines_of(loomstack: Run, folder: Path, *options: str) -> list[str]:
    return loomstack("audit", *options, cwd=folder).stdout.splitlines()


def test_it_begins_with_the_totals_and_the_stops(shop: Path, loomstack: Run) -> None:
    warned, stopped = clean_up(shop), undo(shop)
    told = lines_of(loomstack, shop)

    assert told[0].startswith("7 commits from ")
    assert told[1:3] == [
        "1 silently took back what others had landed (stop), 1 may have (warn);",
        "0 were agreed: an author's own, or of one branch.",
    ]
    first = next(at for at, line in enumerate(told) if line.startswith("STOP"))
    assert told[first].startswith(f"STOP  {stopped[:10]}  ")
    assert told[first].endswith("  ana: Prices of ana")
    assert "of bea, after " in told[first + 1]
    assert told[first + 2].startswith("      - return item.price * ")
    assert told[first + 3] == "      in prices.py"
    assert f"      git show {stopped[:12]} -- prices.py" in told[first + 4 : first + 7]
    assert [line[:16] for line in told if line.startswith("WARN")] == [f"WARN  {warned[:10]}"]


@pytest.mark.parametrize(
    "name",
    [b"prices.py", b"app/[id]/prices.py", b"two words.py", b"it's.py", b"$(touch owned).py", b"*.py", b":prices.py",
     b":(top)p.py", b"-p", b"caf\xe9.py", b"new\nline.py", b"\x1b[31mred.py", b"caf\xc3\xa9.py", b"back\\slash.py"],
)  # fmt: skip
@pytest.mark.parametrize("folder", ["", "src"])
def test_the_command_can_be_pasted_and_shows_the_line(shop: Path, loomstack: Run, name: bytes, folder: str) -> None:
    undo(shop, name)
    told = lines_of(loomstack, shop / folder)
    [command] = [line for line in told if line.startswith("      git show ")]
    [quoted] = [line.strip() for line in told if line.startswith("      - ")]
    shown = subprocess.run(["bash", "-c", command], cwd=shop / folder, capture_output=True, check=True).stdout.decode(
        "utf-8", "surrogateescape"
    )

    assert command.isprintable()
    assert quoted.removeprefix("- ") in [line[1:].strip() for line in shown.splitlines() if line.startswith("-")]
    assert shown.count("diff --git ") == 1
    assert not (shop / folder / "owned").exists()


def test_a_merge_is_shown_by_what_it_did_itself(shop: Path, loomstack: Run) -> None:
    land(shop, b"prices.py", OLD, "root")
    git(shop, "checkout", "--quiet", "-b", "side")
    land(shop, b"other.py", "x\n", "ana")
    git(shop, "checkout", "--quiet", "main")
    land(shop, b"prices.py", NEW, "bea")
    git(shop, "merge", "--quiet", "--no-commit", "--no-ff", "side")
    merged = land(shop, b"prices.py", OLD, "ana")
    [command] = [line for line in lines_of(loomstack, shop) if line.startswith("      git show ")]
    shown = subprocess.run(["bash", "-c", command], cwd=shop, capture_output=True, text=True, check=True).stdout

    assert merged[:12] in command
    assert f"-    {LOST}" in shown.splitlines()


def test_stops_alone_are_shown_and_all_are_counted(shop: Path, loomstack: Run, tmp_path: Path) -> None:
    warned, stopped = clean_up(shop), undo(shop)
    told = lines_of(loomstack, shop, "--stops-only", "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    found = json.loads(loomstack("audit", "--stops-only", "--json", cwd=shop).stdout)

    assert "1 silently took back what others had landed (stop), 1 may have (warn);" in told
    assert not [line for line in told if warned[:10] in line or line == "Who undid whom"]
    assert (page.count('<details class="case"'), warned[:12] in page, stopped[:12] in page) == (1, False, True)
    assert [one["commit"] for one in found["reversals"]] == [stopped]
    assert (found["totals"]["stop"], found["totals"]["warn"]) == (1, 1)


def test_where_the_remote_is_a_forge_its_page_is_named(shop: Path, loomstack: Run, tmp_path: Path) -> None:
    stopped = undo(shop)
    git(shop, "remote", "add", "origin", "https://ana:secret@github.com/Mill/Shop.git")
    url = f"https://github.com/mill/shop/commit/{stopped}"
    told = lines_of(loomstack, shop, "--html", str(tmp_path / "page.html"))
    [found] = json.loads(loomstack("audit", "--json", cwd=shop).stdout)["reversals"]
    page = (tmp_path / "page.html").read_text()

    assert f"      {url}" in told
    assert found["page"] == url
    assert f'<a href="{url}" rel="noreferrer">' in page
    assert "secret" not in page


def test_a_clone_of_a_clone_is_named_by_the_forge_behind(shop: Path, loomstack: Run, tmp_path: Path) -> None:
    undo(shop)
    git(shop, "remote", "add", "origin", "git@gitlab.com:mill/shop.git")
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    [found] = json.loads(loomstack("audit", "--json", cwd=tmp_path / "clone").stdout)["reversals"]

    assert found["page"].startswith("https://gitlab.com/mill/shop/-/commit/")


def test_of_the_lines_that_went_the_one_that_tells_most_is_quoted(shop: Path, loomstack: Run) -> None:
    more = "import decimal_prices_of_all_kinds\n# a comment, however long it may be, tells a reader less\n"
    land(shop, b"prices.py", OLD, "root")
    land(shop, b"prices.py", f"{more}def net_price(item, rate):\n    return apply_rate(item, rate)\n{OLD}", "bea")
    land(shop, b"prices.py", OLD, "ana")
    [found] = json.loads(loomstack("audit", "--json", cwd=shop).stdout)["reversals"]

    assert found["line"] == {"text": "return apply_rate(item, rate)", "path": "prices.py", "returned": False}


def test_where_nothing_went_what_came_back_is_quoted(shop: Path, loomstack: Run) -> None:
    land(shop, b"prices.py", f"{OLD}def old_price(item):\n    return legacy_discount(item)\n", "root")
    land(shop, b"prices.py", OLD, "bea")
    land(shop, b"prices.py", f"{OLD}def old_price(item):\n    return legacy_discount(item)\n", "ana")
    [found] = json.loads(loomstack("audit", "--json", cwd=shop).stdout)["reversals"]

    assert found["line"] == {"text": "return legacy_discount(item)", "path": "prices.py", "returned": True}


def told_by(*cases: Case, width: int = 0, stops_only: bool = False) -> list[str]:
    found = Audit(
        commits=9,
        first_ms=0,
        last_ms=DAY_MS,
        seconds=1.0,
        reversals=tuple(one.one for one in cases),
        intents={},
        unchecked=(),
    )
    told = [one for one in cases if one.one.verdict != "clear"]
    return [click.unstyle(line) for line in report(found, told, stops_only=stops_only, width=width)]


@pytest.mark.parametrize(
    ("lost", "missing", "repairs", "words"),
    [
        (12, 12, (), "all 12 lines still missing"),
        (1, 1, (), "1 line still missing"),
        (1_200, 300, (), "300 of 1,200 lines still missing (25%)"),
        (12, 0, (repair(4 * DAY_MS, 1.0),), "all 12 lines are back; put back by Cleo after 4 days (abc1234)"),
        (
            12, 3, (repair(DAY_MS, 0.5), repair(60_000, 0.25, "Dan")),
            "3 of 12 lines still missing (25%); 50% put back by Cleo after 1 day (abc1234); "
            "25% put back by Dan after 1 minute (abc1234)",
        ),
    ],
)  # fmt: skip
def test_what_has_become_of_a_case_is_said(lost: int, missing: int, repairs: tuple[Repair, ...], words: str) -> None:
    told = told_by(case("a", lost=lost, missing=missing, repairs=repairs))

    assert f"      {words}" in told


def test_the_totals_say_how_much_is_still_missing() -> None:
    cases = [
        case("a", lost=10, missing=4),
        case("b", lost=5, missing=0, repairs=(repair(1, 1.0),)),
        case("c", lost=7, missing=7, verdict="warn"),
    ]

    assert "Of 15 lines that the stops took, 4 are still missing; 1 stop put back since." in told_by(*cases)


def test_warnings_are_a_line_each_and_counted_beyond_ten() -> None:
    told = told_by(*(case(f"{at:x}", verdict="warn") for at in range(14)))

    assert len([line for line in told if line.startswith("WARN")]) == 10
    assert "      and 4 more warnings (--json, --html)" in told


def test_dependencies_and_bots_work_are_a_line_together() -> None:
    told = told_by(
        case("1", verdict="warn", manifests=True),
        case("2", verdict="warn", manifests=True, author="renovate-bot"),
        case("3", verdict="warn", whom=("dependabot[bot]", "renovate[bot]")),
        case("4", verdict="warn", whom=("dependabot[bot]", "Bea")),
    )

    assert [line for line in told if line.startswith("WARN")] == [
        f"WARN  {'4' * 10}  1970-01-02  Ana → Bea +1, 3 hunks: Change 4 with a title that goes on and on",
        f"WARN  dependencies set back, 2 commits: {'1' * 10} of Ana, {'2' * 10} of renovate-bot (bot)",
        f"WARN  bots’ work taken back, 1 commit: {'3' * 10} of Ana",
    ]


def test_a_stop_of_bots_work_alone_is_a_line() -> None:
    told = told_by(case("1", whom=("dependabot[bot]",)), case("2", author="renovate[bot]"))

    assert [line for line in told if line.startswith("STOP")] == [
        f"STOP  {'1' * 10}  1970-01-02  Ana → dependabot[bot], 1 hunk: Change 1 with a title that goes on and on",
        f"STOP  {'2' * 10}  1970-01-02  renovate[bot]: Change 2 with a title that goes on and on",
    ]
    assert [line for line in told if line.startswith("      git show")] == [f"      {case('2').command}"]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_prose_ends_at_the_edge_and_what_is_copied_stays_whole(width: int) -> None:
    one = case("1", whom=("Bea", "Cleo", "Dan", "Eve", "Flo"), lost=9, missing=9)
    told = told_by(one, case("2", verdict="warn"), width=width)
    cases = told[next(at for at, line in enumerate(told) if line.startswith("STOP")) :]

    copied = {f"      {one.command}", f"      https://forge/{'1' * 40}"}
    assert copied <= set(cases)
    assert [line for line in cases if len(line) > width and line not in copied] == []
    assert "      and 2 more changes" in cases


def test_nothing_is_back_that_nobody_put_back() -> None:
    told = told_by(case("a", lost=12, missing=0))

    assert [line.partition(" of Bea")[0] for line in told if "back" in line] == [
        "1 silently took back what others had landed (stop), 0 may have (warn);",
        f"      takes back {'0' * 10}",
    ]


def test_who_only_puts_back_is_counted_apart() -> None:
    told = told_by(case("a"), case("b", verdict="clear"))

    assert "0 were agreed: an author's own, or of one branch; 1 put back what had been lost." in told
