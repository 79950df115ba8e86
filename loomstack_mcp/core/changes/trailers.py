"""Commits as they are made: the runs that their messages name, and which agent of a session makes one."""

import re

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

TRAILER = "Loom-Run"
_NAMED = re.compile(
    rf"^[\s>|*#+-]*{TRAILER}[ \t]*:[ \t]*([\w.-]{{1,20}}(?:[ \t]*,[ \t]*[\w.-]{{1,20}})*)", re.IGNORECASE | re.MULTILINE
)
_NAMED_MAX = 20
_SCISSORS = re.compile(r"^\S{1,9} -{24} >8 -{24}\r?$", re.MULTILINE)
"""What `git commit --verbose` puts above the diff (git-commit(1), --cleanup), whatever a comment begins with."""


_TRAILERS = re.compile(rb"(?:[A-Za-z0-9-]+: [^\n]*\n)+")
_NOT_PLAIN = re.compile(rb"^(?:[#;@!$%^&|:]|\s|\(cherry picked|-- ?$)|^[^\s:]+\s*:", re.MULTILINE)
"""What may be a comment, a trailer or its like in the last paragraph: there git has to say what it is."""


def with_plain_trailer(text: bytes, trailer: bytes, /) -> bytes | None:
    """A message with one more trailer at its end, as git-interpret-trailers(1) adds it; None where git has to tell.

    Plain are words without a comment, whose last paragraph is either all trailers or none.
    """
    body = text.removesuffix(b"\n")
    _, blank, last = body.rpartition(b"\n\n")
    if not body.strip() or b"\n#" in text or text.startswith((b"#", b"\n")) or body.endswith(b"\n") or b"\r" in text:
        return None
    if blank and _TRAILERS.fullmatch(last + b"\n"):
        return b"%s\n%s\n" % (body, trailer)
    if blank and _NOT_PLAIN.search(last):
        return None
    return b"%s\n\n%s\n" % (body, trailer)


def named_runs(message: str, /) -> tuple[str, ...]:
    """The runs that `Loom-Run:` lines name, wherever they stand: squashed logs are indented, mails are quoted."""
    named = (run.strip() for found in _NAMED.finditer(message) for run in found[1].split(","))
    return tuple(dict.fromkeys(named))[:_NAMED_MAX]


def written_message(text: str, /) -> str:
    """The message in a file that git is about to read: without the diff below the scissors."""
    found = _SCISSORS.search(text)
    return text[: found.start()] if found else text


def said_message(text: str, /, *, comment: str = "#") -> str:
    """What of it will stand in the commit, as far as that can be told: without its comments."""
    return "\n".join(line for line in written_message(text).split("\n") if not line.startswith(comment))


def committing_agent(
    holders: "Mapping[str, Collection[str]]",
    worktrees: "Mapping[str, Collection[str]]",
    *,
    paths: "Sequence[str]",
    here: str,
) -> str:
    """Which of a session's agents commits some paths in the worktree `here`; "" is the session's own.

    A sub-agent does that alone works in that worktree, or alone holds something of what is committed. `holders` are the
    agents that hold each path, `worktrees` those that each agent's runs are in.
    """
    if here and not any(here in places for agent, places in worktrees.items() if not agent):
        there = [agent for agent, places in worktrees.items() if agent and here in places]
        if len(there) == 1:
            return there[0]
    holding = {agent for path in paths for agent in holders.get(path, ())}
    return holding.pop() if len(holding) == 1 else ""
