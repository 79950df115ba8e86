"""`why`: from a refusal or a decision to the rule, the claim, the note and the person behind it."""

import json
from collections.abc import Iterator
from typing import Any

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.core.policy.approvals import answer_text
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.why import WhyStep

_LISTED = frozenset({"reasons", "rules", "answers", "shown"})
"""Fields of which each entry gets a line."""


@open_to_all
@click.command()
@click.argument("id", metavar="ID")
@as_json
@click.pass_obj
def why(here: Here, id: str, as_json: bool) -> None:  # noqa: A002 it is called so
    """Show what is behind an ID of a refusal, a decision, a conflict, a claim, a note, a run or an outcome."""
    with open_loom(here.settings) as loom:
        steps = loom.why.behind(id)
    if as_json:
        click.echo(json.dumps([{"id": step.id, **step.fields} for step in steps]))
    else:
        click.echo("\n\n".join("\n".join(_lines(step)) for step in steps))


def _lines(step: WhyStep) -> Iterator[str]:
    yield click.style(step.id, bold=True) if output.is_styled() else step.id
    fields = [(name, value) for name, value in step.fields.items() if value != step.id]
    for name, value in fields:
        for at, each in enumerate(value if name in _LISTED else [value]):
            yield f"  {'' if at else name:<12}  {_text(each)}"


def _text(value: Any) -> str:
    if isinstance(value, dict) and "verdict" in value:
        return output.harmless(answer_text(value["verdict"], value["who"], value["why"]))
    if not isinstance(value, dict) or "rule" not in value:
        return output.cell(value)
    if "by" in value and "effect" not in value:
        return output.harmless(f"{value['rule']} asks {' or '.join(value['by'])}: {value['why']}")
    matched = f"; matched {output.cell(value['matched'])}" if value.get("matched") else ""
    instead = f"; instead: {value['fix']}" if value.get("fix") else ""
    place = f" ({value['at']})" if value.get("at") else ""
    return output.harmless(
        f"{value.get('effect', '')} by {value['rule']}{place}: {value.get('why', '')}{matched}{instead}"
    )
