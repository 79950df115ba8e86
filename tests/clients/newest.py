"""`python -m tests.clients.newest` installs the newest of both clients beside the pinned ones, for `test_versions`."""

import subprocess

from tests.clients.find import NEWEST

_PACKAGES = ("@anthropic-ai/claude-code@latest", "@openai/codex@latest")
_SECONDS_MAX = 300


def main() -> None:
    """Install them, or say why not; then their tests are skipped."""
    NEWEST.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(NEWEST), "--no-fund", "--no-audit", "--loglevel", "error", *_PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"the newest clients could not be installed, so they are not tested: {error}")
        return
    if done.returncode:
        print(f"the newest clients could not be installed, so they are not tested: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
