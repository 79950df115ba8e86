"""`loomstack-hook git NAME [ARGUMENT…]`: what git's hook of that name is to do here.

What only tells ends with 0, whatever goes wrong. What judges may stop git, in a process of its own: it needs packages
that would cost each commit as much again.
"""

import os
import sys

from loomstack_mcp.core.errors import LoomError, error_text

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CANARY = "canary"
"""Asked by `doctor`, by way of git and of the hook that git would run."""
JUDGING = ("pre-commit", "commit-msg", "pre-push")


def git_hook(arguments: "Sequence[str]") -> int:
    """Do what one of git's hooks is to do; the exit status for git."""
    if arguments == [CANARY]:
        print("loomstack")
        return 0
    if not arguments or arguments[0] not in (*_TELLING, *JUDGING):
        print(_USAGE, file=sys.stderr)
        return 64
    name, *given = arguments
    try:
        if name in _TELLING:
            _TELLING[name](given)
    except Exception as error:  # noqa: BLE001 the process's last handler: git asked for no traceback
        print(f"loomstack-hook: {name}: {error_text(error)}", file=sys.stderr)
    if name in JUDGING and (name != "commit-msg" or _may_judge_messages()):
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, "-P", "-m", "loomstack_mcp", "git-hook", name, *given])  # noqa: S606
    return 0


def _sign(given: "Sequence[str]") -> None:
    from loomstack_mcp.hooks.git.haste import is_signed_at_once

    source = given[1] if len(given) > 1 else ""
    if is_signed_at_once(given[0], source=source):
        return
    from pathlib import Path

    from loomstack_mcp.hooks.git.signing import sign_prepared

    sign_prepared(Path(given[0]), source=source)


def _sign_late(given: "Sequence[str]") -> None:
    from loomstack_mcp.hooks.git.haste import is_named_at_once

    if is_named_at_once(given[0]):
        return
    from pathlib import Path

    from loomstack_mcp.hooks.git.signing import sign_final

    sign_final(Path(given[0]))


def _may_judge_messages() -> bool:
    """Also where that cannot be told: then the reason is said where it is judged."""
    from loomstack_mcp.hooks.git.places import hooked_place
    from loomstack_mcp.hooks.git.rules import may_judge_messages

    try:
        return may_judge_messages(hooked_place()[1])
    except (LoomError, OSError):
        return True


def _bind(_: "Sequence[str]") -> None:
    from loomstack_mcp.hooks.git.haste import may_end_claims

    if not may_end_claims():
        return
    from loomstack_mcp.hooks.git.binding import bind_head

    bind_head()


def _rebind(given: "Sequence[str]") -> None:
    from loomstack_mcp.hooks.git.binding import rebind

    rebind(sys.stdin.buffer.read(), by_rebase=given[:1] == ["rebase"])


def _tell_of_worktree(given: "Sequence[str]") -> None:
    from loomstack_mcp.hooks.git.worktrees import missing_files

    for line in missing_files(given):
        print(line, file=sys.stderr)


_TELLING: "Mapping[str, Callable[[Sequence[str]], None]]" = {
    "prepare-commit-msg": _sign,
    "commit-msg": _sign_late,
    "post-commit": _bind,
    "post-rewrite": _rebind,
    "post-checkout": _tell_of_worktree,
}
_USAGE = f"usage: loomstack-hook git {{{'|'.join(dict.fromkeys((*JUDGING, *_TELLING)))}}} [ARGUMENT…], as git calls it"
