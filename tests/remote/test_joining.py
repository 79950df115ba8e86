"""A person joins a real hub from their own machine, works there, looks at it, and leaves it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.adapters.hub_joining import join_hub, leave_hub
from loomstack_mcp.core.errors import Invalid
from tests.conftest import environment, git
from tests.hooks.support import claude_edit, hook
from tests.hubs import Hub, made_token, running_hub
from tests.processes import SCRIPT, run
from tests.remote.hubs import answering
from tests.server.hub.test_certificates import made_certificate, trusting
from tests.wire import Server

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hub")
    made_certificate(place, "first")
    return place


@pytest.fixture(scope="module")
def tokens(place: Path) -> dict[str, str]:
    return {name: made_token(place, name) for name in ("ana", "bea")}


@pytest.fixture(scope="module")
def hub(place: Path, tokens: dict[str, str]) -> Iterator[Hub]:
    options = ("--tls-cert", str(place / "cert.pem"), "--tls-key", str(place / "key.pem"))
    with running_hub(place, *options, secured=trusting(place)) as started:
        yield started


def command(home: Path, *arguments: str, given: str = "", cwd: Path | None = None, **more: str) -> tuple[int, str, str]:
    done = run([SCRIPT, *arguments], cwd=cwd or home, env=environment(home, **more), given=given)
    return done.returncode, done.stdout, done.stderr


def init_hub(hub: Hub, place: Path, home: Path, token: str, **more: str) -> tuple[int, str, str]:
    home.mkdir(exist_ok=True)
    url = f"https://127.0.0.1:{hub.port}"
    return command(home, "init", "--hub", url, "--ca", str(place / "cert.pem"), given=token, cwd=None, **more)


@needs_openssl
def test_two_people_on_two_machines_meet_over_tls(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path, shop: Path
) -> None:
    git(shop, "remote", "add", "origin", "https://git.example.com/acme/shop.git")
    theirs = tmp_path / "bea" / "shop"
    theirs.parent.mkdir()
    shutil.copytree(shop, theirs)
    homes = {name: tmp_path / f"home-{name}" for name in tokens}
    for name, token in tokens.items():
        code, said, _ = init_hub(hub, place, homes[name], token)
        assert (code, f"where you are {name}, developer in every repository" in said) == (0, True)

    with Server([SCRIPT], env=environment(homes["ana"], CLAUDE_CODE_SESSION_ID="s-ana"), cwd=shop) as server:
        server.initialize()
        server.answer("start_run", loop="refactor", goal="split the module")
        granted = server.answer("claim_paths", paths=["src"], intent="split a.py in two")["granted"]
        reply = hook(homes["bea"], "claude", claude_edit(theirs, str(theirs / "src/a.py")))
        listed = json.loads(command(homes["bea"], "claims", "--json", cwd=theirs)[1])

    assert granted is True
    assert "refactor@ana" in json.dumps(reply)
    assert [one["who"] for one in listed] == ["refactor@ana"]


@needs_openssl
def test_doctor_and_config_know_the_hub_and_tell_nobody_the_token(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    init_hub(hub, place, home, tokens["ana"])

    _, looked, failed = command(home, "doctor", "--json")
    assert failed == ""
    _, shown, _ = command(home, "config")
    kept = home / "loomstack" / "hub-tokens.json"

    found = {check["check"]: check for check in json.loads(looked)}
    assert found["hub"]["status"] == "ok"
    assert "you are ana, developer" in found["hub"]["found"]
    assert f"https://127.0.0.1:{hub.port}" in shown
    assert tokens["ana"] not in looked + shown
    assert kept.stat().st_mode & 0o777 == 0o600


@needs_openssl
def test_doctor_says_that_a_token_does_not_open_this_repository(
    hub: Hub, place: Path, tmp_path: Path, shop: Path
) -> None:
    git(shop, "remote", "add", "origin", "https://git.example.com/acme/shop.git")
    looked = {}
    for name, pattern in (("narrow", "git.example.com/zoo/*"), ("wide", "git.example.com/acme/*")):
        init_hub(hub, place, tmp_path / name, made_token(place, "nora", repos=(pattern,)))
        checks = json.loads(command(tmp_path / name, "doctor", "--json", cwd=shop)[1])
        looked[name] = [check["found"] for check in checks if check["check"] == "hub token"]

    [found] = looked["narrow"]
    assert "git.example.com/acme/shop is unknown to the token of nora, which opens git.example.com/zoo/*" in found
    assert looked["wide"] == []


@needs_openssl
def test_a_viewer_reads_what_colleagues_do_and_does_nothing(hub: Hub, place: Path, tmp_path: Path, shop: Path) -> None:
    git(shop, "remote", "add", "origin", "https://git.example.com/acme/viewed.git")
    homes = {role: tmp_path / role for role in ("viewer", "developer")}
    init_hub(hub, place, homes["viewer"], made_token(place, "vera", "viewer"))
    init_hub(hub, place, homes["developer"], made_token(place, "dana", "developer"))
    with Server([SCRIPT], env=environment(homes["developer"]), cwd=shop) as server:
        server.initialize()
        run = server.answer("start_run", loop="prices", goal="net prices")["run"]
        with Server([SCRIPT], env=environment(homes["viewer"]), cwd=shop) as viewer:
            viewer.initialize()
            read = viewer.answer("read_shared_context")
            refused = viewer.error("start_run", loop="x", goal="y")
        lists = [command(homes["viewer"], each, cwd=shop) for each in ("runs", "claims", "events", "notes", "inbox")]

    assert [one["run"] for one in read["runs"]] == [run]
    assert "is a viewer's" in refused
    assert [code for code, _, _ in lists] == [0] * 5, lists
    assert run in lists[0][1]


@needs_openssl
def test_doctor_sends_nobody_to_the_network_for_a_hub_that_answers(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    home, ca, url = tmp_path / "home", tmp_path / "ca.pem", f"https://127.0.0.1:{hub.port}"
    shutil.copy(place / "cert.pem", ca)
    home.mkdir()
    assert command(home, "init", "--hub", url, "--ca", str(ca), given=tokens["ana"])[0] == 0
    ca.unlink()
    looked = {check["check"]: check for check in json.loads(command(home, "doctor", "--json")[1])}

    assert (looked["hub"]["status"], looked["hub"]["mend"]) == ("fail", "")
    assert f"{ca} cannot be read as certificates" in looked["hub"]["found"]


@needs_openssl
def test_a_wrong_token_an_agent_and_an_unknown_certificate_join_nothing(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    wrong = init_hub(hub, place, home, tokens["ana"][:-3] + "xyz")
    agent = init_hub(hub, place, home, tokens["ana"], CLAUDECODE="1")
    untrusted = command(home, "init", "--hub", f"https://127.0.0.1:{hub.port}", given=tokens["ana"])
    shutil.copy(__file__, tmp_path / "none.pem")
    url, no_file = f"https://127.0.0.1:{hub.port}", str(tmp_path / "none.pem")
    unread = command(home, "init", "--hub", url, "--ca", no_file, given=tokens["ana"])
    clear = command(home, "init", "--hub", f"http://hub.example:{hub.port}", given=tokens["ana"])

    assert [code for code, _, _ in (wrong, agent, untrusted, unread, clear)] == [1] * 5
    assert "unauthorized" in wrong[2]
    assert "the token that came is none of this hub" in wrong[2]
    assert "only a person" in agent[2]
    assert "is not trusted: its certificate does not hold here: self-signed" in untrusted[2]
    assert "--ca FILE" in untrusted[2]
    assert "away" not in untrusted[2]
    assert f"{no_file} cannot be read as certificates" in unread[2]
    assert "http:// only on this machine" in clear[2]
    assert not (home / "loomstack" / "hub-tokens.json").exists()
    assert tokens["ana"] not in "".join(said for each in (wrong, agent, untrusted, unread, clear) for said in each[1:])


@needs_openssl
@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "http://127.0.0.1:{hub}",
            "where TLS is spoken, the address is https://); nothing was written. Look at the ad",
        ),
        (
            "https://127.0.0.1:{other}",
            "does not answer (no TLS is spoken there; is it another port?); nothing was writ",
        ),
        ("https://127.0.0.1:1", "does not answer (Connection refused); nothing was written. Look at the address"),
        ("https://localhost:{hub}", "not valid for 'localhost'. Nothing was sent. Use the name that it was made for"),
        ("https://hub.example/mcp", "is https://HOST[:PORT], perhaps https://hub.example; http:// only"),
        ("hub.example:8420", "is https://HOST[:PORT], perhaps https://hub.example:8420; http:// only"),
    ],
)
def test_an_address_that_is_wrong_is_told_how(hub: Hub, place: Path, tmp_path: Path, url: str, said: str) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as other:
        given = url.format(hub=hub.port, other=other.rpartition(":")[2])
        done = command(tmp_path, "init", "--hub", given, "--ca", str(place / "cert.pem"), given="loom_x")

    assert (done[0], said in done[2]) == (1, True), done[2]


@needs_openssl
def test_what_is_only_to_be_shown_joins_and_leaves_nothing(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    home, url = tmp_path / "home", f"https://127.0.0.1:{hub.port}"
    home.mkdir()
    joining = command(home, "init", "--hub", url, "--ca", str(place / "cert.pem"), "--dry-run", given=tokens["ana"])
    mixed = command(home, "init", "--hub", url, "--guard", "--user", given=tokens["ana"])
    before = sorted(home.rglob("*.*"))
    init_hub(hub, place, home, tokens["ana"])
    kept = (home / "loomstack" / "hub-tokens.json").read_text()
    leaving = command(home, "uninstall", "--hub", "--dry-run")

    assert (joining[0], "would be your store, where you are ana, developer" in joining[1]) == (0, True), joining
    assert (mixed[0], "leave out --guard, --user" in mixed[2]) == (1, True), mixed
    assert [path.name for path in before if path.is_file()] == []
    assert (leaving[0], "would be your store no longer" in leaving[1]) == (0, True), leaving
    assert (home / "loomstack" / "hub-tokens.json").read_text() == kept


@needs_openssl
def test_whoever_leaves_has_their_own_store_again(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    init_hub(hub, place, home, tokens["ana"])

    code, said, _ = command(home, "uninstall", "--hub")

    assert (code, "is your store no longer" in said) == (0, True)
    assert not (home / "loomstack" / "hub-tokens.json").exists()
    assert not (home / "loomstack" / "config.yaml").exists()


@needs_openssl
def test_a_client_is_told_the_header_for_the_hub_alone(
    hub: Hub, place: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    home, url = tmp_path / "home", f"https://127.0.0.1:{hub.port}/mcp"
    init_hub(hub, place, home, tokens["ana"])

    mine = command(home, "token", "header", CLAUDE_CODE_MCP_SERVER_URL=url, CLAUDECODE="1")
    others = [
        command(home, "token", "header", CLAUDE_CODE_MCP_SERVER_URL=each)
        for each in ("https://evil.example/mcp", f"https://127.0.0.1:{hub.port}@evil.example/", "http://127.0.0.1/mcp")
    ]
    unsaid = command(home, "token", "header", CLAUDECODE="1")

    assert json.loads(mine[1]) == {"Authorization": f"Bearer {tokens['ana']}"}
    assert [(code, said) for code, said, _ in (*others, unsaid)] == [(1, "")] * 4
    assert not any(tokens["ana"] in failed for _, _, failed in others)


@pytest.mark.parametrize(
    ("text", "joined", "left"),
    [
        ("", "store: https://hub\n", None),
        ("# mine\nguard: closed\n", "# mine\nguard: closed\nstore: https://hub\n", "# mine\nguard: closed\n"),
        ("store: /x/loom.db\npush: off\n", "push: off\nstore: https://hub\n", "push: off\nstore: /x/loom.db\n"),
    ],
)
def test_a_person_s_other_settings_stay_as_they_are(tmp_path: Path, text: str, joined: str, left: str | None) -> None:
    file = tmp_path / "config.yaml"
    if text:
        file.write_text(text)

    join_hub(str(tmp_path), "https://hub", token="a")
    join_hub(str(tmp_path), "https://hub", token="b")
    after = file.read_text()
    assert leave_hub(str(tmp_path)) == "https://hub"

    assert after == joined
    assert (file.read_text() if file.exists() else None) == left


@pytest.mark.parametrize("text", ["{store: /x}\n", "store:\n  /x\nmore: store\n", "---\nguard: open\n"])
def test_settings_that_only_a_person_can_read_are_left_to_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)

    with pytest.raises(Invalid, match="yourself"):
        join_hub(str(tmp_path), "https://hub", token="a")

    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]


def test_a_hub_is_no_hub_s_store(tmp_path: Path) -> None:
    code, _, said = command(tmp_path, "--store", "https://hub.example", "serve", "--http", "--port", "0")

    assert (code, "a hub serves a store of its own" in said) == (1, True)
