"""Requests as no list would hold them all: methods, shapes of params, arguments of every kind."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.server.front.sides import META

Strategy = st.SearchStrategy[Any]

TEXTS = ("", " ", "x", "null", '["a"]', "é\u2028", "a\0b", "\ud800x", "x" * 700, "x: y; z: w")
NUMBERS = (
    *(0, 1, -1, 7, 46, 10**30, 30.0, 30.5, -0.0, 1e3, 1e300, float("nan"), float("inf"), True, False, None),
    *("7", " 30 ", "+30", "-0", "30.0", "30.5", "1e3", "1_000", "00030", "0x1e", "NaN", "٣٠", '"30"', "true", "[30]"),
)
LISTS: tuple[Any, ...] = (
    *([], ["a"], [1], [None], [["a"]], ["a", 7], ["src/a.py"], ["../x"], ["/etc"], [""], ["src/*.py", "src/*.py"]),
    *("[]", '["a"]', '"a"', "[1]", '["a",2]', "[1", "src/a.py", "{}", "7", "true", "null", None, 7, True, {"a": 1}),
)
OBJECTS: tuple[Any, ...] = (
    *({}, {"a": 1}, {"a": "b"}, {"passed": "1"}, {"passed": 1.5}, {"passed": None, "x": 1}),
    *({"passed": True, "failed": "0"}, {"failing": ["t"]}, {"failing": "t"},
      {"failing": '["t"]'}, {"failing": [1]}, {"failing": None}, {"passed": "x"}),
    *({"pr": "http://x"}, {"": "u"}, {"pr": None}, {"pr": 7}, {"a": "b", "c": 1, "d": 2}, {"passed": 10**30}),
    *("{}", '{"passed":1}', '{"pr":"u"}', '{"a":', "null", "[]", "x", None, [], 7, True),
)  # fmt: skip
CHOICES: tuple[Any, ...] = (
    *("shared", "Exclusive", "EDIT", '"shared"', '["shared"]', "passed ", "null", "", None, 7, True, ["shared"], {}),
)
OF_TYPES: Mapping[str, tuple[Any, ...]] = {
    "string": (*TEXTS, None, 7, 7.5, True, ["x"], {"a": 1}),
    "integer": (*NUMBERS, "", "x", "null", [30], {"a": 1}),
    "array": LISTS,
    "object": OBJECTS,
    "enum": CHOICES,
}
"""What is sent for an argument by models that learned otherwise, by the type that its schema tells."""
ODD: tuple[Any, ...] = (*TEXTS, *NUMBERS, *LISTS, *OBJECTS, *CHOICES)

ARGUMENTS: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "start_run": {
        "loop": ("triage", "refactor"), "goal": ("green trunk",), "paths": (["src/a.py"], ["src"], []),
        "checks_run": ("", "run_00000000"), "finding": ("", "T-1"), "key": ("", "k1"),
        "repo": ("",),
        "branch": ("", "other"),
    },
    "read_shared_context": {
        "run": ("", "run_00000000"), "paths": (["src"], ["tests/test_a.py"]), "query": ("", "renamed", "a OR b"),
        "since": (0, 3), "budget_tokens": (800, 50),
    },
    "share_context": {
        "run": ("", "run_00000001"), "kind": ("intent", "fact", "handoff", "decision"), "text": ("renamed on purpose",),
        "paths": (["src/a.py"], []), "to": ("", "run_00000000", "triage"), "expires_hours": (0, 5),
        "supersedes": ("", "note_00000000"),
    },
    "claim_paths": {
        "run": ("", "run_00000000", "run_00000001"),
        "paths": (["src/a.py"], ["src/b.py"], ["src/"], ["app/[id]/page.tsx"]),
        "intent": ("rename it",), "mode": ("exclusive", "shared"), "minutes": (30, 1, 1440),
        "wait_seconds": (0,),
    },
    "release_paths": {"run": ("", "run_00000001"), "claims": ([], ["claim_00000000"], ["claim_00000001"])},
    "check_policy": {
        "action": ("edit", "push", "commit"), "paths": (["src/a.py"],), "command": ("", "git push --force"),
        "target": ("", "main"), "base": ("", "main"), "run": ("",),
        "worktree": ("", "/nope"),
    },
    "check_conflicts": {"run": ("", "run_00000000"), "base": ("", "main", "nope"), "worktree": ("", "/nope")},
    "record_outcome": {
        "run": ("", "run_00000000"), "status": ("passed", "failed", "blocked"), "summary": ("done so far",),
        "role": ("maker", "checker"), "checks": ({"passed": 3}, {"failed": 1, "failing": ["t"]}), "tried": ("", "a"),
        "finding": ("", "T-1"),
        "commits": ([], ["0" * 40]), "links": ({"pr": "http://localhost/1"}, {}),
    },
    "trace_change": {"ref": ("HEAD", "#1", "deploy:1", "run_00000000", "README.md:1", "", "-x")},
    "guard": {
        "hook_event_name": ("PreToolUse", "PostToolUse", "x"), "tool_name": ("Edit", "Bash", "mcp__x__y", ""),
        "tool_input": ({}, {"file_path": "/nope/a.py"}, {"command": "ls"}), "tool_use_id": ("t",),
        "session_id": ("", "s"), "agent_id": ("", "a"), "cwd": ("", "/nope"),
    },
}  # fmt: skip
REQUIRED: Mapping[str, frozenset[str]] = {
    "start_run": frozenset({"loop", "goal"}),
    "share_context": frozenset({"kind", "text"}),
    "claim_paths": frozenset({"paths", "intent"}),
    "check_policy": frozenset({"action"}),
    "record_outcome": frozenset({"status", "summary"}),
    "trace_change": frozenset({"ref"}),
}
URIS = (
    *("loom://runs", "loom://claims", "loom://activity", "loom://runs/run_00000000", "loom://runs/%72un_00000000"),
    *("loom://runs/nope", "loom://runs/", "loom://runs/a/b", "loom://runs/a%2Fb", "loom://runs/%ff", "loom://runs/%"),
    *("loom://runs?x=1", "loom://runs#f", "loom://runs/run_00000000?x", "LOOM://runs", "loom://run%73", " loom://runs"),
    *("", "x", "file:///etc/passwd", "loom://runs/..", "loom://runs/..%2Fx", "loom://runs/%2Fetc", "loom://runs/C:x"),
    *("loom://runs/a b", "loom://runs/é", "loom://runs/\ud800", "loom://runs/a\0", "loom://runs/a,b", "loom://runs/{run}"),
    *("loom://runs/a+b", "loom://runs/a&b=c", "loom://runs/a;b", "loom://runs/a:b", "loom://runs/%00", "loom://runs/~"),
    *("loom://runs/" + "r" * 700, "loom://runs/" + "r" * 70_000),
)  # fmt: skip
METHODS = (
    *("ping", "tools/list", "resources/list", "resources/templates/list", "prompts/list", "logging/setLevel"),
    *("resources/subscribe", "resources/unsubscribe", "completion/complete", "tasks/get", "tasks/list", "tasks/cancel"),
    *("server/discover", "roots/list", "sampling/createMessage", "elicitation/create", "notifications/initialized"),
    *("tools/call", "prompts/get", "resources/read", "foo/bar", "", "Ping", "initialize"),
)
VALUES = st.sampled_from(ODD)
META_KEYS = (
    *("progressToken", "threadId", "sessionId", "x-codex-turn-metadata", "claudecode/toolUseId", "foo"),
    *(
        f"io.modelcontextprotocol/{name}"
        for name in ("clientInfo", "clientCapabilities", "logLevel", "protocolVersion")
    ),
)
METAS = st.one_of(
    st.sampled_from((None, [], 7, "x", {})),
    st.dictionaries(
        st.sampled_from(META_KEYS[:-1]), st.one_of(VALUES, st.just({"name": "x", "version": "1"})), max_size=2
    ),
)
CAPABILITIES: Strategy = st.one_of(
    VALUES,
    st.dictionaries(
        st.sampled_from(("roots", "sampling", "elicitation", "experimental", "extensions", "tasks", "foo")),
        st.sampled_from(({}, 7, None, {"listChanged": True}, {"listChanged": "x"}, {"a": {}}, {"a": 7}, [])),
        max_size=2,
    ),
)  # fmt: skip


def arguments(tool: str) -> Strategy:
    """Arguments of a tool: mostly as its schema has them, one in three with something odd in it."""
    known, required = ARGUMENTS[tool], REQUIRED.get(tool, frozenset())
    usual = {name: st.sampled_from(values) for name, values in known.items()}
    well = st.fixed_dictionaries(
        {name: usual[name] for name in known if name in required},
        optional={name: usual[name] for name in known if name not in required},
    )
    odd = st.dictionaries(st.sampled_from((*known, "extra", "ctx", "self")), VALUES, min_size=1, max_size=3)
    return st.one_of(well, st.builds(lambda first, second: {**first, **second}, well, odd), odd)


CALLS = st.sampled_from(tuple(ARGUMENTS)).flatmap(
    lambda tool: st.fixed_dictionaries({"name": st.just(tool), "arguments": arguments(tool)})
)
SHAPES = st.one_of(
    st.sampled_from((None, {}, {"cursor": "x"}, {"cursor": None}, {"cursor": 7}, {"x": 1}, [], [1], 7, "x", True)),
    st.fixed_dictionaries({}, optional={
        "name": st.sampled_from(("release_paths", "nope", "loop", "triage", "handoff", 7, None, "x\x1b[31m\n")),
        "arguments": st.sampled_from((None, {}, [], "{}", 7, {"x": "y"}, {"name": "n", "goal": "a", "goal_2": "b"},
                                      {"to": "a b"}, {"scope": "  s "}, {"name": 7}, {"goal_60": "z"}, {"goal": None})),
        "uri": st.one_of(st.sampled_from(URIS), VALUES),
        "level": st.sampled_from(("info", "x", 7)),
        "ref": st.sampled_from(({"type": "ref/prompt", "name": "loop"}, {"type": "ref/resource", "uri": "u"}, {}, 7)),
        "argument": st.sampled_from(({"name": "goal", "value": "x"}, {"name": "goal"}, 7)),
        "task": st.sampled_from(({}, {"ttl": 1000}, {"ttl": "x"}, 7, None)),
        "inputResponses": st.sampled_from(({}, {"a": 1}, None, 7)),
        "requestState": st.sampled_from(("x", "", None, 7)),
        "taskId": st.sampled_from(("x", 7)),
        "protocolVersion": st.sampled_from(("2025-11-25", "2024-11-05", "1", None, 7)),
        "capabilities": CAPABILITIES,
        "clientInfo": st.sampled_from(({"name": "t", "version": "1"}, {"name": "t"}, {}, 7, None,
                                       {"name": "t", "version": "1", "title": 7},
                                       {"name": "t", "version": "1", "x": 7})),
    }),
)  # fmt: skip
"""Params of any method, fit for it or not."""
OF_METHODS = st.fixed_dictionaries({"method": st.sampled_from(METHODS), "params": SHAPES})
OF_TOOLS = st.fixed_dictionaries({"method": st.just("tools/call"), "params": CALLS})
OF_RESOURCES = st.fixed_dictionaries(
    {"method": st.just("resources/read"), "params": st.fixed_dictionaries({"uri": st.sampled_from(URIS)})}
)


def _with_meta(request: dict[str, Any], meta: Any) -> dict[str, Any]:
    params = request["params"]
    return {**request, "params": {**params, "_meta": meta}} if isinstance(params, dict) else request


def _modern(request: dict[str, Any], envelope: dict[str, Any]) -> dict[str, Any]:
    params = request["params"]
    mine = params.get("_meta", {}) if isinstance(params, dict) else {}
    more = mine if isinstance(mine, dict) else {}
    return {**request, "params": {**(params if isinstance(params, dict) else {}), "_meta": {**envelope, **more}}}


OF_ENVELOPES = st.sampled_from(("2099-01-01", "2025-11-25", "debug", {"name": "x", "version": "1"}))
ENVELOPES = st.one_of(
    st.just(META),
    st.builds(
        lambda name, value: {**META, name: value},
        st.sampled_from(META_KEYS[-4:]),
        st.one_of(CAPABILITIES, OF_ENVELOPES),
    ),
    st.sampled_from(({}, *({name: value} for name, value in META.items()))),
)
ANY = st.one_of(OF_METHODS, OF_TOOLS, OF_TOOLS, OF_RESOURCES)
OLDER = st.one_of(ANY, ANY, st.builds(_with_meta, ANY, METAS), st.builds(_with_meta, ANY, ENVELOPES))
MODERN = st.one_of(
    *[st.builds(_modern, ANY, st.just(META))] * 3,
    st.builds(_modern, st.builds(_with_meta, ANY, METAS), ENVELOPES),
)
