"""Policy files: what they come to mean, and everything that is wrong with them, said with its place."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # stubs for the one call below would be a dependency more
import pytest
import yaml

from loomstack_mcp.adapters.policy import models
from loomstack_mcp.adapters.policy.load import PROBLEMS_MAX, PolicyFile, builtin, file_schema, loaded
from loomstack_mcp.adapters.policy.strict_yaml import document
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.policy import rules
from loomstack_mcp.core.policy.rules import Layer, Rulebook

WANTED = Path(__file__).with_name("policy.schema.json")
FULL = """\
version: 1
policy: full
rules:
  # closed to loops
  - id: core-closed
    why: core belongs to the platform team
    effect: require_approval
    mode: audit
    on: [edit, land]
    at: {pretool: warn, ci: deny}
    who: {kind: [loop], not_role: [lead]}
    where: {branch: ["/main"], paths: ["/src/core/**"], except: ["/src/core/README.md"]}
    when:
      windows: [{from: 22:00, to: 06:00, tz: Europe/Berlin}, {days: [sat], tz: UTC}]
      freezes: [{name: year-end, start: "2026-12-18T18:00", end: "2027-01-04T08:00", tz: Europe/Berlin}]
    check:
      limits: {files_max: 50, cost_usd_max: 20}
      evidence: [{kind: tests, result: pass, covers: head}]
      boundaries: {layers: [["/a/**"], ["/b/**"]], forbid: [{from: ["/b/**"], to: [requests]}], only_new: false}
      content: {forbid_added: ["TODO"]}
      commands: [[git, push, "--force|-f"]]
      claims: null
    approve: {by: ["role:lead"], count: 2}
    examples: {fires: [SRC/core/a.py], passes: [src/core/README.md, src/app/a.py]}
    waivable_by: [lead]
    owner: null
waivers:
  - {id: w-1, rule: core-closed, why: urgent repair, paths: [/src/core/a.py], approved_by: lee, approved_role: lead,
     created: "2026-11-20T00:00:00+00:00", expires: 2026-11-27T01:00:00+01:00}
