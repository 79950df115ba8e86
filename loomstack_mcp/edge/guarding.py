"""What is to be said of an agent's next step: one path from a client's payload to claims and rules and to the reply.

A hook's process walks it, and so does the server's tool `guard`.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from loomstack_mcp.adapters.git.trunk import written_for
from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.git.written import Written
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.policy.folders import deciding_paths
from loomstack_mcp.adapters.settings import Settings, hub_of, load_settings
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.adapters.user import USER_FILE, principal
from loomstack_mcp.core.clients.payload import Action, Payload, advice, refusal, remark
from loomstack_mcp.core.edits import refused_change, refused_edit
from loomstack_mcp.core.errors import LoomError, Paused, StoreUnavailable, error_text
from loomstack_mcp.core.limits import CALL_GATE_WAIT_MS, HOOK_GATE_WAIT_MS
from loomstack_mcp.core.patterns.typed import file_pattern
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.step_names import edit_step, text_step
from loomstack_mcp.core.steps import Judging
from loomstack_mcp.edge.bearings import Stand, stand_of
from loomstack_mcp.edge.holding import Free, held_files
from loomstack_mcp.edge.same_lines import lines_told
from loomstack_mcp.edge.steps import Step, step_of
from loomstack_mcp.glance import plain_place, stamp_of
from loomstack_mcp.quick import Quick, open_quick

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.events import DueAlert
    from loomstack_mcp.edge.ruling import Ruling

UNCHECKED = "loomstack-hook did not check this step."
_NO_FLAGS: Mapping[str, str | None] = {}


@dataclass
class Judged:
    """What was found of a step."""

    refusals: list[str] = field(default_factory=list)
    advices: list[str] = field(default_factory=list)
    missed: list[Exception] = field(default_factory=list)
    """What kept it from being judged whole."""
    is_closed: bool = False
    """Whether what could not be judged is refused."""

    @property
    def reply(self) -> Payload | None:
        """What the client is answered; None where nothing stands in the way."""
        unchecked = unchecked_words(self.missed)
        if self.refusals:
            return refusal(" ".join(dict.fromkeys(self.refusals)))
        if self.is_closed and any(not isinstance(one, Paused) for one in self.missed):
            return refusal(unchecked)
        said = advice(" ".join(dict.fromkeys(self.advices))) if self.advices else {}
        return {**said, **(remark(unchecked) if self.missed else {})} or None


def unchecked_words(missed: Sequence[Exception], /) -> str:
    """Why a step was not judged, for whoever reads it."""
    return f"{UNCHECKED} {'; '.join(dict.fromkeys(map(error_text, missed)))}"


def unchecked_reply(error: Exception, flags: Mapping[str, str | None] = _NO_FLAGS, /) -> Payload:
    """What a client is answered where nothing could be judged: a word, or a refusal where that is set so."""
    return Judged(missed=[error], is_closed=_is_closed(flags)).reply or {}


def judged_action(action: Action, *, flags: Mapping[str, str | None] = _NO_FLAGS, ends_here: bool = False) -> Judged:
    """What is to be said of an action, else what its agent has to hear. What the store is to know of it is kept.

    `flags` are those of a server; `ends_here` is a hook's, as for `open_quick`.
    """
    caller = Caller(principal=principal(), session=action.session, agent=action.agent, folder=action.cwd)
    settings = load_settings(flags)
    wait_ms = CALL_GATE_WAIT_MS if action.is_ours else HOOK_GATE_WAIT_MS
    with open_quick(settings, gate_wait_ms=wait_ms, ends_here=ends_here) as quick:
        if action.is_ours:
            with suppress(StoreUnavailable):  # the server then knows less; that the store is not there it says itself
                if quick:
                    quick.sightings.saw_call(caller, action.tool_use)
            return Judged()
        judging = _Judging(quick, caller, action, settings, flags)
        found = judging.judged()
        if quick and not found.reply:
            from loomstack_mcp.edge.alerts import due_words  # for a step that goes on

            found.advices += filter(None, [due_words(quick, caller, judging.due)])
        return found


def _is_closed(flags: Mapping[str, str | None]) -> bool:
    """Whether a step of which nothing can be read is refused, by the repository that this process stands in."""
    try:
        worktree = worktree_at(current_folder())
        settings = stand_of(None, worktree, flags=flags).settings if worktree else load_settings(flags)
    except (LoomError, OSError):  # of settings that cannot be read the environment is left
        return os.environ.get("LOOMSTACK_GUARD") == "closed"
    return settings.guard == "closed"


class _Judging:
    """One step, judged."""

    def __init__(
        self,
        quick: Quick | None,
        caller: Caller,
        action: Action,
        settings: Settings,
        flags: Mapping[str, str | None],
    ) -> None:
        self._quick = quick
        self._caller = caller
        self._action = action
        self._settings = settings
        self._flags = flags
        self._found = Judged(is_closed=settings.guard == "closed")
        self._stands: dict[Path, Stand] = {}
        self._free: list[Free] = []
        self.due: tuple[DueAlert, ...] | None = None
        """What this agent has to hear, where that was asked as its files were held."""
        self._meant: set[tuple[str, str]] = set()
        self._allowed: list[Judging] = []

    def judged(self) -> Judged:
        step = step_of(self._action)
        if self._quick:  # without a store nothing is held, so only rules have a say
            self._found.missed += step.writes.missed
        for written in step.writes.found.values():
            self._hold_against_claims(written)
        rulings = [] if self._found.refusals or self._is_beyond_rules() else list(self._rulings(step))
        if self._quick and self._action.kind == "edit" and not self._found.refusals:
            self._found.refusals += self._undoings(self._quick)
        if self._quick and not self._found.refusals:
            self._let_through(self._quick, rulings)
        if self._found.missed and not self._stands:
            self._found.is_closed |= _is_closed(self._flags)
        return self._found

    def _undoings(self, quick: Quick) -> Iterator[str]:
        """What landed on purpose and would be taken back, told once; of files that lie plainly, as most do."""
        for path in self._action.paths:
            top, inside = plain_place(path, self._action.cwd)
            stand = self._stands.get(Path(top)) if inside else None
            if stand and self._may_be_meant(stand, inside):
                self._meant.add((top, inside))  # so that each edit of it is looked at, and none at a glance
                undoing = import_module("loomstack_mcp.edge.undoing")  # what compares changes
                try:
                    if said := undoing.undoing_words(quick, self._caller, self._action, stand, path, inside):
                        yield said
                except StoreUnavailable as error:
                    self._found.missed.append(error)
                except LoomError:  # what git cannot tell, the check before it lands says
                    pass

    def _may_be_meant(self, stand: Stand, inside: str) -> bool:
        looks = (each.look for each in self._free if each.checkout == stand.checkout)
        return any(file_pattern(inside) in look.meant for look in looks)

    def _let_through(self, quick: Quick, rulings: Sequence["Ruling"]) -> None:
        """Nobody and no rule is in the way: what is edited is held. Of a shell line that is told once it has run."""
        if self._action.kind != "command" and (said := self._ended(quick) or self._held(quick)):
            self._found.refusals.append(said)
        elif self._caller.session and self._is_begun(quick, rulings):
            with suppress(StoreUnavailable):  # worth no wait, and no word
                self._remember(quick)

    def _ended(self, quick: Quick) -> str:
        """That a person ended its claim here is heard before it holds the file anew: who waits for it comes first."""
        ends = tuple(dict.fromkeys(end for each in self._free for end in each.look.ends))
        if ends:
            with suppress(StoreUnavailable):
                quick.alerts.heard(ends)
                return " ".join(f"{end.text} ({end.about})." for end in ends)
        return ""

    def _held(self, quick: Quick) -> str:
        said, self.due = held_files(quick, self._caller, self._action, self._free)
        return said

    def _hold_against_claims(self, written: Written) -> None:
        """Each file by the repositories that it lies in, wherever the session stands. One that is held refuses all."""
        if self._quick is None:
            return
        try:
            stamp = _stamp(written, self._settings)  # before what it is of is read
            stand = self._stand(written)
            self._refuse_paused(stand)
            patterns = self._patterns(self._quick, stand, written)
            files = tuple(written.patterns) if self._action.kind == "edit" else ()
            look = self._quick.glances.closer_look(self._caller, stand.checkout, patterns, files=files)
        except (LoomError, OSError) as error:
            self._found.missed.append(error)
            return
        if look.check:
            self._found.refusals.append(refused_change(*look.check))
        elif look.blockers:
            lines = lines_told(self._action, written.worktree.root, look.blockers[0])
            self._found.refusals.append(refused_edit(look.blockers, now_ms=look.now_ms, lines=lines))
            if stand.settings.claim_edits != "off":
                with suppress(LoomError):  # then it is not told once they are free
                    self._quick.refusals.keep(self._caller, stand.checkout, patterns, look.blockers[0])
        else:
            if hub_of(self._settings) and not stand.files:  # git has to be asked each time what this is called
                stamp = ""
            self._free.append(
                Free(checkout=stand.checkout, written=written, settings=stand.settings, stamp=stamp, look=look)
            )

    def _patterns(self, quick: Quick, stand: Stand, written: Written) -> tuple[str, ...]:
        """What is written to; for all of a worktree (`git checkout .`) what is held by whoever works there."""
        found = dict.fromkeys((*written.patterns, *written.folders))
        for top in written.whole:
            found |= dict.fromkeys(quick.blockers.held_in(self._caller, replace(stand.checkout, worktree=str(top))))
        return tuple(found)

    def _rulings(self, step: Step) -> Iterator["Ruling"]:
        for worktree, situation in step.met():
            try:
                stand = self._stand(Written(worktree=worktree))
                self._refuse_paused(stand)
                stamp = self._stamp_of(stand)
                from loomstack_mcp.edge.ruling import ruling_of  # the rules: 50 ms, where no claim refused already

                ruling = ruling_of(self._quick, self._caller, stand, situation)
            except (LoomError, OSError) as error:
                self._found.missed.append(error)
                continue
            if ruling.answer in ("deny", "require_approval"):
                self._found.refusals.append(ruling.words)
            elif ruling.words and self._is_news(stand, ruling.words):
                self._found.advices.append(ruling.words)
            if ruling.is_lasting:
                top = str(stand.worktree.root)
                by = Judging(folder=top, stamp=stamp, is_plain=ruling.is_plain, patterns=ruling.patterns)
                self._allowed.append(by)
            yield ruling

    def _is_beyond_rules(self) -> bool:
        """Whether an edit is of nothing that the rules are about which it was judged by before, and which still hold.

        Of files that lie plainly in the worktree that the agent stands in; to load rules for them costs 50 ms.
        """
        if self._action.kind != "edit" or not self._action.session or self._found.missed:
            return False
        places = [plain_place(path, self._action.cwd) for path in self._action.paths]
        here = plain_place(f"{self._action.cwd.rstrip('/')}/x", "")[0]
        top, *others = {here, *(where for where, _ in places)}
        by = self._judged_before(top) if not others else None
        if by is None or by.patterns is None:
            return False
        from loomstack_mcp.core.patterns.gitignore import compiled  # expressions, which no refused edit needs

        about = compiled(by.patterns)
        if any(about.loose(inside) or os.path.isdir(f"{top}/{inside}") for _, inside in places):  # noqa: PTH112 as said
            return False
        self._allowed.append(by)
        return True

    def _judged_before(self, top: str) -> Judging | None:
        """By what this agent's steps in a worktree that it stands in were judged, where that still holds."""
        stand = self._stands.get(Path(top)) if top else None
        if self._quick is None or stand is None or not stand.files:
            return None
        by = self._quick.guards.judging(self._caller, top)
        return by if by and by.stamp == self._stamp_of(stand) else None

    def _refuse_paused(self, stand: Stand) -> None:
        refuse_paused(self._settings.home, lambda: stand.checkout.identity, self._action.session)

    def _stamp_of(self, stand: Stand) -> str:
        """Of what says which rules hold in a worktree; taken before they are read."""
        return _stamp(Written(worktree=stand.worktree, tops={stand.worktree.root: None}), self._settings)

    def _is_news(self, stand: Stand, words: str) -> bool:
        """Whether this agent was not told so before, by these rules: each word costs it tokens."""
        with suppress(StoreUnavailable):
            top = str(stand.worktree.root)
            return self._quick is None or self._quick.guards.tell_once(self._caller, top, text_step("told", words))
        return True

    def _stand(self, written: Written) -> Stand:
        root = written.worktree.root
        if root not in self._stands:
            self._stands[root] = stand_of(self._quick, written.worktree, flags=self._flags)
            self._found.is_closed |= self._stands[root].settings.guard == "closed"
        return self._stands[root]

    def _remember(self, quick: Quick) -> None:
        """What the next hook, and the server, may know of this step."""
        for each in self._free:
            quick.sightings.saw_edits(self._caller, each.checkout, each.stamps, claim_edits=each.sighted)
        for by in self._allowed if not self._found.missed else ():
            quick.guards.allow(self._caller, by, _steps(self._action, by.folder, self._meant))

    def _is_begun(self, quick: Quick, rulings: Sequence["Ruling"]) -> bool:
        """Whether what a shell line changes will be looked at once it has run; where nobody can, that is said."""
        if self._action.kind != "command" or not rulings:
            return True
        from loomstack_mcp.edge.lines import begin_line  # which no edit needs

        try:
            begin_line(quick, self._caller, self._action, rulings[0].stand.worktree)
        except StoreUnavailable as error:
            self._found.missed.append(error)
            return False
        return True


