"""Changes as facts: what each removed and added, as keyed hashes of lines, and what takes back what."""
