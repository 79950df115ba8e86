"""The briefing: shared context, ranked by how near it lies and fitted to a budget."""
