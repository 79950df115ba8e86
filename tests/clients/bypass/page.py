"""The chapter and the README's lines that say where each attempt ended: written from what the real clients showed."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.clients.bypass.attempts import ATTEMPTS
from tests.clients.bypass.playing import Place, Played
from tests.clients.stories.shop import ROOT

PAGE = ROOT / "loomstack_mcp" / "help" / "bypass.md"
README = ROOT / "README.md"
_MARKED = re.compile(r"(<!-- bypass -->\n).*?(<!-- /bypass -->)", re.DOTALL)
"""Where the README has its lines, once somebody has put these marks there."""
_WORDS: Mapping[Place, str] = {
    "before": "refused before it runs",
    "told": "told right after",
    "git hook": "git's hook",
    "gate": "the gate",
    "command": "the command refuses",
    "account": "another account's file",
}
_CHAPTER = """\
# Ways around, and where they end

What an agent may try to change what it may not, tried by both real clients with a scripted model in the place of their
own. A rule denies every change of one file, another asks a person for what deploys. The clients' own questions and
Codex's sandbox are switched off, so that nothing but LoomStack stands in the way. The trunk is a bare repository of
another account, with `gate --install` as its hook and a store of its own. After each attempt the model commits and
pushes, whatever it was told. **None of them landed.**

{}

*Refused before it runs*: by the client's hook, and the model reads why. *Told right after*: the hook after a shell
command saw what really changed. *Git's hook*: of the commit or the push, in the clone. *The gate*: of the repository
that is pushed to; it has the last word, and needs none of the others.

## What one account alone cannot stop

What comes before the gate runs under the agent's own account, so an agent that means to can take it out of the way:
hook settings, git's hooks, the store and this program are files that it may write. There each of these stops accidents
and haste, and tells what happened; none stops an attacker. The same holds for a gate on the same account: its hook can
be removed, and its store be written. So the gate belongs where agents have no account: on the server that is pushed to,
or in CI with a protected branch. Who approves is told apart by account, too: on one account alone, a rule that asks for
a second person stays closed.
"""


def table(played: Sequence[Played]) -> str:
    """Each attempt with where it ended in each client."""
    head = ["", *(one.client for one in played)]
    rows = [[attempt.name, *(cell(one.met[attempt.name]) for one in played)] for attempt in ATTEMPTS]
    lines = [" | ".join(row) for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def cell(met: Sequence[Place]) -> str:
    """Where an attempt was met, in order."""
    return ", then ".join(_WORDS[place] for place in dict.fromkeys(met))


def summary(played: Sequence[Played]) -> str:
    """The same in few rows, by where an attempt was first stopped in all clients."""
    by_place: dict[str, list[str]] = defaultdict(list)
    for attempt in ATTEMPTS:
        places = dict.fromkeys(_WORDS[_stop(one.met[attempt.name])] for one in played)
        by_place[" or ".join(places)].append(attempt.name)
    rows = [f"| {place} | {', '.join(names)} |" for place, names in by_place.items()]
    return "\n".join(["| stopped by | what was tried |", "|---|---|", *rows])


def chapter(text: str) -> str:
    """The chapter with this table."""
    return _CHAPTER.format(text)


def shown_table() -> str:
    """The table as the chapter has it now."""
    return "\n".join(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|"))


def shown_cells() -> dict[tuple[str, str], str]:
    """What that table says, by client and attempt."""
    head, _, *rows = ([part.strip() for part in line.strip("|").split("|")] for line in shown_table().splitlines())
    return {(client, row[0]): said for row in rows for client, said in zip(head[1:], row[1:], strict=True)}


def write_pages(played: Sequence[Played]) -> None:
    """Write the chapter, and the README's lines where it has the marks for them."""
    PAGE.write_text(chapter(table(played)), "utf-8")
    lines = summary(played)
    readme = README.read_text("utf-8")
    README.write_text(_MARKED.sub(lambda found: f"{found[1]}{lines}\n{found[2]}", readme), "utf-8")
    print(lines)


def _stop(met: Sequence[Place]) -> Place:
    """Where it ended first; what was only told went on."""
    return next(place for place in met if place != "told")
