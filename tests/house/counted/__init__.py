"""What stands first on the PATH and PYTHONPATH of a process whose git processes and modules are counted."""
