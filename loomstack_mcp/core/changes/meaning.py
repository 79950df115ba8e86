"""What the numbers and dates mean that a store keeps of changes, as a version."""

MEANING = 3
"""Raise it where the hash of a line or of a blob, what a hunk lists, a mark, or the date of a landed change comes to
mean something else: rows of another version are forgotten, and read again from whatever clone has the commits."""
