"""Writes down which modules this process has loaded when it ends, by os._exit too."""

import atexit
import os
import sys
from typing import NoReturn

_exit = os._exit


def _write() -> None:
    # Not pathlib, which would be counted with what the process loads for itself.
    with open(f"{os.environ['HOUSE_COUNTS']}/modules.{os.getpid()}", "w") as file:  # noqa: PTH123
        file.write("\n".join(set(sys.modules) - {__name__}))


def _written_exit(status: int) -> NoReturn:
    _write()
    _exit(status)


atexit.register(_write)
os._exit = _written_exit
