"""Imports of Python, TypeScript, JavaScript and Go files, as edges between paths of the repository."""
