"""Where git is asked: `--repo` makes no clone one of another repository, and a bare one is a place to stand in."""

import json
from pathlib import Path

from tests.conftest import Run, git

OTHER = "https://example.com/other/shop"


def test_what_git_says_here_is_recorded_of_no_other_repository(loomstack: Run, shop: Path) -> None:
    loomstack("deploy", "record", "--env", "prod")  # while it has no name
    git(shop, "remote", "add", "origin", "https://example.com/acme/shop")
    same = loomstack("--repo", "git@example.com:acme/shop.git", "deploy", "record", "--env", "stage")
    assert (same.returncode, "the first one here" in same.stdout) == (0, True), same.stderr
    commands = ("deploy record --env prod", "gate --deploy prod", "evidence add --kind tests --by ci", "conflicts")
    refused = [loomstack("--repo", OTHER, *line.split()) for line in (*commands, "export --format agent-trace")]
    known = json.loads(loomstack("repo", "list", "--json").stdout)

    assert {(one.returncode, one.stdout) for one in refused} == {(1, "")}
    for one in refused:
        assert (
            "--repo names example.com/other/shop, and git is asked here, which is example.com/acme/shop" in one.stderr
        )
        assert "loomstack-mcp repo alias example.com/other/shop" in one.stderr
    assert (len(known), "other/shop" in json.dumps(known)) == (1, False)


def test_a_clone_without_a_name_is_called_as_it_is_told(loomstack: Run, shop: Path, tmp_path: Path) -> None:
    """A job that fetched by an address has no origin; a forge's own repository has none either."""
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "forge.git")
    git(tmp_path / "forge.git", "remote", "remove", "origin")
    for at, folder in enumerate((shop, tmp_path / "forge.git")):
        told = loomstack("--repo", OTHER, "deploy", "record", "--env", f"stage{at}", cwd=folder)
        let = loomstack("--repo", OTHER, "gate", "--deploy", f"prod{at}", cwd=folder)
        assert (let.returncode, told.returncode, "recorded as dep_" in let.stdout) == (0, 0, True), (
            let.stderr + told.stderr
        )

    assert [one["repo"] for one in json.loads(loomstack("repo", "list", "--json").stdout)] == ["example.com/other/shop"]


def test_a_mirror_is_a_place_to_stand_in(loomstack: Run, shop: Path, tmp_path: Path) -> None:
    git(shop, "remote", "add", "origin", "https://example.com/acme/shop")
    loomstack("deploy", "record", "--env", "prod", "--id", "d1")
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "mirror.git")
    mirror = tmp_path / "mirror.git"
    again = loomstack("deploy", "record", "--env", "prod", "--id", "d2", cwd=mirror)
    traced = json.loads(loomstack("trace", "HEAD", "--json", cwd=mirror).stdout)
    commands = ("trace deploy:d1", "deploy list", "top --once", "loops", "decisions", "conflicts list", "repo show")
    done = [loomstack(*line.split(), cwd=mirror) for line in (*commands, "export --format git-ai", "runs", "inbox")]
    nowhere = loomstack("loops", cwd=tmp_path)

    assert ("nothing new: deployed again" in again.stdout, again.returncode) == (True, 0)
    assert traced["commits"][0]["commit"] == git(shop, "rev-parse", "HEAD")[:12]
    assert [(one.returncode, one.stderr) for one in done if one.returncode] == []
    assert "example.com/acme/shop" in done[6].stdout
    assert (nowhere.returncode, "is in no git worktree; pass --repo URL, or go to one" in nowhere.stderr) == (1, True)


def test_the_gate_says_as_which_deploy_it_recorded_what_may_go_on(loomstack: Run, shop: Path) -> None:
    unknown = loomstack("gate", "--deploy", "staging")
    loomstack("runs")  # which makes the store
    alike = loomstack("gate", "--deploy", "staging ")
    passed = loomstack("gate", "--deploy", "staging")
    again = json.loads(loomstack("gate", "--deploy", "staging", "--json").stdout)["deploy"]

    assert (alike.returncode, "leave out line ends, and blanks" in alike.stderr) == (1, True)
    assert (unknown.returncode, passed.returncode) == (0, 0)
    assert "Note: not recorded as a deploy: the store alone keeps those, and there is none here." in unknown.stdout
    assert f"recorded as {again['deploy']} to staging: " in passed.stdout
    assert f"→ loomstack-mcp trace deploy:{again['deploy']}" in passed.stdout
    assert again["commit"] == git(shop, "rev-parse", "HEAD")
