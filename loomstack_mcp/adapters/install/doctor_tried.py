"""What the clients would run, tried: their hooks with a harmless step, the version of the server that they start."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.install.doctor_files import Client, text_at, words_at
from loomstack_mcp.core.clients.files.own_names import COMMAND, HOOK, NAME
from loomstack_mcp.core.phrases import counted

_SECONDS_MAX = 30
"""A wrapper may have to fetch what it starts."""
_ANSWER_BYTES_MAX = 1_000_000
_PROBE = ".loomstack-doctor-probe"
_FIRST = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": f"{COMMAND} doctor", "version": "1"},
    },
}


def set_up_check(clients: Sequence[Client]) -> Check | None:
    """What to do where nobody starts us: all else may be right, and yet nothing is checked."""
    if any(client.entry for client in clients):
        return None
    found = "no client uses LoomStack here: nothing is shared, claimed or checked"
    mend = f"{COMMAND} init"
    if not any(client.is_there for client in clients):
        mend = f"put claude or codex on PATH, then {mend}"
    return Check(check="set-up", status="warn", found=found, mend=mend)


def hook_checks(clients: Sequence[Client], root: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether each client's hooks answer, asked about an edit of a file that is not there, and in no repository."""
    with tempfile.TemporaryDirectory(prefix=f"{COMMAND}-") as nowhere:
        for client in clients:
            if client.hooks:
                tried = _each_way(client.hooks)
                failed = (_hook_check(client, hook, (root, Path(nowhere)), environment) for hook in tried)
                yield next(filter(None, failed), _tried_check(client))


def _each_way(hooks: Sequence[str]) -> list[str]:
    """One hook for each way in which our program is called: what answers at one event answers at all."""
    found: dict[str, str] = {}
    for hook in sorted(hooks, key=lambda one: not one.endswith("PreToolUse")):
        found.setdefault(hook.rpartition(" ")[0], hook)
    return list(found.values())


def version_checks(
    clients: Sequence[Client], root: Path, version: str, environment: Mapping[str, str]
) -> Iterator[Check]:
    """Whether a server that a client starts by another way than our own command is of this version.

    An entry that came with the repository is started only where a person approved it in the client.
    """
    own = _program(COMMAND, root, environment)
    asked: set[tuple[str, ...]] = set()
    for client in clients:
        command = (text_at(client.entry, "command"), *words_at(client.entry, "args"))
        program = _program(command[0], root, client.environment) if command[0] else ""
        if not program or command in asked or (program == own and Path(command[0]).name == COMMAND):
            continue
        asked.add(command)
        yield _version_check(client, (program, *command[1:]), root, version)


def _hook_check(
    client: Client, command: str, folders: tuple[Path, Path], environment: Mapping[str, str]
) -> Check | None:
    """What is wrong with one hook, tried in the worktree or in no repository; or that it is not ours to try."""
    (root, nowhere), words, name = folders, shlex.split(command), f"{client.name} hook"
    program = _program(words[0], root, environment)
    if not program or program != _program(HOOK, root, environment):
        # That ours is not on PATH has been said already; another program is not ours to run.
        return Check(check=name, status="ok", found=f"`{command}`, which was not tried")
    is_edit = words[-1] == "PreToolUse"
    folder = root if is_edit else nowhere
    ran = _ran((program, *words[1:]), json.dumps(_payload(words, folder)), cwd=folder, environment=environment)
    if ran and not ran.returncode and "did not check" not in ran.stdout:
        return None
    said = " ".join((ran.stdout or ran.stderr).split())[:300] if ran else "nothing within its time"
    mend = "see to what it says" if said else f"call it by hand: {command}"
    what = "does not check edits" if is_edit else f"does not answer at {words[-1]}"
    return Check(check=name, status="fail", found=f"{what}: {said or 'it fails'}", mend=mend)


def _payload(words: Sequence[str], folder: Path) -> dict[str, object]:
    patch = f"*** Begin Patch\n*** Add File: {_PROBE}\n*** End Patch\n"
    return {
        "session_id": "",  # of a session that edited here before it would tell at a glance what it knew then
        "cwd": str(folder),
        "hook_event_name": words[-1],
        "tool_name": "apply_patch" if words[1:2] == ["codex"] else "Edit",
        "tool_input": {"file_path": str(folder / _PROBE), "command": patch},
    }


def _tried_check(client: Client) -> Check:
    events = [hook.split()[-1] for hook in client.hooks]
    found = f"checks edits against claims, and answers at {counted(len(events), 'event')}; tried just now"
    if "PreToolUse" not in events:
        found = f"answers at {counted(len(events), 'event')}; the server checks edits, which was not tried"
    return Check(check=f"{client.name} hook", status="ok", found=found)


def _version_check(client: Client, command: Sequence[str], root: Path, version: str) -> Check:
    name = f"{client.name} version"
    if not client.is_approved:
        found = f"not asked, as you have not approved what starts it: {shlex.join(command)}"
        return Check(check=name, status="warn", found=found, mend=f"approve it in {client.name}, then {COMMAND} doctor")
    found = _served_version(command, root, client.environment)
    if found == version:
        return Check(check=name, status="ok", found=f"{found}, started by {command[0]}")
    mend = f"let {command[0]} start version {version}, or {shutil.which(COMMAND) or COMMAND} itself"
    what = f"a server of version {found}" if found else f"no server of ours within {_SECONDS_MAX} s"
    return Check(check=name, status="warn", found=f"{command[0]} starts {what}, this is {version}", mend=mend)


def _served_version(command: Sequence[str], root: Path, environment: Mapping[str, str]) -> str:
    """The version that a server on pipes says it has; "" where it is none of ours."""
    ran = _ran(command, json.dumps(_FIRST) + "\n", cwd=root, environment=environment)
    for line in ran.stdout[:_ANSWER_BYTES_MAX].splitlines() if ran else ():
        with contextlib.suppress(ValueError, AttributeError, TypeError):
            server = json.loads(line)["result"]["serverInfo"]
            return str(server["version"]) if server["name"] == NAME else ""
    return ""


def _ran(
    command: Sequence[str], given: str, *, cwd: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str] | None:
    """What it printed before its input ended and it did; None where it did not, or could not be started."""
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), text=True, errors="replace", start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError:
        return None
    try:
        out, wrong = process.communicate(given, timeout=_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with what the wrapper started
        process.communicate()
        return None
    return subprocess.CompletedProcess(list(command), process.returncode, out, wrong)


def _program(command: str, root: Path, environment: Mapping[str, str]) -> str:
    """The file that a command names here; "" where none does."""
    named = str(root / command) if "/" in command else command
    return os.path.realpath(found) if (found := shutil.which(named, path=environment.get("PATH"))) else ""
