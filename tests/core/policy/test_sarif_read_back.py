"""Decisions for other programs: what they read back is what was decided, whatever is in names and texts."""

from typing import Literal
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.policy.decide import Decision, Reason
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.policy.sarif import annotations, sarif
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.texts import encodable

_URI = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=@/")
"""The characters of a relative path (RFC 3986, 3.3), but for the colon."""
named = st.binary(max_size=20).map(lambda name: name.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
worded = st.text(max_size=20) | st.sampled_from(["50%", "a\r\nb", "::error::x", "a,b:c", "%0A"])


def decision(
    *violations: Violation, outcome: Literal["fired", "audit"] = "fired", why: str = "why", fix: str = ""
) -> Decision:
    rule = Rule(id="core-closed", why=why, fix=fix, effect="deny", on=("land",))
    return Decision(
        answer="deny",
        reasons=(Reason(rule=rule, outcome=outcome, effect="deny", violations=violations),),
        policy="sha256:1",
    )


def read(command: str) -> tuple[dict[str, str], str]:
    """The properties and the message of a workflow command, as the runner reads it (actions/toolkit, command.ts)."""
    head, _, message = command.removeprefix("::").partition("::")
    _, _, properties = head.partition(" ")
    pairs = (one.partition("=") for one in properties.split(","))
    return {name: unescaped(value, colon=True) for name, _, value in pairs}, unescaped(message)


def unescaped(text: str, *, colon: bool = False) -> str:
    for code, meant in [("%2C", ","), ("%3A", ":")] if colon else []:
        text = text.replace(code, meant)
    return text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


@given(path=named.filter(bool), why=worded, text=worded, fix=worded, line=st.integers(0, 9))
def test_an_annotation_is_one_line_that_reads_back(path: str, why: str, text: str, fix: str, line: int) -> None:
    [command] = annotations(decision(Violation(text=text, path=path, line=line), why=why, fix=fix))
    properties, message = read(command)

    assert command.encode().count(b"\n") + command.encode().count(b"\r") == 0
    assert properties == {"file": encodable(path), "line": str(line or 1), "title": "core-closed"}
    assert message == f"{why}: {text}. {fix}"


@given(path=named.filter(bool))
def test_the_place_of_a_result_is_a_reference_to_exactly_these_bytes(path: str) -> None:
    [result] = sarif(decision(Violation(text="x", path=path)))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert set(uri) <= _URI
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


def test_what_is_only_watched_is_told_to_nobody() -> None:
    watched = decision(Violation(text="x", path="a.py"), outcome="audit")

    assert list(annotations(watched)) == []
    assert sarif(watched)["runs"][0]["results"] == []


def test_a_violation_of_the_whole_change_has_no_place() -> None:
    [command] = annotations(decision(Violation(text="too large")))
    [result] = sarif(decision(Violation(text="too large")))["runs"][0]["results"]

    assert command == "::error title=core-closed::why: too large. "
    assert result == {"ruleId": "core-closed", "level": "error", "message": {"text": "why: too large"}}


def test_a_line_is_a_region_and_no_line_is_none() -> None:
    found = sarif(decision(Violation(text="x", path="a.py", line=3), Violation(text="y", path="b.py")))
    places = [result["locations"][0]["physicalLocation"] for result in found["runs"][0]["results"]]

    assert [place.get("region") for place in places] == [{"startLine": 3}, None]
