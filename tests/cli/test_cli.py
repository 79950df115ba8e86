"""Commands as a person types them: real processes, tables and JSON, and errors that help."""

import json
import os
import pty
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, commit_all, environment
from tests.deadlines import seconds
from tests.processes import SCRIPT, start
from tests.wire import Server


def on_terminal(
    arguments: list[str], *, cwd: Path, env: dict[str, str], question: str = "?", answer: Callable[[], str] = str
) -> tuple[int, str]:
    """Run a command on a terminal of its own: its status, and what was shown. Once `question` is, `answer` is typed."""
    main, terminal = pty.openpty()
    with start(arguments, cwd=cwd, env=env, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown, is_asked = b"", False
        while True:
            try:
                part = os.read(main, 4096)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            shown += part
            if not is_asked and question.encode() in shown:
                is_asked = True
                os.write(main, answer().encode())
        os.close(main)
    return process.returncode, shown.decode()


@pytest.fixture
def busy(serve: Callable[..., Server]) -> Server:
    """A session that holds, shared and recorded something."""
    server = serve()
    server.answer("start_run", loop="refactor", goal="split the module", paths=["src"])
    server.answer("claim_paths", paths=["src"], intent="split a.py in two")
    server.answer("share_context", kind="intent", text="a.py goes away \x1b[31m on purpose", paths=["src/a.py"])
    return server


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_lists_are_tables_for_people_and_json_for_scripts(loomstack: Run, busy: Server) -> None:
    [run] = json_of(loomstack("runs", "--json"))
    [claim] = json_of(loomstack("claims", "--json"))
    [note] = json_of(loomstack("notes", "--json"))
    kinds = [event["kind"] for event in json_of(loomstack("events", "--json"))]
    table = loomstack("claims").stdout.splitlines()

    assert (run["state"], run["goal"], run["paths"]) == ("live", "split the module", ["src/"])
    assert (claim["run"], claim["paths"], claim["intent"]) == (run["run"], ["src/"], "split a.py in two")
    assert (note["authority"], note["kind"]) == ("loop", "intent")
    assert kinds == ["run.started", "claim.granted", "note.shared"]
    assert table[0].split()[:4] == ["CLAIM", "RUN", "WHO", "MODE"]
    assert claim["claim"] in table[1]


def test_runs_tell_what_came_of_them_and_what_they_check(loomstack: Run, serve: Callable[..., Server]) -> None:
    maker, checker = serve(), serve()
    made = maker.answer("start_run", loop="refactor", goal="net prices")["run"]
    checking = checker.answer("start_run", loop="check", goal="net prices", checks_run=made)["run"]
    maker.answer("record_outcome", status="passed", summary="made", checks={"passed": 3})
    [own_word] = [run["outcomes"] for run in json_of(loomstack("runs", "--json")) if run["run"] == made]
    failed = {"passed": 2, "failed": 6, "failing": ["test_tax"]}
    checker.answer("record_outcome", status="failed", summary="not yet", role="checker", checks=failed)
    maker.answer("record_outcome", status="passed", summary="mended", checks={"passed": 3})
    [mended] = [run["outcomes"] for run in json_of(loomstack("runs", "--json")) if run["run"] == made]
    checker.answer("record_outcome", status="passed", summary="all", role="checker", checks={"passed": 8})
    maker.answer("record_outcome", status="done", summary="landed")
    told = {run["run"]: (run["checks"], run["outcomes"]) for run in json_of(loomstack("runs", "--json"))}
    words = ["failed 2/8", "passed 8/8", "done"]

    assert own_word == ["passed 3/3 by its own word"]
    assert mended == ["failed 2/8", "passed 3/3 by its own word"]
    assert told == {made: ("", words), checking: (made, words[:2])}
    assert ", ".join(words) in loomstack("runs").stdout


def test_a_check_of_ones_own_run_is_told_as_ones_own_word(loomstack: Run, serve: Callable[..., Server]) -> None:
    alone = serve(CLAUDE_CODE_SESSION_ID="s1")
    made = alone.answer("start_run", loop="refactor", goal="net prices")["run"]
    alone.answer("start_run", loop="check", goal="net prices", checks_run=made)
    alone.answer("record_outcome", status="passed", summary="all", role="checker", checks={"passed": 8})

    assert [run["outcomes"] for run in json_of(loomstack("runs", "--json"))] == [["passed 8/8 by its own word"]] * 2


def test_lists_may_be_narrowed(loomstack: Run, busy: Server) -> None:
    busy.answer("record_outcome", status="done", summary="split")

    assert json_of(loomstack("runs", "--live", "--json")) == []
    assert json_of(loomstack("claims", "--json")) == []
    assert [event["seq"] for event in json_of(loomstack("events", "--since", "3", "--limit", "2", "--json"))] == [4, 5]
    assert len(json_of(loomstack("notes", "purpose", "--json"))) == 1
    assert json_of(loomstack("notes", "elsewhere", "--json")) == []


def test_text_of_others_cannot_move_the_cursor(loomstack: Run, busy: Server) -> None:
    assert "\x1b" not in loomstack("notes").stdout


def test_an_empty_repository_is_no_error(loomstack: Run) -> None:
    for command, words in (("runs", "no run"), ("claims", "nothing is held"), ("notes", "nothing was shared")):
        done = loomstack(command)
        assert (done.returncode, done.stdout) == (0, "")
        assert words in done.stderr
        assert json_of(loomstack(command, "--json")) == []


def test_a_table_fits_its_terminal(tmp_path: Path, shop: Path, busy: Server) -> None:
    env = {**environment(tmp_path), "COLUMNS": "80", "TERM": "xterm"}
    status, shown = on_terminal([SCRIPT, "claims"], cwd=shop, env=env)

    assert status == 0
    assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in shown.splitlines()) <= 80


def test_a_person_writes_a_note_with_a_persons_authority(
    tmp_path: Path, shop: Path, loomstack: Run, busy: Server
) -> None:
    command = [SCRIPT, "note", "add", "prices are net", "--path", "src", "--path", "app/[id]/page.tsx", "--json"]
    status, shown = on_terminal(command, cwd=shop, env=environment(tmp_path))
    briefing = busy.answer("read_shared_context")

    assert status == 0, shown
    assert json.loads(shown)["authority"] == "human"
    assert briefing["notes"][0]["text"] == "prices are net"
    assert briefing["notes"][0]["authority"] == "human"
    assert briefing["notes"][0]["paths"] == ["src/", "app/\\[id\\]/page.tsx"]


def test_a_note_for_the_organisation_reaches_other_repositories(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    status, shown = on_terminal(
        [SCRIPT, "note", "add", "freeze on Friday", "--org"], cwd=shop, env=environment(tmp_path)
    )
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=other, check=True)
    started = serve(cwd=other).answer("start_run", loop="loop", goal="goal")

    assert status == 0, shown
    assert [note["text"] for note in started["briefing"]["notes"]] == ["freeze on Friday"]


@pytest.mark.parametrize("name", ["CLAUDECODE", "CODEX_THREAD_ID", "AI_AGENT"])
def test_a_note_cannot_be_added_from_inside_a_client(tmp_path: Path, shop: Path, name: str) -> None:
    env = {**environment(tmp_path), name: "1"}
    status, shown = on_terminal([SCRIPT, "note", "add", "prices are net"], cwd=shop, env=env)

    assert status == 1
    assert "unauthorized" in shown
    assert name in shown


def test_a_note_cannot_be_added_without_a_terminal(loomstack: Run) -> None:
    done = loomstack("note", "add", "prices are net")

    assert done.returncode == 1
    assert "there is no terminal" in done.stderr


def test_settings_are_shown_with_where_they_came_from(tmp_path: Path, shop: Path, loomstack: Run) -> None:
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack" / "config.yaml").write_text("repo: acme/shop\nstore: sqlite:////elsewhere.db\n")
    commit_all(shop)
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack" / "config.yaml").write_text("rework_max: 5\nrepo: other\n")
    done = loomstack("--store", str(tmp_path / "x.db"), "config", "--json")

    assert {setting["setting"]: (setting["value"], setting["from"]) for setting in json_of(done)} == {
        "home": (str(tmp_path / "loomstack"), "environment"),
        "store": (str(tmp_path / "x.db"), "flag"),
        "repo": ("acme/shop", ".loomstack/config.yaml"),
        "rework_max": (5, str(tmp_path / "loomstack" / "config.yaml")),
        "window_days": (30, "default"),
        "keep_days": (0, "default"),
        "generated": ([], "default"),
        "deploy_tags": ([], "default"),
        "claim_edits": ("auto", "default"),
        "guard": ("open", "default"),
        "push": ("on", "default"),
        **dict.fromkeys(("webhook", "webhook_secret", "webhook_format"), ("", "default")),
        **dict.fromkeys(("otlp_endpoint", "otlp_headers"), ("", "default")),
        **dict.fromkeys(("jwt_issuer", "jwt_audience", "jwt_jwks", "jwt_repos_claim"), ("", "default")),
        "jwt_algorithms": (["RS256", "PS256", "ES256", "EdDSA"], "default"),
        "jwt_repos": ([], "default"),
        "identity": ("acme/shop", "repo in .loomstack/config.yaml"),
    }
    assert "store in .loomstack/config.yaml" in done.stderr


