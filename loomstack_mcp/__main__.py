"""`python -m loomstack_mcp`."""

from loomstack_mcp.start import main

main()
