"""The grammars of the languages whose files are read, each loaded once."""

from functools import cache

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language

_GRAMMARS = {
    "python": tree_sitter_python.language,
    "javascript": tree_sitter_javascript.language,
    "typescript": tree_sitter_typescript.language_typescript,
    "tsx": tree_sitter_typescript.language_tsx,
    "go": tree_sitter_go.language,
}


@cache
def grammar(name: str) -> Language:
    """One of `python`, `javascript`, `typescript`, `tsx` and `go`."""
    return Language(_GRAMMARS[name]())
