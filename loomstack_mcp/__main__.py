"""`python -m loomstack_mcp`."""

from loomstack_mcp.cli.main import main

main()
