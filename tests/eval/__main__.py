"""`python -m tests.eval [COMMAND]`: how well reversals are found, and commits are known again.

made        histories in which every reversal is known (without a command: this)
confessed   undos that later commits of public repositories confess
histories   clones on this machine: stops, warnings, known pairs, time and memory
attribution whose commits and lines are that landed in another form, by the real services
recognised  runs known again after squash merges, rebases and edits
"""

import importlib
import sys

_COMMANDS = ("made", "confessed", "histories", "recognised", "attribution")


def main(argv: list[str]) -> None:
    """Run one command; its module is loaded when it is named."""
    if argv and argv[0] in ("-h", "--help"):
        print(__doc__)
        return
    command, rest = (argv[0], argv[1:]) if argv and not argv[0].startswith("-") else ("made", argv)
    if command not in _COMMANDS:
        sys.exit(f"{command} is none of {', '.join(_COMMANDS)}")
    importlib.import_module(f"tests.eval.{command}").main(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
