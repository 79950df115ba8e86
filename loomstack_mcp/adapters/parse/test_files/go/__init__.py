"""What a Go test file holds: the standard library's tests and testify's."""
