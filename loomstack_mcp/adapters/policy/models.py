"""The shape of a policy file, for pydantic and, through its JSON Schema, for editors.

Class and field names are those of the schema; the records that are judged are in `core/policy/rules.py`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from loomstack_mcp.core.policy.rules import ActionKind, ActorKind, Day, Effect, EvidenceKind, Point, RefChange, Softened

NUMBER_MAX = 1_000_000_000_000
WAIVER_DAYS_MAX = 90

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]
Count = Annotated[int, Field(ge=1, le=9)]
Number = Annotated[int, Field(ge=0, le=NUMBER_MAX)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
# Neither is JSON, and no figure is more than not-a-number, so that such a limit would never fire.
Amount = Annotated[float, Field(allow_inf_nan=False)]
Why = Annotated[str, Field(min_length=8)]
_Texts = Annotated[list[str], Field(min_length=1)]


def _only_one(value: object) -> object:
    # For Python, and so for pydantic's literals, true and 1.0 equal 1.
    return value if type(value) is int else None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Who(_Part):
    """Whom a rule binds; an empty list is everybody."""

    developer: list[str] = []
    loop: list[str] = []
    kind: list[ActorKind] = []
    agent: list[str] = []
    role: list[str] = []
    not_role: list[str] = []


class Where(_Part):
    """Where a rule holds; an empty list is everywhere."""

    repo: list[str] = []
    branch: list[str] = []
    paths: list[str] = []
    excepted: list[str] = Field(default=[], alias="except")
    environment: list[str] = []
    tools: list[str] = []


class Window(_Part):
    """A time of day that comes again; the end is not in it, and one over midnight belongs to the day it starts."""

    days: list[Day] = []
    start: TimeOfDay | None = Field(default=None, alias="from")
    end: TimeOfDay | None = Field(default=None, alias="to")
    tz: str


class Freeze(_Part):
    """A span of local time; the end is not in it."""

    name: str
    start: str
    end: str
    tz: str


class When(_Part):
    """Any of these."""

    windows: list[Window] = []
    freezes: list[Freeze] = []


class Limits(_Part):
    """Upper bounds."""

    files_max: Number | None = None
    lines_added_max: Number | None = None
    lines_changed_max: Number | None = None
    rework_max: Number | None = None
    retries_max: Number | None = None
    cost_usd_max: Amount | None = None
    blob_bytes_max: Number | None = None


class Evidence(_Part):
    """A checked fact about exactly the commit that lands."""

    kind: EvidenceKind
    result: Literal["pass"] = "pass"
    by: Literal["anyone", "not_maker"] = "not_maker"
    covers: Literal["head"] = "head"
    max_age_hours: Number | None = None
    count: Count = 1


class Forbid(_Part):
    """No import from here to there; `to` holds path patterns or names of packages."""

    sources: _Texts = Field(alias="from")
    targets: _Texts = Field(alias="to")


class Boundaries(_Part):
    """Which parts may import which: upper layers lower ones, independent parts not one another."""

    layers: list[list[str]] = []
    independent: list[str] = []
    forbid: list[Forbid] = []
    only_new: bool = True


class Content(_Part):
    """What must not be in a change."""

    secrets: bool = False
    test_weakening: Literal["tamper", "any"] | None = None
    symlink_escape: bool = False
    submodule_change: bool = False
    forbid_added: list[str] = []


class Checks(_Part):
    """The rule fires when one of these is not met."""

    limits: Limits | None = None
    evidence: list[Evidence] = []
    work_item: bool = False
    boundaries: Boundaries | None = None
    content: Content | None = None
    claims: Literal["held", "not_held_by_other"] | None = None
    intents: Literal["no_undo", "no_override"] | None = None
    confine: list[str] = []
    commands: list[list[str]] = []
    message: str | None = None
    refs: list[RefChange] = []


class Approve(_Part):
    """Whose answer lifts a `require_approval`: names, or `role:NAME`."""

    by: _Texts
    count: Count = 1
    not_maker: bool = True


class Examples(_Part):
    """Paths that the rule must, and must not, fire for; tried when the file is loaded."""

    fires: list[str] = []
    passes: list[str] = []


class Rule(_Part):
    """To whom, where and when it applies, and what it asks."""

    id: Id
    why: Why
    effect: Effect
    mode: Literal["enforce", "audit"] = "enforce"
    on: Annotated[list[ActionKind], Field(min_length=1)]
    who: Who | None = None
    where: Where | None = None
    when: When | None = None
    check: Checks | None = None
    at: dict[Point, Softened] = {}
    approve: Approve | None = None
    examples: Examples | None = None
    fix: str = ""
    waivable_by: list[str] = []
    waiver_days_max: Annotated[int, Field(ge=1, le=WAIVER_DAYS_MAX)] = 14
    owner: str | None = None


class Waiver(_Part):
    """An agreed exception to one rule, with an end."""

    id: Id
    rule: Id
    why: Why
    paths: list[str] = []
    loop: str | None = None
    work_item: str | None = None
    approved_by: str
    approved_role: str
    created: str
    expires: str


class Doc(_Part):
    """One file of policies."""

    version: Annotated[Literal[1], BeforeValidator(_only_one)]
    policy: str
    rules: list[Rule] = []
    waivers: list[Waiver] = []
