"""What the server says of itself is the same on the front and on the SDK, in every revision."""

from pathlib import Path

import pytest

from tests.server.front.sides import META, Pair

REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
LISTS = {"tools/list": "tools", "resources/list": "resources", "resources/templates/list": "resourceTemplates",
         "prompts/list": "prompts"}  # fmt: skip


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_list_is_that_of_the_sdk(tmp_path: Path, shop: Path, revision: str) -> None:
    modern = revision == REVISIONS[-1]
    with Pair(tmp_path, shop, modern=modern) as pair:
        if not modern:
            assert pair.initialize(revision)["result"]["protocolVersion"] == revision
        told = {method: pair.request(method, {"_meta": META} if modern else {}) for method in LISTS}

    assert all(told[method]["result"][named] for method, named in LISTS.items())
