"""The evaluation itself: it finds what is there, misses what is not, and its committed data hold together."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.eval import attribution, confessed, histories, undone
from tests.eval.clones import clone_of, name_of
from tests.eval.history import History, written

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests/eval/data"


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    return tmp_path / "clones"


@pytest.fixture
def made(clones: Path) -> tuple[History, dict[int, str]]:
    """A clone of shop/made, in which Ana takes back Bea's work, puts it over her own, and others go on."""
    history = History(random.Random(3))
    history.start()
    undone.whole(history)
    own = undone.intended(history, author="ana")
    history.noise(2)
    undone.restore(own[1])
    history.commit("ana", "On second thoughts", undoes=(own[0],))
    history.noise(2)
    return history, written(history, clones / "shop+made" / "repo")


def pair(earlier: str, later: str, **fields: object) -> dict[str, object]:
    given = {"repo": "shop/made", "confessed_in": "f" * 40, "age_days": 0.5, "same_author": False}
    return {**given, "earlier": earlier, "later": later, **fields}


def truth(made: tuple[History, dict[int, str]]) -> list[tuple[str, str]]:
    """Undone and undoing commit, Bea's first."""
    history, shas = made
    return [(shas[mark], shas[one.mark]) for one in history.commits for mark in one.undoes]


def file_of(folder: Path, *pairs: dict[str, object]) -> Path:
    file = folder / "pairs.json"
    file.write_text(json.dumps({"about": "A test.", "pairs": pairs}))
    return file


def judged(file: Path, clones: Path) -> list[confessed.Judged]:
    return list(confessed.judge(confessed.read(file), clones))


def test_an_undo_is_found_as_when_it_was_the_newest_commit(
    made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path
) -> None:
    earlier, later = truth(made)[0]
    [one] = judged(file_of(tmp_path, pair(earlier, later)), clones)

    assert (one.verdict, one.named, one.found) == ("stop", True, True)


def test_a_commit_that_undoes_nothing_is_missed(
    made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path
) -> None:
    history, shas = made
    [one] = judged(file_of(tmp_path, pair(truth(made)[0][0], shas[history.head])), clones)

    assert (one.verdict, one.found) == ("missed", False)


def test_an_undo_credited_to_another_commit_is_missed_and_its_commit_counts(
    made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path
) -> None:
    [(earlier, later), (_, other)] = truth(made)
    told = judged(file_of(tmp_path, pair(earlier, later), pair(other, later)), clones)
    row = confessed.figures("both", told)

    assert row["found"] == "1 of 2 (0.50)"
    assert row["commits"] == row["stops"] == "1 of 1 (1.00)"
    assert row["missed"] == [f"{later} over {other}"]


def test_an_own_undo_is_found_though_nobody_is_warned_and_no_stop_is_asked_for(
    made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path
) -> None:
    earlier, later = truth(made)[1]
    told = judged(file_of(tmp_path, pair(earlier, later, same_author=True)), clones)
    row = confessed.figures("own", told)

    assert [one.verdict for one in told] == ["clear"]
    assert (row["found"], row["stops"]) == ("1 of 1 (1.00)", "0 of 0")


def test_manifests_need_no_stop(made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path) -> None:
    told = judged(file_of(tmp_path, pair(*truth(made)[0], paths=["web/package.json"])), clones)

    assert confessed.figures("manifests", told)["stops"] == "0 of 0"


def test_hindsight_asks_again_with_the_confession_as_the_tip(
    made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path
) -> None:
    history, shas = made
    earlier, later = truth(made)[0]
    file = file_of(tmp_path, pair(earlier, later, confessed_in=shas[history.head]))
    asked = list(confessed.judge(confessed.read(file), clones, hindsight=True))
    file = file_of(tmp_path, pair(earlier, later))
    unanswered = list(confessed.judge(confessed.read(file), clones, hindsight=True))

    assert [one.by_now for one in asked] == ["stop"]
    assert confessed.figures("both", asked)["stops_by_now"] == "1 of 1 (1.00)"
    assert [one.by_now for one in unanswered] == [""]
    assert "stops_by_now" not in confessed.figures("both", unanswered)


def test_what_no_clone_is_here_for_is_counted_apart(clones: Path, tmp_path: Path) -> None:
    told = judged(file_of(tmp_path, pair("a" * 40, "b" * 40)), clones)
    row = confessed.figures("none", told)

    assert (row["found"], row["not_here"]) == ("0 of 0", 1)


def test_a_clone_is_looked_at_without_being_changed(
    made: tuple[History, dict[int, str]], clones: Path, tmp_path: Path
) -> None:
    clone = clones / "shop+made" / "repo"
    before = {path: path.stat().st_mtime_ns for path in clone.rglob("*")}
    judged(file_of(tmp_path, pair(*truth(made)[0])), clones)

    assert {path: path.stat().st_mtime_ns for path in clone.rglob("*")} == before


