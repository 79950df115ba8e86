"""The stdio server on the standard library, there in a blink: what it does not know it hands over to the SDK's."""
