"""SQL and nothing else: the seam, the named statements, and one backend per database."""
