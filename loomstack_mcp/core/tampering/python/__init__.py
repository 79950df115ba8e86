"""What a Python test file collects, asserts and skips."""