"""


def policy(text: str, *, name: str = "policies/x.yaml", layer: Layer = "repo") -> PolicyFile:
    return PolicyFile(layer=layer, name=name, content=text.encode())


def rule(more: str = "", *, id: str = "aa", effect: str = "deny") -> str:  # noqa: A002
    """A file with one rule, whose `id` is on line 4 and whose `more` begins on line 8."""
    lines = ["version: 1", "policy: x", "rules:", f"  - id: {id}", "    why: some good reason"]
    lines += [f"    effect: {effect}", "    on: [land]", *(f"    {line}" for line in more.splitlines())]
    return "\n".join(lines) + "\n"


def wrong(*files: PolicyFile) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        loaded(files)
    return str(refused.value).split("\n")


def told(more: str, **parts: str) -> str:
    """The only problem of a rule."""
    problems = wrong(policy(rule(more, **parts)))

    assert len(problems) == 1, problems
    return problems[0]


def book(*texts: str) -> Rulebook:
    return loaded([policy(text, name=f"policies/{number}.yaml") for number, text in enumerate(texts)])


def test_a_file_becomes_records() -> None:
    found = book(FULL)

    assert found.rules == (
        rules.Rule(
            id="core-closed",
            why="core belongs to the platform team",
            effect="require_approval",
            mode="audit",
            on=("edit", "land"),
            at={"pretool": "warn", "ci": "deny"},
            who=rules.Who(kind=("loop",), not_role=("lead",)),
            where=rules.Where(branch=("/main",), paths=("/src/core/**",), excepted=("/src/core/README.md",)),
            when=rules.When(
                windows=(
                    rules.Window(start_minute=22 * 60, end_minute=6 * 60, tz="Europe/Berlin"),
                    rules.Window(days=("sat",), tz="UTC"),
                ),
                freezes=(
                    rules.Freeze(name="year-end", start="2026-12-18T18:00", end="2027-01-04T08:00", tz="Europe/Berlin"),
                ),
            ),
            check=rules.Checks(
                limits=rules.Limits(files_max=50, cost_usd_max=20.0),
                evidence=(rules.Evidence(kind="tests"),),
                boundaries=rules.Boundaries(
                    layers=(("/a/**",), ("/b/**",)),
                    forbid=(rules.Forbid(sources=("/b/**",), targets=("requests",)),),
                    only_new=False,
                ),
                content=rules.Content(forbid_added=("TODO",)),
                commands=(("git", "push", "--force|-f"),),
            ),
            approve=rules.Approve(by=("role:lead",), count=2),
            examples=rules.Examples(fires=("SRC/core/a.py",), passes=("src/core/README.md", "src/app/a.py")),
            waivable_by=("lead",),
            place="policies/0.yaml:5",
        ),
    )
    assert found.waivers == (
        rules.Waiver(
            id="w-1",
            rule="core-closed",
            why="urgent repair",
            paths=("/src/core/a.py",),
            approved_by="lee",
            approved_role="lead",
            created_at_ms=1_795_132_800_000,
            expires_at_ms=1_795_737_600_000,
            place="policies/0.yaml:28",
        ),
    )


def test_what_is_not_said_is_as_the_record_has_it() -> None:
    (found,) = book(rule("who: null\nwhere: {}\nwhen:\nowner: ops")).rules

    assert found == rules.Rule(
        id="aa", why="some good reason", effect="deny", on=("land",), owner="ops", place="policies/0.yaml:4"
    )


def test_the_layers_come_in_their_order() -> None:
    files = [policy(rule(id="cc")), policy(rule(id="bb"), name="org/core.yaml", layer="org"), *builtin()]

    found = loaded(files).rules

    assert [one.layer for one in found] == ["builtin"] * 4 + ["org", "repo"]
    assert (found[-1].place, found[-2].place) == ("policies/x.yaml:4", "org/core.yaml:4")


def test_the_built_in_layer_loads_and_nobody_waives_it() -> None:
    found = loaded(builtin()).rules

    assert [one.id.removeprefix("builtin.") for one in found] == [
        "no-hook-bypass",
        "policy-guard",
        "outside-repo",
        "decider",
    ]
    assert {one.who.kind for one in found} == {("loop", "agent")}
    assert {one.waivable_by for one in found} == {()}


def test_the_hash_is_of_what_the_rules_mean() -> None:
    again = yaml.safe_dump(document("x", FULL.encode()).value, sort_keys=True)  # other quotes and order, no comments

    assert book(FULL).hash == book(f"# a comment\n{again}").hash
    assert book(rule(id="bb"), rule(id="cc")).hash == book(rule(id="cc"), rule(id="bb")).hash
    assert book(rule()).hash != book(rule("mode: audit")).hash
    assert book(rule()).hash.startswith("sha256:")


@pytest.mark.parametrize(
    ("more", "line", "words"),
    [
        ("efect: deny", 8, "rules[0].efect: is no key here; did you mean effect?"),
        ("where:\n  path: [a]", 9, "rules[0].where.path: is no key here; did you mean paths?"),
        ("check:\n  limits:\n    file_max: 3", 10, "limits.file_max: is no key here; did you mean files_max?"),
        ("zzz: 1", 8, "rules[0].zzz: is no key here; keys are id, why, effect"),
        ("mode: enforced", 8, "rules[0].mode: enforced is none of enforce, audit; did you mean enforce?"),
        ("at: {pre-comit: warn}", 8, "rules[0].at.pre-comit: pre-comit is none of mcp"),
        ("at: {pre-comit: warn}", 8, "did you mean pre-commit?"),
        ("who: {kind: [Loop]}", 8, "rules[0].who.kind[0]: Loop is none of human, agent, loop, ci, unknown; did you"),
        ("who: {kind: loop}", 8, "rules[0].who.kind: must be a list"),
        ("fix: 7", 8, "rules[0].fix: must be a text; put it in quotes"),
        ("where: [a]", 8, "rules[0].where: must hold keys"),
        ("waiver_days_max: 91", 8, "must be at most 90"),
        ("waiver_days_max: 1.0", 8, "must be a whole number"),
        ("check: {limits: {files_max: -1}}", 8, "must be at least 0"),
        ("check: {limits: {cost_usd_max: .nan}}", 8, "must be a finite number"),
        ("check: {work_item: yes}", 8, "must be true or false"),
        ("when: {windows: [{from: 9:00, tz: UTC}]}", 8, "when.windows[0].from: must match"),
        ("when:\n  windows:\n    - from: 09:00", 10, "rules[0].when.windows[0].tz: is missing"),
        ("approve: {by: []}", 8, "rules[0].approve.by: must not be empty"),
    ],
)
def test_a_wrong_shape_is_told_with_the_spelling_that_was_meant(more: str, line: int, words: str) -> None:
    found = told(more)

    assert found.startswith(f"policies/x.yaml:{line}: ")
    assert words in found


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("at: {ci: warn}", "rules[0].at.ci: warn is weaker than the effect deny"),
        ("at: {land: off}", "rules[0].at.land: off is weaker"),
        ("at: {pre-push: require_approval}", "rules[0].effect: require_approval needs `approve`"),
        ('where: {paths: ["a**/b"]}', "rules[0].where.paths[0]: a**/b: ** stands for whole folders"),
        ('where: {except: ["!a"]}', "rules[0].where.except[0]: !a begins with !"),
        ('where: {branch: [""]}', "rules[0].where.branch[0]: a pattern is empty"),
        ("check: {confine: [a//b]}", "rules[0].check.confine[0]: a//b has an empty segment"),
        ("check: {boundaries: {layers: [[../a]]}}", "rules[0].check.boundaries.layers[0][0]: ../a has the segment .."),
        ('check: {boundaries: {forbid: [{from: ["[a"], to: [b]}]}}', "forbid[0].from[0]: [a: [ is not closed"),
        (r"check: {message: (a)\1}", "rules[0].check.message: "),
        ('check: {content: {forbid_added: ["(?=a)"]}}', "rules[0].check.content.forbid_added[0]: "),
        ("check: {}", "rules[0].check: asks nothing"),
        ("check: {limits: {}}", "rules[0].check.limits: asks nothing"),
        ("check: {boundaries: {only_new: false}}", "rules[0].check.boundaries: asks nothing"),
        ("check: {commands: [[]]}", "rules[0].check.commands[0]: holds an empty word"),
        ('check: {commands: [[git, "-f|"]]}', "rules[0].check.commands[0]: holds an empty word"),
        ("when: {windows: [{tz: Europe/Berln}]}", "there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?"),
        ("when: {windows: [{tz: localtime}]}", "there is no time zone 'localtime'"),
        ('when: {windows: [{from: "08:00", to: "08:00", tz: UTC}]}', "windows[0].to: is 08:00, as `from` is"),
        ("when: {freezes: [{name: a, start: 2026-12-02, end: 2026-12-01, tz: UTC}]}", "freezes[0].end: 2026-12-01 is"),
        ("when: {freezes: [{name: a, start: soon, end: 2026-12-01, tz: UTC}]}", "freezes[0].start: 'soon' is no local"),
        (
            "when: {freezes: [{name: a, start: 2026-12-01T08:00Z, end: 2026-12-03, tz: UTC}]}",
            "freezes[0].start: '2026-12-01T08:00Z' is no local time",
        ),
        ("where: {paths: [/src/**]}\nexamples: {fires: [lib/a]}", "fires[0]: the rule does not fire for lib/a"),
        ("check: {confine: [/src/**]}\nexamples: {passes: [lib/a]}", "examples.passes[0]: the rule fires for lib/a"),
        ('waivable_by: [""]', "rules[0].waivable_by: holds an empty name"),
    ],
)  # fmt: skip
def test_what_the_schema_cannot_say_is_told_as_well(more: str, words: str) -> None:
    assert words in told(more)


def test_approval_needs_somebody_who_approves() -> None:
    assert "policies/x.yaml:6: rules[0].effect: require_approval needs `approve`" in told("", effect="require_approval")


@pytest.mark.parametrize("version", ["2", '"1"', "true", "1.0"])
def test_only_version_1_is_read(version: str) -> None:
    assert wrong(policy(f"version: {version}\npolicy: x\n"))[0].startswith("policies/x.yaml:1: version: ")


@pytest.mark.parametrize("text", ["[]", "x", "null"])
def test_a_file_that_holds_no_keys_is_refused(text: str) -> None:
    assert wrong(policy(text)) == ["policies/x.yaml:1: the file: must hold keys, as in {key: value}"]


def test_an_id_comes_once_over_all_layers() -> None:
    org = policy(rule(id="core-closed"), name="org/core.yaml", layer="org")
    repo = policy(rule(id="core-closed", effect="warn"))

    (found,) = wrong(repo, org)

    assert found.startswith("policies/x.yaml:4: rules[0].id: core-closed is already at org/core.yaml:4")


def test_an_id_comes_once_on_one_line_too() -> None:
    one = "{id: aa, why: some good reason, effect: warn, on: [land]}"

    (found,) = wrong(policy(f"{{version: 1, policy: x, rules: [{one}, {one}]}}"))

    assert "aa is already at policies/x.yaml:1" in found


def test_only_we_name_a_rule_builtin() -> None:
    assert "builtin. is for rules that come with us" in told("", id="builtin.outside-repo")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("rule: core-closed", "rule: core-close"), "rule: there is no rule core-close; did you mean core-closed?"),
        (("approved_role: lead", "approved_role: dev"), "approved_role: 'dev' may not waive core-closed; lead may"),
        (("waivable_by: [lead]", "waivable_by: []"), "rule: core-closed cannot be waived"),
        (("created: \"2026-11-20T00:00:00+00:00\"", "created: 2026-11-20"), "created: '2026-11-20' is no instant"),
        (("expires: 2026-11-27T01", "expires: 2026-12-27T01"), "expires: is more than 14 days after `created`"),
        (("expires: 2026-11-27T01", "expires: 2026-11-17T01"), "expires: is not after `created`"),
        (("paths: [/src/core/a.py]", "paths: [/src/../a.py]"), "paths[0]: /src/../a.py has the segment .."),
        (("approved_by: lee", 'approved_by: " "'), "approved_by: holds an empty name"),
    ],
)  # fmt: skip
def test_a_waiver_is_for_a_rule_by_somebody_who_may_and_ends(change: tuple[str, str], words: str) -> None:
    (found,) = wrong(policy(FULL.replace(*change)))

    assert f"waivers[0].{words}" in found


def test_a_waiver_lasts_exactly_as_long_as_its_rule_allows() -> None:
    assert book(FULL.replace("2026-11-27T01:00", "2026-12-04T01:00")).waivers


def test_every_problem_of_every_file_is_told() -> None:
    found = wrong(policy(rule("a: 1\nb: 2")), policy("a: &a 1", name="policies/y.yaml"), policy(rule("at: {ci: off}")))

    assert [one.split(": ")[0] for one in found] == [
        "policies/x.yaml:8", "policies/x.yaml:9", "policies/y.yaml:1", "policies/x.yaml:8",
    ]  # fmt: skip


def test_the_list_of_problems_ends() -> None:
    found = wrong(policy(rule("\n".join(f"a{number}: 1" for number in range(PROBLEMS_MAX + 5)))))

    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1] == "and 5 more"


def shape(node: Any) -> Any:
    """A schema without titles and descriptions, and without the order of its enums."""
    if isinstance(node, list):
        return [shape(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not (key in ("title", "description") and type(value) is str)}
    return {key: sorted(value) if key in ("enum", "required") else shape(value) for key, value in kept.items()}


def test_the_schema_is_the_one_that_was_agreed() -> None:
    found = file_schema()

    jsonschema.Draft202012Validator.check_schema(found)
    assert shape({key: value for key, value in found.items() if key != "$schema"}) == shape(
        json.loads(WANTED.read_text())
    )


def test_a_model_and_its_record_have_the_same_defaults() -> None:
    """The loader leaves out what is at its default, so that one of another value would change unseen."""
    pairs = [(getattr(models, name), getattr(rules, name)) for name in ("Evidence", "Boundaries", "Approve")]
    pairs += [(models.Content, rules.Content), (models.Limits, rules.Limits)]

    wrong = [
        (record.__name__, name)
        for model, record in [*pairs, (models.Rule, rules.Rule), (models.Checks, rules.Checks)]
        for name, field in model.model_fields.items()
        if name in record.__dataclass_fields__ and field.default not in ([], {}, None)
        if not field.is_required() and record.__dataclass_fields__[name].default != field.default
    ]

    assert wrong == []
