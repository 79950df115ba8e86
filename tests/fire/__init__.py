"""Fire: real processes that claim, edit and record while they are killed, stopped and cut off; then what must hold."""
