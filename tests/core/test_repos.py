"""One identity for one repository, and the one that none may have."""

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import identity_of


@pytest.mark.parametrize("name", ["org", " org ", "/org/", "org.git", "file:///org", "https:///org.git"])
def test_no_repository_has_the_name_under_which_notes_hold_for_all(name: str) -> None:
    with pytest.raises(Invalid, match="every other"):
        identity_of(name)
