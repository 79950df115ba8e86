"""Rules that do nothing, and that ask what nobody can give; waivers that cover nothing any more."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from loomstack_mcp.core.patterns.gitignore import compiled, spelled_out
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.rules import ActionKind, Checks, Limits, Rule, Rulebook, Waiver
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.policy.windows import is_over

_CHANGE: frozenset[ActionKind] = frozenset({"commit", "push", "land"})
_TOUCH: frozenset[ActionKind] = _CHANGE | {"edit", "command"}
_OF_COMMITS: frozenset[ActionKind] = frozenset({"push", "land"})
_EARLY: frozenset[ActionKind] = frozenset({"edit", "command", "tool"})
_Actions = frozenset[ActionKind]


def linted(book: Rulebook, *, now_ms: int) -> tuple[Violation, ...]:
    """The findings, in the order of the rules; `path` is the place in the file."""
    rules = {rule.id: rule for rule in book.rules}
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return (
        *(found for rule in book.rules for found in _rule(rule, now)),
        *(found for waiver in book.waivers for found in _waiver(waiver, rules, now_ms)),
    )


def idle_patterns(book: Rulebook, files: Collection[str], /) -> tuple[Violation, ...]:
    """Rules of the repository whose paths are those of no file of its trunk, and exceptions that miss what they name.

    They may be meant for files to come, so that these are hints.
    """
    tree = tuple(files)
    rules = [rule for rule in book.rules if rule.layer == "repo"]
    return tuple(
        Violation(text=f"{rule.id}: {problem}", path=rule.place) for rule in rules for problem in _idle(rule, tree)
    )


def _idle(rule: Rule, tree: tuple[str, ...]) -> Iterator[str]:
    where = rule.where
    if where.paths and not compiled(where.paths).among(tree):
        yield f"no file of the trunk is at {', '.join(where.paths)}: it applies to none yet"
    exact = (*where.excepted, *(rule.check.confine if rule.check else ()))
    for pattern in exact:
        matcher = compiled((pattern,))
        if "[" in pattern and not any(map(matcher.exact, tree)) and matcher.among(tree):
            yield f"{pattern} is read as letters here and covers no file; for the name write \\[ before the bracket"


def _rule(rule: Rule, now: datetime) -> Iterator[Violation]:
    on = frozenset(rule.on)
    check = rule.check
    found = [*_never_applies(rule, on), *_never_now(rule, now), *_nobody(rule)]
    if check:
        found += [*_never_fires(check, on), *_never_satisfied(check, on)]
    yield from (Violation(text=f"{rule.id}: {problem}", path=rule.place) for problem in found)


def _never_applies(rule: Rule, on: _Actions) -> Iterator[str]:
    where = rule.where
    if where.paths and on.isdisjoint(_TOUCH):
        all_the_same = ", but where it is deployed, since nobody knows the paths" if "deploy" in on else ""
        yield f"names paths, but none is touched by {', '.join(rule.on)}: it never applies{all_the_same}"
    if where.environment and "deploy" not in on:
        yield "names environments, but is not on deploy: it never applies"
    if where.tools and "tool" not in on:
        yield "names tools, but is not on tool: it never applies"
    if set(where.paths) & set(where.excepted):
        yield "excepts a pattern that it names: that one never applies"
    elif where.paths and all(_is_excepted(path, where.excepted) for path in spelled_out(where.paths)):
        yield "excepts all that it names: it never applies"
    if wrong := [branch for branch in where.branch if branch.lstrip("/").startswith("refs/")]:
        yield f"names {wrong[0]}, but branches go by their short names, like main: it never applies there"


def _is_excepted(pattern: str, excepted: Sequence[str]) -> bool:
    """Whether an exception covers the folder that a pattern begins with, and so whatever the pattern covers."""
    if set(excepted) & {"/**", "**", "*"}:
        return True
    names = pattern.strip("/").split("/")
    is_anchored = "/" in pattern.rstrip("/") and names[0] != "**"
    fixed = next((number for number, name in enumerate(names) if set(name) & set("*?[\\")), len(names))
    return is_anchored and fixed > 0 and bool(compiled(tuple(excepted)).exact("/".join(names[:fixed])))


def _never_now(rule: Rule, now: datetime) -> Iterator[str]:
    when = rule.when
    if when.freezes and not when.windows and all(is_over(freeze, now) for freeze in when.freezes):
        yield f"holds in {when.freezes[-1].name} alone, which is over: it never applies again"


def _never_fires(check: Checks, on: _Actions) -> Iterator[str]:
    if check.commands and "command" not in on:
        yield "checks commands, but is not on command: it never fires"
    if blank := [words[0] for words in check.commands if len(words[0].split()) > 1]:
        yield f"looks for a command called {blank[0]!r:.60}; write each word by itself: it never fires"
    if check.refs and "push" not in on:
        yield "checks refs, but is not on push: it never fires"
    if check.message is not None and "commit" not in on:
        yield "checks the message, but is not on commit: it never fires"
    if (check.confine or check.claims) and on.isdisjoint(_TOUCH):
        yield f"checks the paths of {', '.join(sorted(on))}, which touches none: it never fires"
    if (check.content or check.boundaries) and on.isdisjoint(_CHANGE):
        yield "checks the content of a change, but is on none of commit, push and land: it never fires"


def _never_satisfied(check: Checks, on: _Actions) -> Iterator[str]:
    if check.limits:
        yield from _never_within(check.limits, on)
    if check.evidence and (early := sorted(on - _OF_COMMITS)):
        yield f"asks for evidence about a commit on {', '.join(early)}, where there is none: it cannot be satisfied"
    if any(wanted.max_age_hours == 0 for wanted in check.evidence):
        yield "asks for evidence that is no hour old, not even one second: it cannot be satisfied"
    if check.intents and "land" not in on:
        yield "asks whose work is taken back, which is known of what lands alone: it cannot be satisfied"


def _never_within(limits: Limits, on: _Actions) -> Iterator[str]:
    sizes = (limits.files_max, limits.lines_added_max, limits.lines_changed_max, limits.blob_bytes_max)
    if any(most is not None for most in sizes) and on.isdisjoint(_CHANGE):
        yield f"limits the size of a change, which nobody knows of {', '.join(sorted(on))}: it cannot be satisfied"
    if limits.cost_usd_max is not None and limits.cost_usd_max < 0:
        yield f"allows a cost of {limits.cost_usd_max:g}, which is less than nothing: it cannot be satisfied"


def _nobody(rule: Rule) -> Iterator[str]:
    who = rule.who
    if set(who.role) & set(who.not_role):
        yield "asks for a role and excludes it: it binds nobody"
    people = {"human", "ci"}
    if who.kind and set(who.kind) <= people and (who.loop or who.agent):
        yield f"names loops or agents among {', '.join(who.kind)}, which are none: it binds nobody"
    if who.kind and set(who.kind) <= people and set(rule.on) <= _EARLY:
        yield f"binds {', '.join(who.kind)}, but only agents are asked before {', '.join(rule.on)}: it binds nobody"
    approve = rule.approve
    if approve and approve.count > len(approve.by) and not any(name.startswith("role:") for name in approve.by):
        yield f"wants {counted(approve.count, 'approval')} of {len(approve.by)} people: nobody can give them"
    if rule.check and rule.check.confine and rule.where.paths and not set(rule.check.confine) - set(rule.where.paths):
        yield "confines to the paths that it applies to: it never fires"


def _waiver(waiver: Waiver, rules: dict[str, Rule], now_ms: int) -> Iterator[Violation]:
    if waiver.expires_at_ms <= now_ms:
        yield Violation(text=f"waiver {waiver.id} has expired; take it out", path=waiver.place)
    if rules[waiver.rule].mode == "audit":
        yield Violation(text=f"waiver {waiver.id} waives {waiver.rule}, which only audits", path=waiver.place)
