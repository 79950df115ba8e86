"""`doctor`: what may be wrong here, and the command that mends it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from loomstack_mcp import __version__
from loomstack_mcp.adapters.git.discovery import no_worktree
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.handovers import handovers
from loomstack_mcp.adapters.install import doctor as checkup
from loomstack_mcp.adapters.install import doctor_servers, doctor_tried, doctor_urls
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.install.doctor_claude import claude_code
from loomstack_mcp.adapters.install.doctor_codex import codex
from loomstack_mcp.adapters.install.doctor_definitions import definition_checks
from loomstack_mcp.adapters.install.doctor_files import Surroundings
from loomstack_mcp.adapters.install.doctor_git_hooks import git_hook_checks
from loomstack_mcp.adapters.install.doctor_history import history_checks
from loomstack_mcp.adapters.install.doctor_telemetry import export_checks, receiver_checks, receiver_ports
from loomstack_mcp.adapters.install.doctor_webhook import webhook_checks
from loomstack_mcp.adapters.install.managed import managed_checks
from loomstack_mcp.adapters.install.scopes import project_scope, user_scope
from loomstack_mcp.adapters.settings import Settings, hub_of, postgres_url, sqlite_path, store_shown
from loomstack_mcp.cli import output
from loomstack_mcp.cli.hubs import hub_checks
from loomstack_mcp.cli.lists import as_json, paused_in
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.core.clients.files.own_names import TOKEN_VARIABLE
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.pauses import pause_shown
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import is_lapsed
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.remote.opening import memory_file

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}
_RUNS_MAX, _USED_RUNS_MAX = 1_000, 100


@open_to_all
@click.command()
@as_json
@click.pass_obj
def doctor(here: Here, as_json: bool) -> int:
    """Look at this installation and this repository; exit 1 where something fails."""
    found = list(_looked_at(here))
    if as_json:
        output.print_rows((asdict(check) for check in found), as_json=True, empty="")
    else:
        for check in found:
            mark = click.style(f"{check.status:<5}", fg=_COLORS[check.status])
            click.echo(f"{mark} {check.check:<16} {output.harmless(check.found)}")
            if check.mend:
                click.echo(f"{'':<23}→ {output.harmless(check.mend)}")
    return 1 if any(check.status == "fail" for check in found) else 0


def _looked_at(here: Here) -> Iterator[Check]:
    yield from checkup.program_checks(__version__)
    try:
        worktree = here.worktree
    except LoomError as error:
        found, _, mend = str(error).rpartition("; ")
        mend = mend.removeprefix("whoever trusts it: ")
        yield Check(check="repository", status="fail", found=found or mend, mend=mend)
        return
    try:
        settings = here.settings
        hub = hub_of(settings)
        path = memory_file(settings.home) if hub else None if postgres_url(settings) else sqlite_path(settings)
    except LoomError as error:
        found, _, mend = str(error).rpartition("; ")
        yield Check(check="settings", status="fail", found=found or mend, mend=mend)
        return
    if path:
        yield checkup.store_folder_check(path)
    checkout = worktree.checkout(repo=settings.repo) if worktree else None
    yield from hub_checks(settings, checkout) if hub else _store(settings, path, checkout)
    yield from checkup.start_checks(handovers(settings.home))
    yield from export_checks(settings)
    yield from _of_receiver(settings, checkout)
    if worktree is None or checkout is None:
        mend = "go to a repository and run loomstack-mcp doctor again"
        yield Check(check="repository", status="warn", found=no_worktree(here.folder or Path()), mend=mend)
        return
    yield Check(check="repository", status="ok", found=f"{checkout.identity}, from {here.identity_source()}")
    with here.repository() as repo:
        yield from history_checks(repo)
    for pause, now_ms in paused_in(here, checkout.identity):
        found = pause_shown(pause, now_ms=now_ms)
        yield Check(check="paused", status="warn", found=found, mend="loomstack-mcp resume, in a terminal of your own")
    yield from _of_clients(worktree, settings)


def _of_receiver(settings: Settings, checkout: Checkout | None) -> Iterator[Check]:
    """Whether what clients tell of their cost arrives, where a person had them tell it."""
    places = user_scope(os.environ, home=Path(settings.home)).places
    ports = receiver_ports(Path(places.claude) / "settings.json", Path(places.codex) / "config.toml")
    last_age_ms = None
    if ports:
        with suppress(LoomError), open_loom(settings) as loom:  # what is wrong with the store is said already
            repo_id = loom.repos.id_of(checkout or Checkout(identity=""))
            runs, now_ms = loom.runs.latest(repo_id, limit=_USED_RUNS_MAX)
            told = [model for one in loom.usage.of_runs([run.id for run in runs]) for model in one.models]
            last_age_ms = max(0, now_ms - max(one.last_at_ms for one in told)) if told else None
    yield from receiver_checks(ports, last_age_ms=last_age_ms)


def _of_clients(worktree: Worktree, settings: Settings) -> Iterator[Check]:
    """What the clients of this machine, and git, have of us in a worktree."""
    place = Surroundings(worktree=worktree, home=Path.home(), environment=os.environ)
    clients = (claude_code(place), codex(place))
    if (missing := doctor_tried.set_up_check(clients)) is not None:
        yield missing
    for client in clients:
        yield from client.checks
    home = Path(settings.home)
    scopes = (project_scope(worktree, home=home), user_scope(os.environ, home=home))
    yield from definition_checks(clients, *scopes, __version__)
    yield from managed_checks()
    yield from doctor_tried.hook_checks(clients, worktree.root, os.environ)
    yield from git_hook_checks(worktree, os.environ, is_set_up=missing is None)
    yield from doctor_servers.command_checks(clients, worktree.root)
    yield from doctor_tried.version_checks(clients, worktree.root, __version__, os.environ)
    yield from doctor_servers.same_store_checks(clients, os.environ)
    yield from doctor_servers.same_settings_checks(clients)
    token = os.environ.get(TOKEN_VARIABLE, "")
    yield from doctor_urls.http_server_checks(clients, token, Path(settings.home) / "token")


def _store(settings: Settings, path: Path | None, checkout: Checkout | None) -> Iterator[Check]:
    if path and not os.path.exists(path):  # noqa: PTH110 Path.exists raises in a folder that may not be entered
        yield checkup.new_store_check(path)
        return
    try:
        with open_loom(settings) as loom:
            repo_id = loom.repos.id_of(checkout or Checkout(identity=""))
            runs, now_ms = loom.runs.latest(repo_id, limit=_RUNS_MAX)
            boots_alternate = loom.runs.boots_alternate()
            unsent, answered = loom.notices.unsent()
    except LoomError as error:
        yield Check(check="store", status="fail", found=str(error), mend="loomstack-mcp db check")
        return
    size = f", {counted(path.stat().st_size, 'byte')}" if path else ""
    yield Check(check="store", status="ok", found=f"{store_shown(settings)}{size}")
    yield from checkup.store_size_checks(path, settings) if path else ()
    yield from checkup.kernels_check(boots_alternate)
    yield from webhook_checks(settings, unsent=unsent, answered=answered)
    stale = sum(run.state == "live" and is_lapsed(run, now_ms=now_ms) for run in runs)
    if stale:
        yield Check(check="runs", status="ok", found=f"{stale} lapsed; what they held is free for others")