def test_the_command_prints_both_ways_to_count_and_names_what_it_missed(
    made: tuple[History, dict[int, str]],
    clones: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [(earlier, later), own] = truth(made)
    listed = [pair(earlier, later, half="tune"), pair(*own, same_author=True, half="tune")]
    file = file_of(tmp_path, *listed, pair(own[0], later, half="tune"), pair(earlier, later, half="report"))
    confessed.main([str(file), "--clones", str(clones), "--half", "tune"])
    told = capsys.readouterr().out

    assert f"MISSED: shop/made {later[:10]}" in told
    assert "pairs.json, different authors  found 1 of 2 (0.50)" in told
    assert "pairs.json, all  found 2 of 3 (0.67)" in told


def test_a_history_is_measured_and_held_against_readings_and_known_pairs(
    made: tuple[History, dict[int, str]],
    clones: Path,
) -> None:
    [(earlier, later), own] = truth(made)
    seen = histories.looked_at(clones / "shop+made" / "repo", 1_000)
    known = [{"repo": "made", "earlier": one, "later": two} for one, two in ((earlier, later), own, (own[0], later))]
    row = histories.figures(seen, known, {later: "taken_back"})

    assert (row["history"], row["stops"], row["stops_true"]) == ("shop/made", 1, "1 of 1 (1.00)")
    assert (row["known_pairs"], row["told_of"]) == ("2 of 3 (0.67)", 1)
    assert (row["unread"], row["missed"]) == ([], [f"{later} over {own[0]}"])
    assert seen.cpu_ms > 0
    assert seen.peak_mb > 10


def test_pairs_of_other_repositories_or_older_commits_are_not_asked_for(
    made: tuple[History, dict[int, str]], clones: Path
) -> None:
    earlier, later = truth(made)[0]
    newest = histories.looked_at(clones / "shop+made" / "repo", 1)
    known = [{"repo": repo, "earlier": earlier, "later": later} for repo in ("made", "other")]

    assert histories.figures(newest, known, {})["known_pairs"] == "0 of 0"


def test_a_clone_is_found_under_each_of_its_usual_names(tmp_path: Path) -> None:
    for name in ("a+one/repo/.git", "b/two/.git", "three/.git"):
        (tmp_path / name).mkdir(parents=True)
    found = [clone_of(name, tmp_path) for name in ("a/one", "b/two", "c/three", "d/four")]

    assert found == [tmp_path / "a+one/repo", tmp_path / "b/two", tmp_path / "three", None]
    assert name_of(tmp_path / "a+one/repo") == "a/one"


def test_an_unknown_command_is_named() -> None:
    ran = subprocess.run([sys.executable, "-m", "tests.eval", "guess"], cwd=ROOT, capture_output=True, text=True)

    assert ran.returncode == 1
    assert "guess is none of made, confessed, histories, recognised" in ran.stderr


def test_the_committed_pairs_name_whole_commits_once_and_keep_the_halves_apart() -> None:
    listed = confessed.read(DATA / "confessed.json")
    shas = [sha for one in listed for sha in (one.earlier, one.later, one.confessed_in)]
    halves = {(one.repo, one.half) for one in listed}

    assert [sha for sha in shas if not re.fullmatch(r"[0-9a-f]{40}", sha)] == []
    assert len({(one.repo, one.earlier, one.later) for one in listed}) == len(listed)
    assert {half for _, half in halves} == {"tune", "report"}
    assert len(halves) == len({repo for repo, _ in halves})
    assert len(halves) >= 12


def test_each_committed_reading_has_a_known_verdict_and_a_reason() -> None:
    readings = json.loads((DATA / "readings.json").read_text())["readings"]
    kinds = {one["verdict"] for one in readings}

    assert {one["seen"] for one in readings} == {"fresh", "tuned"}
    assert kinds <= {"accident", "taken_back", "intended", "none", "unsure"}
    assert [one for one in readings if not re.fullmatch(r"[0-9a-f]{40}", one["sha"]) or not one["why"]] == []
    assert len({(one["repo"], one["sha"]) for one in readings}) == len(readings)


def test_each_known_pair_that_is_none_says_why() -> None:
    pairs = json.loads((DATA / "fleet-pairs.json").read_text())["pairs"]

    assert len(pairs) == len({(one["earlier"], one["later"]) for one in pairs})
    assert [one for one in pairs if len(one.get("none", "because of")) < 10] == []


def test_a_made_history_that_lands_in_other_forms_is_its_runs_again(tmp_path: Path) -> None:
    history = History(random.Random(5))
    history.start()
    history.noise(14)
    written(history, tmp_path / "shop+made" / "repo")
    counts = attribution.told_of(tmp_path / "shop+made" / "repo", windows_max=2, lines_max=4)

    assert attribution.shares(counts) == {**attribution.shares(counts), "right": 1, "wrong": 0, "lines wrong": 0}
    assert counts["squash:right"] == counts["windows"] > 0
    assert counts["line:right"] > 0
