"""Patterns: of claims and of policies, what they match and what they share."""
