"""Whether people can be told outside the terminal: what their webhook is set to, and what it took."""

from collections.abc import Iterator

from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.adapters.webhook import webhook_of
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted


def webhook_checks(settings: Settings, *, unsent: int, answered: str) -> Iterator[Check]:
    """Nothing where none is set. `unsent` notices wait after a try that was `answered` so."""
    try:
        webhook = webhook_of(settings)
    except Invalid as error:
        found, _, mend = str(error).rpartition("; ")
        yield Check(check="webhook", status="fail", found=found or mend, mend=mend)
        return
    if webhook is None:
        return
    if unsent:
        found = f"{counted(unsent, 'notice')} could not be sent: {answered}"
        yield Check(check="webhook", status="warn", found=found, mend="loomstack-mcp webhook test")
        return
    signed = "signed" if webhook.key else "not signed"
    yield Check(check="webhook", status="ok", found=f"{webhook.host}, as {webhook.kind}, {signed}")
