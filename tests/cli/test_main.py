"""Every command as a whole: its help, its exit status, its streams, and what it says where nothing can be done."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from loomstack_mcp.cli.main import cli
from loomstack_mcp.store.exports import VIEWS
from tests.conftest import Run, commit_all, environment, git
from tests.processes import SCRIPT, run
from tests.wire import Server


def commands(group: click.Group, *above: str) -> list[tuple[tuple[str, ...], click.Command]]:
    """Each command with the words that call it."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        found.append(((*above, name), command))
        if isinstance(command, click.Group):
            found += commands(command, *above, name)
    return found


COMMANDS = commands(cli)
IN_REPO = ["runs", "conflicts", "gate --base main", "policy check", "init --dry-run"]


def in_shell(line: str, *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command line with `$L` for the program, as a shell sets up its streams."""
    script = ["bash", "-c", f"set -o pipefail; {line}"]
    return subprocess.run(script, cwd=cwd, env={**env, "L": SCRIPT}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [" ".join(words) for words, _ in COMMANDS])
def test_help_fits_a_terminal_and_names_every_option(words: str) -> None:
    command = dict(COMMANDS)[tuple(words.split())]
    context = click.Context(command, info_name=words, parent=click.Context(cli, info_name="loomstack-mcp"))
    shown = command.get_help(context)

    assert max(map(len, shown.splitlines())) <= 80
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.hidden:
            continue
        name = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.make_metavar(context)
        assert name in shown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("conflict", "conflicts"), ("polcy", "policy"), ("db qury", "query"), ("note ad", "add"), ("policy tst", "test")],
)
def test_a_mistyped_command_is_told_what_was_meant(loomstack: Run, typed: str, meant: str) -> None:
    done = loomstack(*typed.split())

    assert done.returncode == 64
    assert "Did you mean" in done.stderr
    assert f"'{meant}'" in done.stderr


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS if len(words) > 1], ids=" ".join)
def test_help_shows_the_options_of_a_nested_command(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli, ["help", *words]).output

    assert shown.startswith(f"Usage: cli {' '.join(words)} [OPTIONS]")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("polcy", "did you mean policy?"),
        ("policy tst", "policy has no command 'tst'; did you mean test?"),
        ("db zzz", "db has no command 'zzz'; it has backup, check"),
        ("why zzz", "why has no command 'zzz'; it has none"),
        ("runs zzz", "runs has no command 'zzz'; it has stop"),
    ],
)
def test_help_of_what_there_is_not_names_what_there_is(loomstack: Run, words: str, told: str) -> None:
    done = loomstack("help", *words.split())

    assert done.returncode == 64
    assert told in done.stderr


@pytest.mark.parametrize("command", IN_REPO)
def test_without_git_a_command_says_so_in_a_line(tmp_path: Path, shop: Path, command: str) -> None:
    done = run([SCRIPT, *command.split()], cwd=shop, env={**environment(tmp_path), "PATH": str(tmp_path)})

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("loomstack-mcp: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", IN_REPO)
def test_outside_of_a_worktree_a_command_says_what_to_do(tmp_path: Path, loomstack: Run, command: str) -> None:
    (tmp_path / "plain").mkdir()
    done = loomstack(*command.split(), cwd=tmp_path / "plain")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert ";" in done.stderr


@pytest.mark.parametrize("command", ["conflicts", "gate --base main"])
def test_what_needs_a_commit_says_so_where_there_is_none(tmp_path: Path, loomstack: Run, command: str) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet")
    done = loomstack(*command.split(), cwd=tmp_path / "empty")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("loomstack-mcp: ")


@pytest.mark.parametrize("command", ["runs", "conflicts", "gate --base main", "db check"])
def test_a_folder_in_the_place_of_the_store_is_named(tmp_path: Path, loomstack: Run, command: str) -> None:
    (tmp_path / "loomstack/loom.db").mkdir(parents=True)
    done = loomstack(*command.split())

    assert done.returncode in (1, 3)
    assert "store_unavailable" in done.stderr
    assert "loom.db" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["runs", "serve"])
def test_in_a_folder_that_is_gone_it_says_so(tmp_path: Path, command: str) -> None:
    (tmp_path / "gone").mkdir()
    done = in_shell(f"rmdir ../gone; $L {command} </dev/null", cwd=tmp_path / "gone", env=environment(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "loomstack-mcp: invalid: the folder that this runs in is gone; cd to one that is there\n"


@pytest.fixture
def started(serve: Callable[..., Server]) -> Server:
    server = serve()
    server.answer("start_run", loop="loop", goal="gö…", paths=["src"])
    return server


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("$L runs >&-", 0),
        ("$L audit 2>&-", 0),
        ("$L gate --pre-receive <&-", 64),
        ("$L init <&- >&2", 1),
        ("$L note add x <&-", 1),
        ("$L runs >/dev/full", 1),
        ("exec 3> >(exec true); sleep 0.3; $L events >&3", 0),
    ],
)
def test_closed_and_full_streams_end_it_without_a_traceback(
    tmp_path: Path, shop: Path, started: Server, line: str, status: int
) -> None:
    done = in_shell(line, cwd=shop, env=environment(tmp_path))

    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_store_is_not_written_into_by_what_is_printed_to_a_closed_stream(
    tmp_path: Path, shop: Path, started: Server
) -> None:
    store = tmp_path / "loomstack/loom.db"
    before = store.read_bytes()[:100]
    in_shell("$L runs >&- 2>&-", cwd=shop, env=environment(tmp_path))

    assert store.read_bytes()[:100] == before


def test_any_encoding_takes_what_is_printed(tmp_path: Path, shop: Path, started: Server) -> None:
    env = environment(tmp_path, PYTHONIOENCODING="latin-1")
    done = run([SCRIPT, "runs"], cwd=shop, env=env, text=False, fresh=True)

    assert done.returncode == 0, done.stderr
    assert "gö\\u2026" in done.stdout.decode("latin-1")


def test_what_others_wrote_is_harmless_in_an_error_too(shop: Path, loomstack: Run) -> None:
    (shop / "policies").mkdir()
    (shop / "policies/bad\x1b[2J\u202e.yaml").write_text("a: [")
    done = loomstack("policy", "check")

    assert done.returncode == 1
    assert "policies/bad [2J .yaml" in done.stderr


def test_a_name_that_is_too_long_is_said_in_a_line(loomstack: Run) -> None:
    done = loomstack("--store", "/" + "x" * 5_000, "db", "check")

    assert (done.returncode, done.stdout) == (1, "")
    assert "File name too long" in done.stderr
    assert "Traceback" not in done.stderr


JSON: dict[str, tuple[Sequence[str], set[str]]] = {
    "runs": ([], {"run", "state", "loop", "who", "goal", "paths", "branch", "age", "checks", "outcomes", "stranded"}),
    "claims": ([], {"claim", "run", "who", "mode", "paths", "intent", "fence", "expires_in_s", "origin"}),
    "top": ([], {"lanes", "more", "cursor", "now_ms"}),
    "loops": (
        [],
        {"loop", "who", "runs", "live", "success_percent", "done", "abandoned", "stopped", "lost", "checks", "rework"}
        | {"conflicts_caused", "conflicts_suffered", "reversals_caused", "reversals_suffered", "minutes", "tokens"}
        | {"cost_usd", "last_run", "last_age", "last_started_at_ms", "spark"},
    ),
    "decisions": (
        [],
        {"decision", "answer", "point", "actions", "paths", "who", "run", "rules", "reasons", "policy", "age"}
        | {"decided_at_ms"},
    ),
    "events": ([], {"seq", "age", "kind", "run", "about", "payload"}),
    "notes": (
        [],
        {"note", "kind", "authority", "who", "text", "paths", "to", "supersedes", "contradicts", "age"},
    ),
    "config": ([], {"setting", "value", "from"}),
    "repo list": ([], {"repo", "names", "clones"}),
    "repo show": ([], {"repo", "identity", "from", "names"}),
    "doctor": ([], {"check", "status", "found", "mend"}),
    "db check": ([], {"ok", "schema", "size_bytes", "log_bytes", "free_bytes", "problems"}),
    "db query": (["SELECT count(*) AS held FROM v_claims"], {"held"}),
    "db export": (
        ["out"],
        {
            *VIEWS,
            "note",
            "outcome",
            "event",
        },
    ),
    "audit": ([], {"schema", "commits", "seconds", "totals", "reversals", "unchecked"}),
    "conflicts": ([], {"verdict", "conflicts", "checked", "unchecked", "open"}),
    "gate": (
        ["--base", "main"],
        {"decision", "fired", "reasons", "policy", "skipped", "gaps", "conflicts"},
    ),
    "policy check": ([], {"rules", "waivers", "policy", "findings"}),
    "inbox": ([], {"id", "asks", "who", "run", "what", "why", "age", "next"}),
    "evidence add": (
        ["--kind", "build", "--by", "ci"],
        {"evidence", "kind", "passed", "commit", "by", "link"},
    ),
    "deploy record": (
        ["--env", "production", "--id", "1"],
        {"deploy", "environment", "called", "commit", "covers", "who", "age", "deployed_at_ms"},
    ),
    "deploy list": ([], {"deploy", "environment", "called", "commit", "covers", "who", "age", "deployed_at_ms"}),
    "trace": (["HEAD"], {"ref", "kind", "commits", "deploys", "unattributed", "next"}),
    "db prune": (["--keep", "90d", "--dry-run"], {"keep_days", "dry_run", "rows", "kept", "space_before", "space"}),
    "policy replay": ([], {"commits", "seconds", "stopped", "skipped"}),
    "token list": ([], {"id", "for", "role", "repos", "run", "expires", "used", "by"}),
    "token log": ([], {"age", "verdict", "times", "what", "who", "token", "about"}),
}


def test_json_is_one_document_with_the_fields_that_scripts_rely_on(started: Server, loomstack: Run) -> None:
    started.answer("claim_paths", paths=["src"], intent="x")
    started.answer("share_context", kind="fact", text="a\nb")
    started.answer("check_policy", action="edit", paths=["policies/a.yaml"])
    loomstack("token", "create", "--for", "ana", "--role", "agent")
    printed = {name: loomstack(*name.split(), *more, "--json").stdout for name, (more, _) in JSON.items()}
    documents = {name: json.loads(text) for name, text in printed.items()}

    assert {name: set(found[0] if isinstance(found, list) else found) for name, found in documents.items()} == {
        name: fields for name, (_, fields) in JSON.items()
    }
    assert {name: text.count("\n") for name, text in printed.items()} == dict.fromkeys(JSON, 1)


def test_every_command_with_json_is_looked_at_here() -> None:
    named = {" ".join(words) for words, command in COMMANDS if "--json" in {o for p in command.params for o in p.opts}}

    with_a_terminal_cases_or_ids = {"conflicts list", "note add", "repo alias", "policy test", "why", "db copy"}
    assert named - set(JSON) == with_a_terminal_cases_or_ids


def test_the_completion_script_is_one_that_bash_reads(tmp_path: Path) -> None:
    done = in_shell("$L completion bash | bash -n", cwd=tmp_path, env=environment(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")


def test_titles_with_other_line_ends_are_replayed(shop: Path, loomstack: Run) -> None:
    commit_all(shop, "one\x0btwo\u2028three\x85four")
    found = json.loads(loomstack("policy", "replay", "--json").stdout)

    assert found["commits"] == 2


def test_commits_of_any_date_are_told_of(shop: Path, loomstack: Run) -> None:
    written = subprocess.run(["git", "cat-file", "-p", "HEAD"], cwd=shop, check=True, capture_output=True).stdout
    tree, author, committer, rest = written.split(b"\n", 3)
    late = b"\n".join([tree, author, committer.rsplit(b" ", 2)[0] + b" 9223372036854775807 +0000", rest])
    sha = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=shop, check=True, capture_output=True, input=late
    ).stdout.decode()
    git(shop, "reset", "--quiet", "--hard", sha.strip())

    assert "1 commit from 9999-12-31 to 9999-12-31" in loomstack("audit").stdout
    assert loomstack("conflicts").returncode == 0
