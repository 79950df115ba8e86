"""What each client sends a hook, and the reply that it understands."""
