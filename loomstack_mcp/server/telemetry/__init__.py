"""Telemetry of clients, taken in on loopback: what their models cost, for the runs whose it is."""
