# What every submission must pass, with the versions that constraints.txt pins
check:
    .ci/run

# Style, types, layers and the pure decisions, in a minute or two
fast:
    .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports && .venv/bin/pytest --quiet tests/core

# Figures, beside a no-op tool of the same SDK; `just bench --help` lists the groups
bench *groups:
    .venv/bin/python -m tests.bench {{ groups }}

# The picture of what imports what, in build/imports.svg; needs graphviz
docs:
    mkdir -p build && .venv/bin/import-linter drawgraph loomstack_mcp | dot -Tsvg -o build/imports.svg

# constraints.txt from pyproject.toml; `just constraints --upgrade` takes the newest releases; needs uv
constraints *options:
    .ci/constraints {{ options }}
