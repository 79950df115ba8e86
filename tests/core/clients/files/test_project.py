"""What the clients' files say with us in them: the texts of others survive as they were spelled."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.clients.files.client_file import ClientFile
from loomstack_mcp.core.clients.files.json_text import indent_of, json_spelled, parsed_json
from loomstack_mcp.core.clients.files.marked_block import with_block, without_block
from loomstack_mcp.core.clients.files.project import ClientPlaces, client_files
from loomstack_mcp.core.clients.files.server_url import usable_url
from loomstack_mcp.core.errors import Invalid

BOM = "\ufeff"


def file(path: str, *, url: str = "") -> ClientFile:
    return next(each for each in client_files(ClientPlaces(exclude="exclude"), url=url) if each.path == path)


MCP, CODEX = file(".mcp.json"), file(".codex/config.toml")


@pytest.mark.parametrize("spelled", ["1e2", "1.0", "-0", "12345678901234567890123", "1E+400", '"\\ud800"', '"ü😀"'])
def test_values_keep_their_spelling(spelled: str) -> None:
    put = MCP.put(f'{{"mine": {spelled}}}')

    assert f'{{"mine": {spelled}, ' in put
    assert MCP.taken(put) == f'{{"mine": {spelled}}}'


def test_a_lone_surrogate_can_be_written() -> None:
    assert MCP.put('{"\\udc00": "\\ud800"}').encode()


@pytest.mark.parametrize("each", [MCP, CODEX])
def test_a_byte_order_mark_stays(each: ClientFile) -> None:
    text = BOM + ('{\n  "a": 1\n}\n' if each is MCP else "a = 1\n")
    put = each.put(text)

    assert put.startswith(BOM)
    assert BOM not in put[1:]
    assert each.taken(put) == text


def test_a_file_keeps_its_line_ends() -> None:
    put = MCP.put('{\r\n\t"a": 1\r\n}\r\n')

    assert put.count("\n") == put.count("\r\n")
    assert '\r\n\t"a": 1,\r\n' in put


def test_a_file_that_does_not_name_us_is_not_even_read() -> None:
    assert MCP.taken('{"a": 1, "a": 2') == '{"a": 1, "a": 2'
    assert CODEX.taken("a = ") == "a = "


def test_a_deep_file_is_refused() -> None:
    with pytest.raises(Invalid, match=r"\.mcp\.json is not valid JSON"):
        MCP.put('{"a":' * 100_000)
    deep = f'"a": {"[" * 400}{"]" * 400}'
    assert deep in MCP.put(f"{{{deep}}}")


def test_a_block_is_replaced_where_it_stands() -> None:
    text = CODEX.put("a = 1\n") + "\n[mine]\nb = 2\n"
    put = file(".codex/config.toml", url="https://x.example/mcp").put(text)

    assert put.startswith("a = 1\n\n# >>> loomstack ")
    assert put.endswith("# <<< loomstack <<<\n\n[mine]\nb = 2\n")
    assert tomllib.loads(put)["mcp_servers"]["loomstack"]["url"] == "https://x.example/mcp"
    assert CODEX.put(text) == text
    assert CODEX.taken(text) == "a = 1\n\n[mine]\nb = 2\n"


def test_a_table_inside_of_our_block_is_not_dropped() -> None:
    text = CODEX.put("").replace("# <<<", "[mine]\nb = 2\n# <<<")

    put = file(".codex/config.toml", url="https://x.example/mcp").put(text)

    assert tomllib.loads(put)["mine"] == {"b": 2}
    with pytest.raises(Invalid, match=r"\.codex/config\.toml"):
        CODEX.taken(text)


def test_an_open_mark_that_lost_its_partner_does_not_reach_for_another() -> None:
    block = with_block("x", "", "body\n")
    lost = block.replace("# <<< loomstack <<<\n", "")

    with pytest.raises(Invalid, match="# <<< loomstack <<<"):
        without_block("x", lost + "mine\n" + block)
    with pytest.raises(Invalid, match="# >>> loomstack"):
        without_block("x", "mine\n# <<< loomstack <<<\n")


LINES = st.text(alphabet="ab#\n\r", max_size=12)


@given(text=LINES)
def test_a_block_comes_and_goes_without_a_trace(text: str) -> None:
    put = with_block("x", text, "body\n")

    assert without_block("x", put) == text
    assert with_block("x", put, "body\n") == put


@given(text=LINES, more=LINES)
def test_lines_after_a_block_do_not_run_into_those_before(text: str, more: str) -> None:
    left = without_block("x", with_block("x", text, "body\n") + more)

    assert left.endswith(more)
    assert left[: len(left) - len(more)].strip() == text.strip()
    assert left.split() == [*text.split(), *more.split()]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(tree=st.dictionaries(st.text(), VALUES))
def test_json_is_printed_as_the_library_prints_it(tree: dict[str, object]) -> None:
    text = json.dumps(tree, indent=2, ensure_ascii=False) + "\n"

    assert json_spelled(parsed_json("x", text), indent_of(text), "\n") + "\n" == text


@pytest.mark.parametrize(
    "url",
    ["https://a.example/mcp", "https://a.example:65535", "http://127.9.9.9:80/mcp", "http://[::1]:8420/", "http://localhost"],
)  # fmt: skip
def test_a_server_that_nobody_can_listen_in_on_may_be_named(url: str) -> None:
    assert usable_url(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://loom.example/mcp", "clear text"),
        ("http://127.0.0.1.example/mcp", "clear text"),
        ("http://8.8.8.8/mcp", "clear text"),
        ("ftp://localhost/mcp", "ftp"),
        ("loom.example/mcp", "https://"),
        ("", "empty"),
        ("https://", "no host"),
        ("https://:80/mcp", "no host"),
        ("https://[", "no URL"),
        ("https://a.example:65536/", "port"),
        ("https://a.example:0/", "port"),
        ("https://a.example:x/", "port"),
        ("https://a.example/m cp", "blank"),
        ("https://a.example/\x07", "control"),
        ("https://a.example/\n", "control"),
        ("https://user:secret@a.example/mcp", "LOOMSTACK_TOKEN"),
        ("https://secret@a.example/mcp", "LOOMSTACK_TOKEN"),
    ],
)
def test_a_url_is_refused_with_the_true_reason(url: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refusal:
        usable_url(url)

    assert "secret" not in str(refusal.value)


HOOKS = file(".claude/settings.json")


OURS = "Edit|Write|MultiEdit|NotebookEdit|Bash|Monitor|mcp__.*"
OLD = "Edit|Write|MultiEdit|NotebookEdit|mcp__loomstack__.*"
"""What `init` wrote before it looked at shell commands and at the tools of other servers."""


def hook_of(text: str) -> tuple[str, dict[str, object]]:
    [group] = [each for each in json.loads(text)["hooks"]["PreToolUse"] if "loomstack-hook" in str(each)]
    return group["matcher"], group["hooks"][0]


@pytest.mark.parametrize(
    ("matcher", "kept"),
    [
        ("Read|mcp__fs__write", f"Read|mcp__fs__write|{OURS}"),
        (f"Read|{OURS}", f"Read|{OURS}"),
        ("*", "*"),
        ("Edit|Write", OURS),
        (OLD, OURS),
        (f"Read|{OLD}", f"Read|{OURS}"),
    ],
)
@pytest.mark.parametrize("command", ["loomstack-hook claude PreToolUse", "/opt/x/loomstack-hook claude PreToolUse"])
def test_what_a_person_added_to_the_hook_stays(matcher: str, kept: str, command: str) -> None:
    entry = {"type": "command", "command": command, "timeout": 99, "async": False}
    text = json.dumps({"hooks": {"PreToolUse": [{"matcher": matcher, "hooks": [entry]}]}}, indent=3)
    put = HOOKS.put(text)

    assert hook_of(put) == (kept, entry)
    assert HOOKS.put(put) == put
    assert "loomstack" not in HOOKS.taken(put)


def test_a_hook_of_an_older_version_gets_its_new_command_and_keeps_the_rest() -> None:
    entry = {"type": "command", "command": "loomstack-hook claude", "timeout": 99}
    text = json.dumps({"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [entry, {"command": "mine"}]}]}})
    put = HOOKS.put(text)

    assert hook_of(put) == ("*", {**entry, "command": "loomstack-hook claude PreToolUse"})
    assert '{"command": "mine"}' in put


EVENTS = {
    ".claude/settings.json": "claude",
    ".codex/hooks.json": "codex",
}


@pytest.mark.parametrize("path", EVENTS)
def test_each_event_of_a_session_has_one_hook(path: str) -> None:
    hooks = json.loads(file(path).put(""))["hooks"]
    called = [(event, entry) for event, groups in hooks.items() for group in groups for entry in group["hooks"]]

    assert [(event, entry["command"].split()) for event, entry in called] == [
        (event, ["loomstack-hook", EVENTS[path], event])
        for event in (
            "SessionStart", "UserPromptSubmit", "SubagentStart", "PreToolUse", "PostToolUse", "PostToolUseFailure",
            "SubagentStop", "Stop", "SessionEnd",
        )
        if EVENTS[path] == "claude" or event != "PostToolUseFailure"
    ]  # fmt: skip


def guarded(path: str) -> ClientFile:
    places = ClientPlaces(exclude="exclude")
    return next(each for each in client_files(places, guard=True) if each.path == path)


@pytest.mark.parametrize("path", EVENTS)
def test_a_step_can_be_asked_of_the_server_and_again_of_the_command(path: str) -> None:
    """What a person set in an entry stays both ways, and what is theirs beside it."""
    mine = {"type": "mcp_tool", "server": "mine", "tool": "guard"}
    text = file(path).put(json.dumps({"hooks": {"PreToolUse": [{"hooks": [mine]}]}}))
    text = text.replace('"timeout": 10', '"timeout": 33, "async": false')
    asked = guarded(path).put(text)
    hooks = json.loads(asked)["hooks"]
    entry = hooks["PreToolUse"][1]["hooks"][0]

    assert (entry["type"], entry["server"], entry["tool"]) == ("mcp_tool", "loomstack", "guard")
    assert (entry["timeout"], entry["async"]) == (33, False)
    assert ("agent_id" in entry["input"], "onFailure" in entry) == (("claude" in path),) * 2
    assert hooks["Stop"][0]["hooks"][0]["type"] == "command"
    assert guarded(path).put(asked) == asked
    assert json.loads(file(path).put(asked)) == json.loads(text)
    assert json.loads(file(path).taken(asked)) == {"hooks": {"PreToolUse": [{"hooks": [mine]}]}}


def test_only_with_guard_is_its_tool_kept_from_the_model() -> None:
    asked = guarded(".claude/settings.json").put('{"permissions": {"deny": ["WebFetch"]}}')
    again = HOOKS.put(asked)

    assert json.loads(asked)["permissions"]["deny"] == ["WebFetch", "mcp__loomstack__guard"]
    assert json.loads(again)["permissions"]["deny"] == ["WebFetch"]
    assert json.loads(HOOKS.taken(asked)) == {"permissions": {"deny": ["WebFetch"]}}


TUNED = """\
env_vars = ["LOOMSTACK_HOME", "MINE"] # mine
required = false
startup_timeout_sec = 99
enabled = true
tool_timeout_sec = 7
"""


def tuned() -> str:
    """What `init` wrote, changed by a person inside its marks, in all that it says but how the tools are approved."""
    head, _, rest = CODEX.put('model = "x"  # mine\n').partition('command = "loomstack-mcp"\n')
    _, mark, end = rest.partition("# <<< loomstack")
    return f'{head}command = "loomstack-mcp"\n{TUNED}\n[mcp_servers.loomstack.env]\nLOOMSTACK_REPO = "a/b"\n{mark}{end}'


def test_what_a_person_tuned_inside_our_block_stays_and_what_is_missing_comes() -> None:
    text = tuned()
    put = CODEX.put(text)
    server = tomllib.loads(put)["mcp_servers"]["loomstack"]

    assert server["env"] == {"LOOMSTACK_REPO": "a/b"}
    assert (server["required"], server["startup_timeout_sec"], server["tool_timeout_sec"]) == (False, 99, 7)
    assert server["enabled"] is True
    assert {"LOOMSTACK_HOME", "MINE", "LOOMSTACK_STORE"} <= set(server["env_vars"])
    assert server["default_tools_approval_mode"] == "approve"
    assert put.startswith('model = "x"  # mine\n')
    assert "] # mine\n" in put
    assert CODEX.put(put) == put
    assert CODEX.taken(put) == 'model = "x"  # mine\n'


def test_another_url_takes_the_place_of_the_one_before() -> None:
    first = file(".codex/config.toml", url="https://x.example/mcp").put("")
    put = file(".codex/config.toml", url="https://y.example/mcp").put(
        first.replace("timeout_sec = 30", "timeout_sec = 9")
    )
    server = tomllib.loads(put)["mcp_servers"]["loomstack"]

    assert (server["url"], server["startup_timeout_sec"]) == ("https://y.example/mcp", 9)


def test_another_way_to_the_server_keeps_what_was_added() -> None:
    put = file(".codex/config.toml", url="https://x.example/mcp").put(tuned())
    server = tomllib.loads(put)["mcp_servers"]["loomstack"]

    assert server["url"] == "https://x.example/mcp"
    assert "command" not in server
    assert server["enabled"] is True
