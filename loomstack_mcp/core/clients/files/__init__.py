"""The clients' project files, as text: with us in them, and without."""
