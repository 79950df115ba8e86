"""One file of a client, as text: how we come in, and how we go."""

from collections.abc import Callable

from loomstack_mcp.core.clients.files.json_edit import edited
from loomstack_mcp.core.clients.files.json_text import JsonTree, json_spelled, parsed_json
from loomstack_mcp.core.clients.files.own_names import NAME
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record

BYTE_ORDER_MARK = "\ufeff"

TextChange = Callable[[str], str]


@record
class ClientFile:
    """One file of a client."""

    path: str
    """From the top of the worktree, or absolute."""
    put: TextChange
    """Its text, "" where there is none, to its text with us; "" where it is to go. Raises Invalid, naming the file."""
    taken: TextChange
    """Its text to its text without us; "" where nothing else is in it. Raises Invalid, naming the file."""
    bare: str = ""
    """What it says where nothing is in it and yet it has to be there."""
    hides: str = ""
    """A file of each worktree that git leaves out by our line in this one, so for as long as there is any."""
    brief: str = ""
    """What a person is shown instead of what changes in it: what it is."""
    is_whole: bool = False
    """Whether all of it is ours, so that it goes with us also where git has it."""
    is_private: bool = False
    """Whether it may hold secrets, so that no copy of it is kept where taking us out gives its text back."""

    @property
    def own_folders(self) -> int:
        """How many of the folders around it are taken to have come with it, where nobody noted it.

        Git keeps no empty folder, so in a worktree all of them did; of a person's own only that of a skill did.
        """
        return int(self.is_whole and self.path.endswith("/SKILL.md")) if self.path[:1] == "/" else self.path.count("/")


def text_file(path: str, put: TextChange, taken: TextChange, *, bare: str = "", hides: str = "") -> ClientFile:
    """A file whose byte order mark stays, and that is not read where it cannot hold anything of ours."""
    return ClientFile(
        path=path,
        put=lambda text: _on_text(put, text),
        taken=lambda text: _on_text(taken, text) if NAME in text else text,
        bare=bare,
        hides=hides,
    )


def json_file(
    path: str, put: Callable[[JsonTree], JsonTree], taken: Callable[[JsonTree], JsonTree], *, bare: str = "{}\n"
) -> ClientFile:
    """A file that holds a JSON object, changed only where it has to be."""

    def applied(change: Callable[[JsonTree], JsonTree]) -> TextChange:
        def on_text(text: str) -> str:
            tree = parsed_json(path, text)
            try:
                changed = change(tree)
                if changed == tree:
                    return text
                if not changed:
                    return ""
                return edited(text, tree, changed) if text.strip() else json_spelled(changed, "  ", "\n") + "\n"
            except Invalid as error:
                raise Invalid(f"{path}: {error}; mend the file first, nothing was changed") from None

        return on_text

    return text_file(path, applied(put), applied(taken), bare=bare)


def _on_text(change: TextChange, text: str) -> str:
    plain = text.removeprefix(BYTE_ORDER_MARK)
    changed = change(plain)
    return text[: len(text) - len(plain)] + changed if changed else ""
