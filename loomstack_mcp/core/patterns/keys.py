"""Keys of the index over literal folder prefixes: what lies at, above and below one."""


def ancestors(key: str, /) -> tuple[str, ...]:
    """The key and every folder above it, the root "" first."""
    return ("", *(key[: at + 1] for at, character in enumerate(key) if character == "/"))


def keys_below(key: str, /) -> tuple[str, str]:
    """The open range (low, high) that holds exactly the keys strictly below this one."""
    return (key, f"{key[:-1]}0") if key else ("", chr(0x10FFFF))  # "0" follows "/" in code point order
