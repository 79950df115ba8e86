"""All of tree-sitter and RE2: shell lines, imports, tests, patterns."""
