"""Scenes that look like a reversal and are none."""

from collections.abc import Callable

from tests.eval.history import History
from tests.eval.undone import intended, restore


def moved_within(history: History) -> None:
    intended(history, paths=("shop/cart.py",))
    blocks = history.files["shop/cart.py"]
    blocks.append(blocks.pop(1))
    blocks.insert(0, blocks.pop(4))
    history.commit("ana", "Order the functions")


def moved_to_file(history: History) -> None:
    _, edits = intended(history, paths=("shop/cart.py",))
    moved = edits[0][1]
    blocks = history.files["shop/cart.py"]
    blocks[:] = [block for block in blocks if block is not moved]
    history.files["shop/parts.py"] = [moved]
    history.commit("ana", "Split the cart")


def split_file(history: History) -> None:
    intended(history, paths=("web/basket.ts",))
    blocks = history.files.pop("web/basket.ts")
    half = len(blocks) // 2
    history.files["web/left.ts"], history.files["web/right.ts"] = blocks[:half], blocks[half:]
    history.commit("ana", "Two files")


def indented(history: History) -> None:
    intended(history, paths=("web/basket.ts",))
    for block in history.files["web/basket.ts"]:
        block[:] = [line.replace("  ", "\t", 1) if line.startswith("  ") else line for line in block]
    history.commit("ana", "Tabs")


def wrapped(history: History) -> None:
    intended(history, paths=("shop/tax.py",))
    for block in history.files["shop/tax.py"]:
        block[:] = [part for line in block for part in _wrapped(line)]
    history.commit("ana", "Format")


def own_revert(history: History) -> None:
    _, edits = intended(history, author="ana")
    history.noise(1)
    restore(edits)
    history.commit("ana", "On second thought")


def version_bumps(history: History) -> None:
    history.files["shop/version.py"] = [["VERSION = '1.0.0'", ""]]
    history.commit("dan", "A version")
    for author, version in (("bea", "1.1.0.dev0"), ("ana", "1.1.0"), ("bea", "1.2.0.dev0"), ("cy", "1.2.0")):
        history.files["shop/version.py"] = [[f"VERSION = '{version}'", ""]]
        history.commit(author, f"Version {version}")


def flags_elsewhere(history: History) -> None:
    one, other = history.pick("deploy/config.yaml"), history.pick("deploy/config.yaml")
    one[-1:], other[-1:] = ["  preview: true", ""], ["  preview: false", ""]
    history.commit("dan", "Previews")
    other[-2] = "  preview: true"
    history.commit("bea", "It is on")
    one[-2] = "  preview: false"
    history.commit("ana", "Another is off")


def followed_up(history: History) -> None:
    _, edits = intended(history, paths=("shop/cart.py",))
    for path, block, _ in edits:
        history.change(path, block, lines=2)
    history.commit("ana", "Build on it")


def renamed_variable(history: History) -> None:
    intended(history, paths=("shop/cart.py", "shop/tax.py"))
    for path in ("shop/cart.py", "shop/tax.py"):
        for block in history.files[path]:
            block[:] = [line.replace("rate", "tax_rate") for line in block]
    history.commit("ana", "Say which rate")


def clean_merge(history: History) -> None:
    base = history.head
    saved = {path: [list(block) for block in blocks] for path, blocks in history.files.items()}
    intended(history, paths=("shop/cart.py",))
    trunk, both = history.head, history.files
    history.files = saved
    block = history.files["api/server.go"][0]
    history.change("api/server.go", block)
    side = history.commit("ana", "Work on the side", parents=(base,))
    history.files = both
    history.files["api/server.go"][0][:] = block
    history.commit("ana", "Merge the trunk", parents=(side, trunk))


def cherry_picked(history: History) -> None:
    base = history.head
    saved = {path: [list(block) for block in blocks] for path, blocks in history.files.items()}
    _, edits = intended(history, paths=("shop/cart.py",))
    trunk, both = history.head, history.files
    picked = {path: [list(block) for block in blocks] for path, blocks in both.items()}
    history.files = picked
    side = history.commit("ana", "Picked", parents=(base,))
    history.files = both
    history.commit("ana", "Merge the release", parents=(trunk, side))
    del saved, edits


def code_dies(history: History) -> None:
    intended(history, paths=("shop/tax.py",), count=2)
    del history.files["shop/tax.py"]
    history.commit("ana", "Taxes are a service now")


def boilerplate(history: History) -> None:
    blocks = [history.block("api/server.go") for _ in range(4)]
    history.files["api/server.go"] += blocks
    history.commit("dan", "More handlers")
    for author, block in zip(("bea", "ana", "dan", "cy"), blocks, strict=True):
        if author in ("bea", "dan"):
            block.insert(3, "\tdefer cancel()")
        else:
            block.remove("\tdefer cancel()")
        history.commit(author, f"Care for {history.word()}")


def lock_file(history: History) -> None:
    for author, number in (("bea", 1), ("ana", 2), ("bea", 1), ("ana", 2)):
        history.files["package-lock.json"] = [
            [f'  "version": "{number}.0.0",', f'  "resolved": "registry/{number}"', ""]
        ]
        history.commit(author, "Update dependencies")


def dependency_bumps(history: History) -> None:
    history.files["requirements.txt"] = [["httpx==0.1", "rich==1.0", ""]]
    history.commit("dan", "Requirements")
    for author, version in (("bea", "0.2"), ("ana", "0.3"), ("cy", "0.4")):
        history.files["requirements.txt"] = [[f"httpx=={version}", "rich==1.0", ""]]
        history.commit(author, f"httpx {version}")


def inserted_beside(history: History) -> None:
    _, edits = intended(history, paths=("shop/cart.py",))
    for path, block, _ in edits:
        block.insert(1, history.line(path))
        block.insert(len(block) - 2, history.line(path))
    history.commit("ana", "More lines")


def years(history: History) -> None:
    for blocks in history.files.values():
        blocks.insert(0, ["# Copyright 2025 The Shop", ""])
    history.commit("bea", "Name the year")
    for blocks in history.files.values():
        blocks[0] = ["# Copyright 2026 The Shop", ""]
    history.commit("ana", "A new year")


SCENES: tuple[Callable[[History], None], ...] = (
    moved_within,
    moved_to_file,
    split_file,
    indented,
    wrapped,
    own_revert,
    version_bumps,
    flags_elsewhere,
    followed_up,
    renamed_variable,
    clean_merge,
    cherry_picked,
    code_dies,
    boilerplate,
    lock_file,
    dependency_bumps,
    inserted_beside,
    years,
)


def _wrapped(line: str) -> list[str]:
    if not (line.startswith("    ") and line.endswith(")") and ", " in line):
        return [line]
    head, _, rest = line.partition("(")
    return [f"{head}(", *(f"        {part}," for part in rest[:-1].split(", ")), "    )"]
