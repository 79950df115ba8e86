"""One class per noun, one method per use case, one transaction per call."""
