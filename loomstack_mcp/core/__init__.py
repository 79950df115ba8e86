"""Pure decisions and the records they speak: no I/O, no clock, no randomness."""
