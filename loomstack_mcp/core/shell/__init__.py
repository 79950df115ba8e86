"""Shell lines and patches: what they do to files."""
