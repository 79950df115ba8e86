"""Three stories that the real clients play, step by step as the definitions of agents and skills tell."""
