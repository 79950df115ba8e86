"""The real Claude Code and Codex, driven against a scripted model on loopback."""
