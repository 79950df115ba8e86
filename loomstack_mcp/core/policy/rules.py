"""The rules of a policy set, as they are judged: closed records without a trace of YAML."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from loomstack_mcp.core.people import Person
from loomstack_mcp.core.records import record

Effect = Literal["warn", "require_approval", "deny"]
Answer = Literal["allow", "warn", "require_approval", "deny"]
ActionKind = Literal["edit", "command", "tool", "commit", "push", "land", "deploy"]
ActorKind = Literal["human", "agent", "loop", "ci", "unknown"]
Point = Literal["mcp", "pretool", "pre-commit", "commit-msg", "pre-push", "pre-receive", "ci", "land", "deploy"]
Softened = Literal["off", "warn", "require_approval", "deny"]
RefChange = Literal["force", "delete", "create"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EvidenceKind = Literal["tests", "review", "build", "scan"]
Layer = Literal["builtin", "org", "repo"]
WeakeningScope = Literal["tamper", "any"]

FINAL: frozenset[Point] = frozenset({"pre-receive", "ci", "land", "deploy"})
"""Where an unknown fact counts as a violation; elsewhere it is pending."""
STRICTNESS: tuple[Answer, ...] = ("allow", "warn", "require_approval", "deny")


@record
class Who:
    """Whom a rule binds; an empty tuple is everybody."""

    kind: tuple[ActorKind, ...] = ()
    loop: tuple[str, ...] = ()
    developer: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    not_role: tuple[str, ...] = ()


@record
class Where:
    """Where a rule holds; an empty tuple is everywhere. Patterns are gitignore-style."""

    repo: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    """`except` in the file."""
    environment: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


@record
class Window:
    """A time of day that comes again; the end is not in it, and one over midnight belongs to the day it starts."""

    days: tuple[Day, ...] = ()
    """Empty for every day."""
    start_minute: int = 0
    end_minute: int = 24 * 60
    """At or before `start_minute` where the window crosses midnight."""
    tz: str


@record
class Freeze:
    """A span of local time, `2026-12-18T18:00` to `2027-01-04T08:00`; the end is not in it."""

    name: str
    start: str
    end: str
    tz: str


@record
class When:
    """Any of these."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()


@record
class Limits:
    """Upper bounds; None is none."""

    files_max: int | None = None
    lines_added_max: int | None = None
    lines_changed_max: int | None = None
    blob_bytes_max: int | None = None
    rework_max: int | None = None
    retries_max: int | None = None
    cost_usd_max: float | None = None


@record
class Evidence:
    """A checked fact about exactly the commit that lands."""

    kind: EvidenceKind
    by: Literal["anyone", "not_maker"] = "not_maker"
    max_age_hours: int | None = None
    count: int = 1


@record
class Forbid:
    """No import from here to there; `to` holds path patterns or names of packages."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]


@record
class Boundaries:
    """Which parts may import which: upper layers lower ones, independent parts not one another."""

    layers: tuple[tuple[str, ...], ...] = ()
    independent: tuple[str, ...] = ()
    forbid: tuple[Forbid, ...] = ()
    only_new: bool = True


@record
class Content:
    """What must not be in a change."""

    secrets: bool = False
    test_weakening: WeakeningScope | None = None
    symlink_escape: bool = False
    submodule_change: bool = False
    forbid_added: tuple[str, ...] = ()


@record
class Checks:
    """Obligations: the rule fires when one is not met. Without any it fires by applying."""

    limits: Limits | None = None
    evidence: tuple[Evidence, ...] = ()
    work_item: bool = False
    boundaries: Boundaries | None = None
    content: Content | None = None
    claims: Literal["held", "not_held_by_other"] | None = None
    intents: Literal["no_undo", "no_override"] | None = None
    confine: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    message: str | None = None
    refs: tuple[RefChange, ...] = ()


@record
class Approve:
    """Whose answer lifts a `require_approval`: names, or `role:NAME`."""

    by: tuple[str, ...]
    count: int = 1
    not_maker: bool = True


@record
class Examples:
    """Paths that the rule must, and must not, apply to; tried when the set is loaded."""

    fires: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()


@record
class Rule:
    """One rule: to whom, where and when it applies, and what it asks."""

    id: str
    why: str
    effect: Effect
    on: tuple[ActionKind, ...]
    mode: Literal["enforce", "audit"] = "enforce"
    who: Who = field(default_factory=Who)
    where: Where = field(default_factory=Where)
    when: When = field(default_factory=When)
    check: Checks | None = None
    at: Mapping[Point, Softened] = field(default_factory=dict)
    approve: Approve | None = None
    examples: Examples = field(default_factory=Examples)
    fix: str = ""
    waivable_by: tuple[str, ...] = ()
    waiver_days_max: int = 14
    owner: str = ""
    layer: Layer = "repo"
    place: str = ""
    """`policies/x.yaml:4`, the line of its `- id:`."""


@record
class Waiver:
    """An agreed exception to one rule, with an end."""

    id: str
    rule: str
    why: str
    paths: tuple[str, ...] = ()
    """Exact patterns; empty for all that the rule covers."""
    loop: str = ""
    work_item: str = ""
    approved_by: str
    approved_role: str
    created_at_ms: int
    expires_at_ms: int
    place: str = ""


@record
class Rulebook:
    """A set that loaded, all layers together, in their order."""

    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    people: tuple[Person, ...] = ()
    """Who is who, as the trunk says."""
    hash: str = ""
    """`sha256:…` over the canonical rules and waivers, and who is who: comments, order and quoting do not change it."""
