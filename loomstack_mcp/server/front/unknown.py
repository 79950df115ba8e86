"""What the front does not know."""


class Unknown(Exception):
    """A message that the front does not know, and does not guess about: it is the SDK's server's to answer."""
