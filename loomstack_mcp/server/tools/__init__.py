"""The MCP tools, one file per noun: a signature, a docstring for the model, one service call."""
