"""What an agent may try to get around the rules, tried by both real clients, and where each attempt ended."""
