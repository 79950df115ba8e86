"""What test runners are told: their settings, and the commands that start them."""
