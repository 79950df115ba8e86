"""What stands first on the PYTHONPATH of a process whose modules are counted."""
