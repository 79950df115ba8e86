"""The human face: parse, one service call, render."""