def test_the_store_is_named_checked_copied_exported_and_queried(tmp_path: Path, loomstack: Run, busy: Server) -> None:
    store = Path(loomstack("db", "path").stdout.strip())
    backup = loomstack("db", "backup", str(tmp_path / "copy.db"))
    exported = json_of(loomstack("db", "export", str(tmp_path / "out"), "--json"))
    rows = json_of(loomstack("db", "query", "SELECT loop, state, paths FROM v_claims", "--json"))

    assert store == tmp_path / "loomstack" / "loom.db"
    assert json_of(loomstack("db", "check", "--json"))["ok"] is True
    assert backup.returncode == 0, backup.stderr
    assert json_of(loomstack("--store", str(tmp_path / "copy.db"), "claims", "--json"))
    assert {"v_runs": 1, "v_claims": 1, "note": 1, "event": 3}.items() <= exported.items()
    assert len((tmp_path / "out" / "event.jsonl").read_text().splitlines()) == 3
    assert rows == [{"loop": "refactor", "state": "held", "paths": '["src/"]'}]


def test_the_store_commands_write_nothing_but_their_own_files(tmp_path: Path, loomstack: Run, busy: Server) -> None:
    (tmp_path / "copy.db").write_text("mine")
    overwriting = loomstack("db", "backup", str(tmp_path / "copy.db"))
    writing = loomstack("db", "query", "DELETE FROM claim")
    misspelt = loomstack("db", "query", "SELEC 1")
    endless = loomstack("db", "query", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n")

    assert overwriting.returncode == 1
    assert (tmp_path / "copy.db").read_text() == "mine"
    assert writing.returncode == 1
    assert "Traceback" not in writing.stderr
    assert "syntax error" in misspelt.stderr
    assert endless.returncode == 0
    assert "only the first 1,000 rows" in endless.stderr
    assert len(json_of(loomstack("claims", "--json"))) == 1


def test_a_damaged_store_is_found_by_check(loomstack: Run, tmp_path: Path, busy: Server) -> None:
    busy.close_stdin()
    busy.process.wait(seconds(5))
    store = tmp_path / "loomstack" / "loom.db"
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged = bytearray(store.read_bytes())
    damaged[4096 * 2 : 4096 * 6] = b"\xff" * 4096 * 4
    store.write_bytes(damaged)
    done = loomstack("db", "check")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nonsense"], 64, "No such command 'nonsense'"),
        (["runs", "--limit", "0"], 64, "--limit"),
        (["events", "extra"], 64, "unexpected extra argument"),
        (["--store", "redis://localhost/x", "runs"], 1, "not spoken by this version"),
        (["--store", "/dev/null/x.db", "runs"], 1, "store_unavailable"),
        (["db", "check"], 1, "no store at"),
    ],
)
def test_wrong_usage_and_failures_say_what_to_do(loomstack: Run, arguments: list[str], status: int, words: str) -> None:
    done = loomstack(*arguments)

    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_outside_of_git_the_repository_must_be_named(tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "plain").mkdir()

    assert "pass --repo" in loomstack("runs", cwd=tmp_path / "plain").stderr
    assert loomstack("--repo", "github.com/acme/shop", "runs", cwd=tmp_path / "plain").returncode == 0


def test_a_broken_settings_file_is_named_with_its_line(tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack" / "config.yaml").write_text("repo: x\nstore: [\n")
    done = loomstack("runs")

    assert done.returncode == 1
    assert re.search(r"config\.yaml:3 is not valid YAML", done.stderr)


def test_help_names_every_command_and_comes_without_one_on_a_terminal(
    tmp_path: Path, shop: Path, loomstack: Run
) -> None:
    _, shown = on_terminal([SCRIPT], cwd=shop, env=environment(tmp_path))

    for command in ("serve", "demo", "runs", "claims", "notes", "note", "events", "config", "db", "completion"):
        assert command in shown
    assert loomstack("--version").stdout.startswith("loomstack-mcp, version 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(loomstack: Run, shell: str) -> None:
    assert "_LOOMSTACK_MCP_COMPLETE" in loomstack("completion", shell).stdout


def test_completion_offers_commands(loomstack: Run) -> None:
    done = loomstack(_LOOMSTACK_MCP_COMPLETE="bash_complete", COMP_WORDS="loomstack-mcp cl", COMP_CWORD="1")

    assert done.stdout.strip() == "plain,claims"
