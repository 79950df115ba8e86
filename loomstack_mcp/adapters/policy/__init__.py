"""Policies from files to facts: where rules lie, how they load, what they are asked about."""
