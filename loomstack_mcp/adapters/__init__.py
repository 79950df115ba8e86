"""The outside world besides the database: git, settings, files."""
