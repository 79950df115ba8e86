"""The short-lived face: one process per step of an agent, so that every import is paid for."""
