"""Test files in JavaScript, TypeScript and Go as the same plain records as those in Python, through tree-sitter."""
