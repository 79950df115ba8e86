"""Pictures of the clients' own screens: a pseudo-terminal, what stands on its screen, and that as SVG."""
