"""The chapter on the hub is true: every command that it shows runs, in its order, on a hub and two machines."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import environment, git
from tests.databases import BASE_BACKUP
from tests.hubs import Hub
from tests.processes import SCRIPT, run
from tests.wire import Server

CHAPTER = (Path(__file__).parent.parent / "loomstack_mcp/help/hub.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", CHAPTER, re.MULTILINE | re.DOTALL)
URL = "https://loom.example.com:8420"


class Team:
    """The hub's machine, and those of two people; each command as the chapter has it, but for where things are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        subprocess.run([*made, *name, "-keyout", self.key, "-out", self.cert], check=True, capture_output=True)
        self.hub: Hub | None = None
        self.done: list[str] = []

    @property
    def url(self) -> str:
        assert self.hub
        return f"https://localhost:{self.hub.port}"

    def home(self, name: str) -> Path:
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def run(self, who: str, at: int, line: int, *, given: str | None = None, more: str = "", **env: str) -> str:
        """The command in that line of that block, on somebody's machine: what it said."""
        text = BLOCKS[at].splitlines()[line]
        self.done.append(text)
        for wanted, here in {
            "/srv/loomstack/loom.db": str(self.home("hub") / "loomstack/loom.db"),
            "/srv/loomstack": str(self.home("hub") / "loomstack"),
            "cert.pem": str(self.cert),
            "key.pem": str(self.key),
            "loomstack-mcp ": f"{SCRIPT} ",
            URL: self.url if self.hub else URL,
        }.items():
            text = text.replace(wanted, here)
        where = self.folder / "clone" if (self.folder / "clone").exists() and who != "hub" else self.home(who)
        found = run(["bash", "-ec", text + more], cwd=where, env=environment(self.home(who), **env), given=given)
        assert found.returncode == 0, (text, found.stdout, found.stderr)
        return str(found.stdout) + str(found.stderr)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here to make a certificate")
    found = Team(tmp_path_factory.mktemp("team"))
    yield found
    if found.hub:
        found.hub.stop()


def test_a_standby_is_made_as_the_fire_makes_it() -> None:
    assert f"`pg_basebackup {BASE_BACKUP} -D FOLDER -d postgresql://…`" in CHAPTER


def token_in(said: str) -> str:
    return str(re.findall(r"loom_\w{8}_[\w-]{43}", said)[0])


def test_the_chapter_was_followed_from_nothing_to_a_refused_edit(team: Team) -> None:
    team.run("hub", 0, 0)
    served = BLOCKS[0].splitlines()[1]
    team.done.append(served)
    flags = served.partition("--tls-cert")[0].split()[2:]
    assert flags == ["--http", "--host", "0.0.0.0"]
    tls = ("--tls-cert", str(team.cert), "--tls-key", str(team.key))
    team.hub = Hub(team.home("hub"), *tls, "--grace", "0", host="127.0.0.1")
    tokens = {name: token_in(team.run("hub", 1, at)) for at, name in enumerate(("ana", "bea"))}
    assert team.run("hub", 1, 2).count("developer") == 2

    clone = team.folder / "clone"
    (clone / "src").mkdir(parents=True)
    (clone / "src/a.py").write_text("a\n")
    git(clone, "init", "--quiet", "--initial-branch=main")
    git(clone, "remote", "add", "origin", "https://git.example.com/acme/shop.git")
    for name, token in tokens.items():
        said = team.run(name, 2, 0, given=token, more=f" --yes --ca {team.cert}")
        assert f"where you are {name}, developer" in said
        team.run(name, 2, 1, more=" --yes --agents none --skills none --no-git-hooks")
        assert "hub" in team.run(name, 2, 2, more=" || true")

    with Server([SCRIPT, "serve"], env=environment(team.home("ana")), cwd=clone) as ana:
        ana.initialize()
        ana.answer("start_run", loop="prices", goal="net")
        ana.answer("claim_paths", paths=["src/a.py"], intent="net prices")
        edit = {
            "session_id": "bea-1", "hook_event_name": "PreToolUse", "tool_name": "Write", "tool_use_id": "t1",
            "cwd": str(clone), "tool_input": {"file_path": str(clone / "src/a.py"), "content": "b"},
        }  # fmt: skip
        hook = [str(Path(SCRIPT).with_name("loomstack-hook")), "claude", "PreToolUse"]
        refused = run(hook, cwd=clone, env=environment(team.home("bea")), given=json.dumps(edit))
        seen = team.run("bea", 3, 0)

    assert "prices@ana" in refused.stdout, refused.stdout + refused.stderr
    assert "net prices" in refused.stdout
    assert "src/a.py" in seen


def test_the_hub_is_kept_and_got_back_rotated_moved_and_closed_to_a_leaked_token(team: Team) -> None:
    assert team.hub, "the chapter begins above"
    for line in range(3):
        team.run("hub", 4, line)
    team.run("hub", 5, 0)
    team.run("hub", 5, 1)
    assert '"ok"' in team.run("hub", 5, 2, more=" --json").replace("'", '"')
    assert "not checked" in team.run("hub", 6, 0)
    listed = json.loads(team.run("hub", 7, 0))
    [leaked] = [one["id"] for one in listed if one["for"] == "bea"]
    team.run("hub", 7, 1, TOKEN_ID=leaked)
    assert "bea" in team.run("hub", 7, 2)
    assert "run.started" in team.run("hub", 7, 3)
    assert "nothing was written" in team.run("hub", 8, 0)
    assert "git.example.com/acme/shop" in team.run("hub", 8, 1)
    after = run([SCRIPT, "claims"], cwd=team.folder / "clone", env=environment(team.home("bea")))

    assert (after.returncode, "init --hub" in after.stderr) == (1, True), after.stderr
    restored = team.home("hub") / "loomstack" / "restored-private.db"
    assert restored.exists()
    assert list(dict.fromkeys(team.done)) == [line for block in BLOCKS for line in block.splitlines()]
