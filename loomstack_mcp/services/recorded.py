"""What was recorded of attempts, as it is read back: for briefings, and wherever a run is shown."""

from loomstack_mcp.store import queries

OUTCOMES = queries.statements("outcomes")
