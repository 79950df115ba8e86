"""A trace on one screen: what a person reads from the top down."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from loomstack_mcp.cli import output
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.trace_views import bound_words

_LABEL = 10
_WIDTH = 100
"""Where nobody looks at it."""
_ANSWERS = {"deny": "red", "require_approval": "magenta", "warn": "yellow", "allow": "green"}
_Part = Mapping[str, Any]


def trace_lines(shown: Body, /) -> Iterator[str]:
    """The lines of a trace, as `trace_shown` gives it."""
    body: _Part = shown
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else 0
    for line in _all(body):
        yield line if not width or len(click.unstyle(line)) <= width else _cut(line, width)


def _all(body: _Part) -> Iterator[str]:
    by_run = {one["run"]: one for one in body.get("runs", ())}
    if line := body.get("line"):
        told = bound_words(line.get("bound_by", ""), line.get("confidence", 0))
        written, asked = f"{line['path']}:{line['line']}", body.get("ref", "")
        yield _labelled("line", _plain(written), f"now {_plain(asked)}" if asked != written else "", told)
    for commit in body.get("commits", ()):
        yield from _commit(commit, has_line=bool(body.get("line")), is_one=len(body["commits"]) == 1)
    yield from _more(body, "commits")
    for run in by_run.values():
        yield from _run(run, detailed=len(by_run) <= 3)
    yield from _more(body, "runs")
    for deploy in body.get("deploys", ()):
        yield from _deploy(deploy)
    for step in body.get("later", ()):
        yield _later(step)
    yield from _left_open(body)


def _left_open(body: _Part) -> Iterator[str]:
    if body.get("unattributed"):
        yield _labelled("run", "unattributed: no run is known to have made it")
    for gap in body.get("unchecked", ()):
        text = f"Not checked: {_plain(gap)}."
        yield click.style(text, fg="yellow") if output.is_styled() else text
    if body.get("next"):
        yield f"→ {_plain(body['next'])}"


def _later(step: _Part) -> str:
    how = f"{step['how']} by {step['commit']}"
    shown = click.style(how, fg="yellow") if output.is_styled() else how
    of = f"{step['of']} " if step.get("of") else ""
    return _labelled("later", of + shown, _title(step), _plain(step.get("who", "")), step.get("run", ""), _ago(step))


def _commit(commit: _Part, *, has_line: bool, is_one: bool) -> Iterator[str]:
    told = "" if has_line else bound_words(commit.get("bound_by", ""), commit.get("confidence", 0))
    if not is_one:
        told = f"{commit['run']} {told}" if commit.get("run") else "no run is known"
    yield _labelled(
        "commit", _bold(commit["commit"]), _title(commit), _plain(commit.get("author", "")), _ago(commit), told
    )
    if commit.get("gone"):
        yield _labelled("", "had landed, and is on the trunk of this clone no longer")
    if url := commit.get("url"):
        yield _labelled("", _plain(url))
    yield from _doubts(commit)
    for each in commit.get("ai", ()):
        said = [_plain(each.get(name, "")) for name in ("tool", "model", "session")]
        lines = f"{each['lines']} lines" if each.get("lines") else ""
        yield _labelled("", "git-ai notes say: " + " ".join(filter(None, said)), lines)


def _doubts(commit: _Part) -> Iterator[str]:
    """Whose it may be, too, and what speaks against whose it is."""
    for each in commit.get("candidates", ()):
        told = bound_words(each["bound_by"], each["confidence"])
        yield _labelled("", f"may also be {each['run']}'s", told)
    if taken_back := commit.get("reverts"):
        yield _labelled("", f"takes back {', '.join(taken_back)}")
    if flags := commit.get("flags"):
        yield _labelled("", f"flags: {', '.join(map(_plain, flags))}")
        if "uncompared" in flags:
            yield _labelled("", "words alone say whose it is, which anybody may write: nothing can be compared")


def _run(run: _Part, *, detailed: bool) -> Iterator[str]:
    who = f"{_plain(run['loop'])}@{_plain(run['who'])}"
    yield _labelled("run", f"{_bold(run['run'])}  {_bold(who)}", _plain(run["state"]), _ago(run), _cost(run))
    yield _labelled("  goal", _plain(run["goal"]))
    if not detailed:
        return
    for at, text in enumerate(run.get("intents", ())):
        yield _labelled("" if at else "  why", _plain(text))
    for note in run.get("notes", ()):
        by = f"{note['kind']} by {_plain(note['who'])}" + (" (a person)" if note.get("authority") == "human" else "")
        yield _labelled("  led by", f"{by}: {_plain(note['text'])}", _ago(note))
    yield from _more(run, "notes")
    for each in run.get("outcomes", ()):
        yield _labelled("  outcome", _outcome(each), _ago(each))
    yield from _more(run, "outcomes")
    approvals = list(run.get("approvals", ()))
    for decision in run.get("decisions", ()):
        yield from _decision(decision, [one for one in approvals if one["decision"] == decision["decision"]])
    yield from _more(run, "decisions")


def _outcome(one: _Part) -> str:
    counted = one.get("passed", 0) + one.get("failed", 0)
    score = f" {one.get('passed', 0)}/{counted}" if counted else ""
    rework = f", rework round {one['rework']}" if one.get("rework") else ""
    return f"{one['status']}{score} by {_plain(one['who'])} ({one['role']}){rework}: {_plain(one['summary'])}"


def _decision(one: _Part, approvals: Sequence[_Part]) -> Iterator[str]:
    answer = one["answer"]
    shown = click.style(answer, fg=_ANSWERS.get(answer)) if output.is_styled() else answer
    rules = f" by {', '.join(map(_plain, one['rules']))}" if one.get("rules") else ""
    why = f": {_plain(one['why'][0])}" if one.get("why") and answer != "allow" else ""
    what = f"{_plain(one.get('action', ''))}: {shown}{rules}{why}"
    yield _labelled("  decided", what, _plain(one.get("who", "")), _ago(one))
    for approval in approvals:
        yield from _approval(approval)
    if one.get("approved_by") and not approvals:
        yield _labelled("  approved", _bold(f"by {', '.join(map(_plain, one['approved_by']))}"))


def _approval(approval: _Part) -> Iterator[str]:
    if not approval.get("answers"):
        yield _labelled("", f"{approval['approval']} is {approval['state']}")
    for each in approval.get("answers", ()):
        why = f": {_plain(each['why'])}" if each.get("why") else ""
        said = _bold(f"{each['verdict']} by {_plain(each['who'])}")
        label = "  approved" if each["verdict"] == "granted" else "  denied"
        yield _labelled(label, f"{said}{why}", approval["approval"])


def _deploy(one: _Part) -> Iterator[str]:
    name = f" {_plain(one['called'])}" if one.get("called") else ""
    how = {"tag": "by its tag", "gate": "let through by the gate"}.get(one.get("how", ""), "")
    shown = f"{_bold(_plain(one['environment']))}{name}"
    yield _labelled("deploy", shown, one["deploy"], one["sha"][:12], f"by {_plain(one['who'])}", how, _ago(one))
    if one.get("covers"):
        yield _labelled("", _plain(one["covers"]))
    if one.get("rolled_back_by"):
        yield _labelled("", f"taken out again by the rollback {one['rolled_back_by']}")
    if one.get("decision"):
        yield from _decision(one["decision"], one.get("approvals", ()))


def _more(body: _Part, what: str) -> Iterator[str]:
    if number := body.get(f"more_{what}"):
        yield _labelled("", f"… and {number:,} more {what} (--full, --json)")


def _cost(run: _Part) -> str:
    cost = f"${run['cost_usd']:.2f}" if run.get("cost_usd") else ""
    return ", ".join(filter(None, (f"{run['tokens']:,} tokens" if run.get("tokens") else "", cost)))


def _title(one: _Part) -> str:
    return _plain(one.get("title", ""))


def _ago(one: _Part) -> str:
    return f"{one['age']} ago" if one.get("age") else ""


def _labelled(label: str, text: str, *more: str) -> str:
    told = "  ".join(filter(None, (text, *more)))
    return f"{label:<{_LABEL}}  {told}"


def _plain(text: object) -> str:
    return output.harmless(str(text))


def _bold(text: str) -> str:
    return click.style(text, bold=True) if output.is_styled() else text


def _cut(line: str, width: int) -> str:
    """A line that is too long goes on below its label."""
    return line if "\x1b" in line else "\n".join(_folded(line, width))


def _folded(line: str, width: int) -> Iterator[str]:
    import textwrap  # 3 ms, which a short trace need not spend

    yield from textwrap.wrap(
        line, width, subsequent_indent=" " * (_LABEL + 2), break_long_words=True, drop_whitespace=True,
        replace_whitespace=False,
    )  # fmt: skip
