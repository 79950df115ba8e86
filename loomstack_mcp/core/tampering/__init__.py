"""Test tampering: tests before and after, and what was lost between."""
