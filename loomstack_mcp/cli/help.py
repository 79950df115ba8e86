"""`help`: the chapters of the handbook, as a terminal shows them."""

import difflib
import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from loomstack_mcp.cli.people import open_to_all

_FOLDER = Path(__file__).parent.parent / "help"
_WIDTH_MAX = 100
"""Longer lines are hard to read, however wide the terminal is."""
_GAP = "  "
_KEPT = "\N{NO-BREAK SPACE}"
_KEPT_CHARS_MAX = 30
"""Code in prose is not parted by a line's end while it is shorter than this."""
_CODE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?P<code>`[^`]*`)|\*\*(?P<bold>.+?)\*\*|\[(?P<text>[^\]]+)\]\((?P<target>[^)]+)\)")
_Row = list[str]


def _completed(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:  # noqa: ARG001 click calls it so
    return [CompletionItem(name) for name in topics() if name.startswith(typed)]


@open_to_all
@click.command()
@click.argument("topic", nargs=-1, shell_complete=_completed)
@click.pass_context
def help(ctx: click.Context, topic: tuple[str, ...]) -> None:  # noqa: A001 the command is called so
    """Show a chapter of the handbook, or with no TOPIC which there are; of a command, its options."""
    width = min(shutil.get_terminal_size().columns, _WIDTH_MAX)
    known = topics()
    if not topic:
        click.echo(_contents(known))
    elif len(topic) == 1 and topic[0] in known:
        os.environ.setdefault("LESS", "-FR")  # what fits on the screen is shown without waiting for a key
        click.echo_via_pager(rendered(chapter(topic[0]), width=width))
    else:
        click.echo(_options_of(topic, ctx))


def topics() -> dict[str, str]:
    """Each chapter's name and title."""
    return {
        path.stem: chapter(path.stem).partition("\n")[0].removeprefix("# ") for path in sorted(_FOLDER.glob("*.md"))
    }


def chapter(topic: str) -> str:
    """Its Markdown."""
    return (_FOLDER / f"{topic}.md").read_text(encoding="utf-8")


def rendered(text: str, *, width: int) -> str:
    """Markdown as plain text: prose and tables fit `width` columns, code stays as it is and is indented by four.

    It knows what the chapters use: headings, paragraphs, lists of one level, tables, fenced code, links.
    """
    shown: list[str] = []
    for at, part in enumerate(_CODE.split(text)):
        if at % 2:
            shown.append(textwrap.indent(part.rstrip(), "    "))
        else:
            shown += [_block(block.strip("\n"), width) for block in part.split("\n\n") if block.strip()]
    return "\n\n".join(shown)


def _contents(known: dict[str, str]) -> str:
    indent = max(map(len, known))
    listed = "\n".join(f"  {name:<{indent}}  {title}" for name, title in known.items())
    return f"Chapters, shown by `loomstack-mcp help TOPIC`:\n\n{listed}\n\nThe commands are in `loomstack-mcp --help`."


def _options_of(words: Sequence[str], ctx: click.Context) -> str:
    """A command's own help. Raises click.UsageError, with the nearest name, where there is no such command."""
    assert ctx.parent
    above = ctx.parent
    known = list(topics())
    for name in words:
        group = above.command
        names = [*known, *group.list_commands(above)] if isinstance(group, click.Group) else []
        command = group.get_command(above, name) if isinstance(group, click.Group) else None
        if command is None:
            raise click.UsageError(_unknown(name, names, above=above.info_name if above is not ctx.parent else ""), ctx)
        above, known = click.Context(command, info_name=name, parent=above), []
    return above.get_help()


def _unknown(name: str, known: Sequence[str], *, above: str | None) -> str:
    what = f"{above} has no command {name!r}" if above else f"there is no chapter {name!r}"
    if near := difflib.get_close_matches(name.lower(), known, n=1):
        return f"{what}; did you mean {near[0]}?"
    listed = f"it has {', '.join(known)}" if known else "it has none"
    return f"{what}; {listed if above else '`loomstack-mcp help` lists the chapters'}"


def _block(block: str, width: int) -> str:
    marks, _, title = block.partition(" ")
    if marks in ("#", "##"):
        return f"{title}\n{('=' if marks == '#' else '-') * len(title)}"
    if block.startswith("|"):
        return _table([_cells(line) for at, line in enumerate(block.split("\n")) if at != 1], width)
    if block.startswith("- "):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return "\n".join("\n".join(_filled(_plain(item), width, first="- ", others="  ")) for item in items)
    return "\n".join(_filled(_plain(block), width))


def _cells(line: str) -> _Row:
    return [_plain(cell.replace(r"\|", "|")) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _plain(text: str) -> str:
    return _INLINE.sub(_shown, " ".join(text.split()))


def _shown(found: re.Match[str]) -> str:
    if code := found["code"]:
        return code.replace(" ", _KEPT) if len(code) < _KEPT_CHARS_MAX else code
    if found["bold"]:
        return found["bold"]
    command = f"`loomstack-mcp help {found['target'].removesuffix('.md')}`".replace(" ", _KEPT)
    return command if f"{found['text']}.md" == found["target"] else f"{found['text']} ({command})"


def _filled(text: str, width: int, *, first: str = "", others: str = "") -> list[str]:
    lines = textwrap.wrap(
        text,
        max(width, 1),
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT, " ") for line in lines]


def _table(rows: Sequence[_Row], width: int) -> str:
    """Columns under their names; the widest ones shrink until they fit, and no word is ever broken."""
    widths = _widths(rows, width)
    head, *body = [_lines(row, widths) for row in rows]
    between = "\n\n" if any(len(row) > 2 for row in body) else "\n"
    rule = _GAP.join("-" * size for size in widths)
    return "\n".join([*head, rule, between.join("\n".join(row) for row in body)])


def _widths(rows: Sequence[_Row], width: int) -> list[int]:
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    least = [max(map(len, " ".join(column).split(" "))) for column in columns]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > width and widths != least:
        at = max((at for at in range(len(widths)) if widths[at] > least[at]), key=widths.__getitem__)
        widths[at] -= 1
    return widths


def _lines(row: _Row, widths: Sequence[int]) -> list[str]:
    wrapped = [_filled(cell, size) for cell, size in zip(row, widths, strict=True)]
    return [
        _GAP.join(f"{part:<{size}}" for part, size in zip(line, widths, strict=True)).rstrip()
        for line in zip_longest(*wrapped, fillvalue="")
    ]
