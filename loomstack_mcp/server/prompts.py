# ruff: noqa: E501 the lines of a prompt are the model's, not ours to break
"""Prompts: how to run a loop, triage and hand over, for people to start from a client's menu."""

from collections.abc import Callable, Mapping

from loomstack_mcp.core.records import record

_WORDS_MAX = 60
"""Claude Code splits what a person types behind a prompt's name at blanks, and fills the declared arguments by position
with one word each; words beyond the last one are gone (run on 2.1.330, 2026-11)."""


def loop(name: str, goal: str) -> str:
    """How to run one round of the loop of that name."""
    which = f'Run one round of the loop "{name}".' if name else "Run one round of a loop, which you name in step 1."
    aim = goal or "it was not said; take it from what is known of this loop here, or ask"
    called = f'"{name}"' if name else "the lasting name of the automation or standing job"
    return f"""{which} Goal: {aim}

1. start_run(loop={called}, goal=…, paths=[what you will probably touch]). Read the briefing: what others claimed and changed on purpose stays.
2. claim_paths before the first edit. Refused: take other work, or wait_seconds=45.
3. Work. share_context for what others must know: kind=intent with paths for what you change on purpose.
4. record_outcome after each attempt and follow its `next`: retry what `carry` names, let another run check, land, or stop. status=passed says that your checks pass and the run goes on.
5. check_conflicts before you land. stop: do what each conflict says, and land nothing before it is clear.
6. status=done (or abandoned), with the full shas of your commits, ends the run and frees its paths."""


def triage(scope: str) -> str:
    """How to look for work in a part of the repository."""
    return f"""Triage {scope or "the whole repository"}: find what is broken or missing, and decide what to do about it.

1. start_run(loop="triage", goal=…). For each candidate: read_shared_context(paths=[…]) first. A red test with a fresh intent was changed on purpose: it is no bug of its author.
2. Take one piece of work at a time: claim_paths, then work, then check_conflicts before it lands; what you leave, share as a handoff note with its paths.
3. record_outcome; say in `tried` what did not work, for whoever comes next."""


def handoff(to: str) -> str:
    """How to hand over; `to` is a run or loop, or what a person says about it."""
    whom = f'to="{to}"' if to else "without `to`, for whoever takes it"
    said = ""
    if " " in to:
        whom, said = "`to` the run or loop that this names, if any", f" As it was asked: {to}"
    return f"""Hand your unfinished work over.{said}

1. Commit or stash nothing that is not yours; note the branch and the last good commit.
2. share_context(kind="handoff", {whom}) with the paths: what is done, what fails, what you would do next.
3. record_outcome(status="abandoned", tried=…, commits=[full shas]), which ends your run and frees its paths. status="blocked" frees nothing: it asks for a person, and your run holds them until its lease ends."""


@record
class LoomPrompt:
    """A prompt whose last part is free text, however it arrives: in one argument, or a word in each.

    None is required: Claude Code answers a call that lacks one with the names of all of them, and asks no model.
    """

    description: str
    parts: tuple[str, ...]
    text: Callable[..., str]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the declared arguments: each part, and the last one once for each word."""
        return (*self.parts, *(f"{self.parts[-1]}_{number}" for number in range(2, _WORDS_MAX + 1)))

    def filled(self, given: Mapping[str, str]) -> str:
        """The message for the model."""
        *before, last = self.parts
        words = [last, *self.arguments[len(self.parts) :]]
        free = " ".join(word for name in words if (word := given.get(name, "").strip()))
        if given.get(words[-1]):
            free += " … (the client may have cut this here: ask for the rest if it matters)"
        return self.text(*(given.get(name, "").strip() for name in before), free)


PROMPTS = {
    "loop": LoomPrompt(description="Run one round of a loop as part of the team", parts=("name", "goal"), text=loop),
    "triage": LoomPrompt(description="Find work, and leave to others what is theirs", parts=("scope",), text=triage),
    "handoff": LoomPrompt(description="Hand unfinished work over to another run", parts=("to",), text=handoff),
}
