"""The edge: services over a hub, and what of this machine it is told."""
