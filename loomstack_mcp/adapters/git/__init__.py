"""Git, asked by its own program."""
