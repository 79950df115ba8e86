"""The identity of a repository: whatever is typed, a name that a store can hold, or a refusal."""

from hypothesis import example, given
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import identity_of

typed = st.text(st.characters(), max_size=30) | st.builds(
    "{}{}{}".format,
    st.sampled_from(["https://", "ssh://git@", "git@host:", "file://", "", "https://["]),
    st.text(st.characters(), max_size=20),
    st.sampled_from(["", ".git", "/", ":99999/x", ":x"]),
)


def identity(name: str) -> str:
    try:
        return identity_of(name)
    except Invalid:
        return ""


@given(typed)
@example("acme/caf\udce9")
def test_a_name_is_one_that_can_be_stored_or_is_refused(name: str) -> None:
    found = identity(name)

    assert found.encode().decode() == found
    assert found == found.strip()


@given(typed.filter(lambda name: "://" not in name and ":" not in name))
def test_a_plain_name_stands_for_itself_again(name: str) -> None:
    assert identity(identity(name)) in (identity(name), "")
