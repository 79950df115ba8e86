"""What becomes of a free file that an agent edits, as a setting has it."""

from typing import Literal

ClaimEdits = Literal["auto", "ask", "off"]
CLAIM_EDITS: tuple[ClaimEdits, ...] = ("auto", "ask", "off")
"""Held, held once its agent was told to claim it, or left alone; the first where nothing is said."""