def _steps(action: Action, top: str, meant: Collection[tuple[str, str]]) -> list[str]:
    """How an edit is remembered that may be made again, by its files."""
    places = [plain_place(path, action.cwd) for path in action.paths] if action.kind == "edit" else []
    return [edit_step(inside) for where, inside in places if where == top and (where, inside) not in meant]


def _stamp(written: Written, settings: Settings) -> str:
    """Of what says which settings and rules count in a worktree.

    "" for several at once, of which each has a HEAD of its own; and where a variable chooses the store, and a file may
    choose another for whoever has not that variable.
    """
    users = f"{settings.home}/{USER_FILE}"
    if len(written.tops) > 1 or (settings.origins["store"] == "environment" and Path(users).exists()):
        return ""
    rules = deciding_paths(next(iter(written.tops), written.worktree.root), settings.rules_home)
    return stamp_of([users, *map(str, written_for(written.worktree.place)), *rules, *_naming_files(settings)])


def _naming_files(settings: Settings) -> tuple[str, ...]:
    """What of git's own settings may say what a repository is called: a hub is asked about it by that name alone."""
    home = os.environ.get("HOME", "")
    shared = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    return ("/etc/gitconfig", f"{home}/.gitconfig", f"{shared}/git/config") if hub_of(settings) else ()
