"""How git reads its words: the options of its own, and those of a subcommand that take a value."""

from loomstack_mcp.core.shell.options import Scanned, scanned
from loomstack_mcp.core.shell.words import Words

CUT_CHARS_MIN = 5
"""Of an option that git knows by its beginning (gitcli(7), "unique prefix"); what is shorter may mean several."""

_OWN = "-C -c --git-dir --work-tree --namespace --config-env --super-prefix --attr-source"
_TAKES = {
    "commit": "-m -F -C -c -t -S? -u? --message --file --author --date --template --fixup --squash --cleanup --trailer",
    "push": "-o --push-option --receive-pack --exec --repo",
    "checkout": "-b -B --orphan --conflict",
    "restore": "-s --source --conflict",
    "clean": "-e --exclude",
    "merge": "-m -F -s -X",
    "am": "-C -p --directory",
    "config": "-f --file --blob -t --type --default --value --comment",
}


def git_scanned(words: Words, /) -> Scanned:
    """What is said to git itself; its operands are the subcommand and all that follows."""
    return scanned(words[1:], _OWN, stops=True)


def subcommand_scanned(verb: str, rest: Words, /) -> Scanned:
    """What is said to a subcommand of git, from the words behind it."""
    return scanned(rest, _TAKES.get(verb, ""))
