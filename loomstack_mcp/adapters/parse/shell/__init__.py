"""A shell line, parsed with tree-sitter into the plain records that the core reads (`core/shell/words.py`)."""
