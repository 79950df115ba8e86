"""The clients' files on disk, and what the clients make of them."""
