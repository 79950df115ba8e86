"""`webhook`: people told outside the terminal what waits for them; tried, and sent in the background."""

import signal
import time
from dataclasses import replace
from types import FrameType

import click

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.adapters.webhook import Webhook, post_notice, webhook_of
from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import configuring, open_to_all
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.notices import Notice
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.notices import NoticeService

_POST_S_MAX = 15
_LIVES_S = 60.0
"""A sender tries again by itself so long; what it could not send then, the next process does that finds it due."""


@click.group()
def webhook() -> None:
    """The webhook by which people hear outside the terminal of what waits for them."""


@configuring
@webhook.command()
@click.pass_obj
def test(here: Here) -> None:
    """Send a message to the webhook that the settings name, and say whether it arrived."""
    target = webhook_of(here.own_settings)
    if target is None:
        raise Invalid("no webhook is set; put `webhook: https://…` into your own config.yaml, or LOOMSTACK_WEBHOOK")
    wrong = _posted(
        target,
        Notice(
            id=f"notice_test_{round(time.time())}",
            repo_id="test",
            kind="test",
            about="",
            run_id="",
            text="a test; all is well",
        ),
    )
    if wrong:
        raise Invalid(f"{target.host} did not take the message: {wrong}")
    signed = "signed" if target.key else "not signed, as no webhook_secret is set"
    click.echo(f"{output.harmless(target.host)} took it, as {target.kind}, {signed}.")


@open_to_all
@webhook.command(hidden=True)
@click.pass_obj
def send(here: Here) -> None:
    """Send what is due; started by whatever process of ours finds that something is."""
    target, wrong = _target(here.own_settings)
    with open_loom(replace(here.own_settings, webhook="")) as loom:  # whose end starts no other sender
        until_s = time.monotonic() + _LIVES_S
        while (wait_s := _sent(loom.notices, target, wrong)) is not None and time.monotonic() + wait_s < until_s:
            time.sleep(wait_s)


def _target(settings: Settings) -> tuple[Webhook | None, str]:
    """The webhook, or why there is none: that is kept with what waits, so that nobody tries all the time."""
    try:
        return webhook_of(settings), "no webhook is set"
    except Invalid as error:
        return None, str(error)


def _sent(notices: NoticeService, target: Webhook | None, wrong: str) -> float | None:
    """Send all that is due now; returns in how many seconds something is again, None where nothing waits."""
    while notice := notices.take():
        if answered := _posted(target, notice) if target else wrong:
            notices.failed(notice, answered=answered)
        else:
            notices.arrived(notice)
    due_ms = notices.due_in_ms() if target else None
    return None if due_ms is None else due_ms / SECOND_MS


def _posted(target: Webhook, notice: Notice) -> str:
    """Post it, in bounded time, however slowly the other side answers; returns what was wrong."""
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(_POST_S_MAX)
    try:
        return post_notice(target, notice)
    finally:
        signal.alarm(0)


def _late(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError
