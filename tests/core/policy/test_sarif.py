"""Decisions for other programs: what SARIF 2.1.0 demands of a log, and GitHub's commands, one line each."""

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from loomstack_mcp.core.policy.decide import Decision, Reason
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.policy.sarif import annotations, sarif
from loomstack_mcp.core.policy.violations import Violation

# As os.fsdecode gives them: bytes that are no UTF-8 are lone surrogates.
NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: not {0, 47} & set(name))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: b"/".join(names).decode("utf-8", "surrogateescape"))
URI = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*")  # RFC 3986, 3.3, "path"


def decision(*violations: Violation, outcome: Any = "fired", effect: Any = "deny") -> Decision:
    rule = Rule(id="core", why="people own it", effect="deny", on=("edit",), fix="ask ana")
    reason = Reason(rule=rule, outcome=outcome, effect=effect, violations=violations)
    return Decision(answer="deny", reasons=(reason,), policy="sha256:0")


@given(PATHS)
@example("docs/100% of it#1?.md")
@example("a:b/c.py")
@example("app/[id]/page.tsx")
@example("\udcff")
def test_the_place_is_a_uri_that_leads_back_to_the_path(path: str) -> None:
    [run] = sarif(decision(Violation(text="is no good", path=path, line=3)))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    uri = place["artifactLocation"]["uri"]

    assert URI.fullmatch(uri)
    assert (urlsplit(uri).scheme, urlsplit(uri).query, urlsplit(uri).fragment) == ("", "", "")
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")
    assert place["region"] == {"startLine": 3}


@given(st.lists(PATHS, max_size=3), st.sampled_from(["deny", "require_approval", "warn", "allow"]))
def test_a_log_has_what_sarif_demands(paths: list[str], effect: str) -> None:
    told = json.loads(json.dumps(sarif(decision(*(Violation(text=p, path=p) for p in paths), effect=effect))).encode())
    [run] = told["runs"]

    assert told["version"] == "2.1.0"
    assert run["tool"]["driver"]["name"]
    assert {one["ruleId"] for one in run["results"]} <= {one["id"] for one in run["tool"]["driver"]["rules"]}
    assert {one["level"] for one in run["results"]} <= {"none", "note", "warning", "error"}
    assert len(run["results"]) == len(paths)


def test_what_did_not_fire_is_not_told() -> None:
    for outcome in ("audit", "waived", "approved"):
        found = decision(Violation(text="x", path="a"), outcome=outcome)

        assert sarif(found)["runs"][0]["results"] == []
        assert list(annotations(found)) == []


@given(PATHS, st.text(max_size=8))
def test_an_annotation_is_one_command_whatever_the_path(path: str, text: str) -> None:
    [line] = annotations(decision(Violation(text=text, path=path)))
    fields, _, message = line.removeprefix("::error ").partition("::")

    assert not {"\n", "\r"} & set(line)
    assert line.encode()
    assert [field.partition("=")[0] for field in fields.split(",")] == ["file", "line", "title"]
    assert message.startswith("people own it: ")
