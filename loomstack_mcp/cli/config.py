"""`config` and `completion`: what is set, and where that came from."""

import click
from click.shell_completion import get_completion_class

from loomstack_mcp.adapters.settings import SECRETS, Settings, postgres_url, store_shown
from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.main import cli
from loomstack_mcp.cli.people import open_to_all, private
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.edge.here import Here


@private
@click.command()
@as_json
@click.pass_obj
def config(here: Here, as_json: bool) -> None:
    """Show each setting, its value, and where it came from."""
    try:
        settings, broken = here.settings, None
    except Invalid as error:
        settings, broken = here.own_settings, error
    shown = [
        {"setting": name, "value": _shown(name, settings), "from": origin} for name, origin in settings.origins.items()
    ]
    if here.worktree and not broken:  # the settings may say what it is called
        shown.append({"setting": "identity", "value": here.checkout().identity, "from": here.identity_source()})
    output.print_rows(shown, as_json=as_json, empty="")
    for ignored in settings.ignored:
        click.echo(f"ignored: {ignored}", err=True)
    if broken:
        raise broken


def _shown(name: str, settings: Settings) -> object:
    """The value; of what is as good as a password only whether there is one."""
    if name == "store" and postgres_url(settings):
        return store_shown(settings)
    value = getattr(settings, name)
    return ("set" if value else "") if name in SECRETS else value


@open_to_all
@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script: `eval "$(loomstack-mcp completion bash)"`."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "loomstack-mcp", "_LOOMSTACK_MCP_COMPLETE").source())
