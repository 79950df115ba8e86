"""Scenes in which a change is taken back; each notes which commit undoes which."""

from collections.abc import Callable

from tests.eval.history import Block, History

Edits = list[tuple[str, Block, Block]]
"""Path, the block itself, and how it was before."""

_CODE = ("shop/cart.py", "shop/tax.py", "web/basket.ts", "api/server.go", "tests/test_cart.py", "deploy/config.yaml")


def intended(
    history: History, *, author: str = "bea", count: int = 3, paths: tuple[str, ...] = ()
) -> tuple[int, Edits]:
    """Somebody changes some places on purpose."""
    edits = []
    for number in range(count):
        path = paths[number % len(paths)] if paths else history.random.choice(_CODE)
        block = history.pick(path)
        before, _ = history.change(path, block, lines=history.random.randint(1, 3))
        edits.append((path, block, before))
    return history.commit(author, f"{history.verb()} {history.word()} on purpose"), edits


def restore(edits: Edits) -> None:
    for _, block, before in edits:
        block[:] = before


def whole(history: History) -> None:
    mark, edits = intended(history)
    history.noise(2)
    restore(edits)
    history.commit("ana", "Make the tests green", undoes=(mark,))


def single_line(history: History) -> None:
    path = history.random.choice(_CODE)
    block = history.pick(path)
    before, _ = history.change(path, block, lines=1)
    mark = history.commit("bea", "A better number")
    history.noise(2)
    block[:] = before
    history.commit("ana", "Fix the number", undoes=(mark,))


def one_number(history: History) -> None:
    path = history.random.choice(("shop/cart.py", "tests/test_cart.py", "deploy/config.yaml"))
    block = history.pick(path)
    at = history.random.randint(1, 3)
    old = block[at] = f"{block[at].split('=')[0].split(':')[0]}{': ' if path.endswith('yaml') else ' = '}120"
    history.commit("dan", "A limit")
    block[at] = old.replace("120", "100")
    mark = history.commit("bea", "Expect net prices")
    history.noise(1)
    block[at] = old
    history.commit("ana", "Repair the red test", undoes=(mark,))


def partial(history: History) -> None:
    mark, edits = intended(history, count=4)
    history.noise(2)
    restore(edits[: history.random.randint(1, 2)])
    history.commit("ana", "Small repairs", undoes=(mark,))


def old_copy(history: History) -> None:
    path = "shop/cart.py"
    saved = [list(block) for block in history.files[path]]
    first, _ = intended(history, count=2, paths=(path,))
    second, _ = intended(history, author="dan", count=2, paths=(path,))
    history.files[path] = saved
    history.commit("ana", "Update the cart", undoes=(first, second))


def old_copy_with_work(history: History) -> None:
    path = "web/basket.ts"
    saved = [list(block) for block in history.files[path]]
    first, _ = intended(history, count=2, paths=(path,))
    second, _ = intended(history, author="dan", count=2, paths=(path,))
    history.files[path] = [*saved, history.block(path)]
    history.commit("ana", "Add a basket function", undoes=(first, second))


def after_rename(history: History) -> None:
    path, new = "shop/tax.py", "shop/duties.py"
    mark, edits = intended(history, paths=(path,))
    history.files[new] = history.files.pop(path)
    history.commit("cy", "Taxes are duties")
    restore(edits)
    history.commit("ana", "Make it work again", undoes=(mark,))


def with_rename(history: History) -> None:
    path, new = "shop/tax.py", "lib/tax.py"
    mark, edits = intended(history, paths=(path,))
    history.noise(1)
    restore(edits)
    history.files[new] = history.files.pop(path)
    history.commit("ana", "Move taxes to lib", undoes=(mark,))


def after_indent(history: History) -> None:
    path = "web/basket.ts"
    mark, edits = intended(history, paths=(path,))
    for block in history.files[path]:
        block[:] = [line.replace("  ", "    ", 1) if line.startswith("  ") else line for line in block]
    history.commit("cy", "Four spaces")
    for _, block, before in edits:
        block[:] = [line.replace("  ", "    ", 1) if line.startswith("  ") else line for line in before]
    history.commit("ana", "Make it work again", undoes=(mark,))


def after_quotes(history: History) -> None:
    path = "shop/cart.py"
    mark, edits = intended(history, paths=(path,))
    for block in history.files[path]:
        block[:] = [line.replace("'", '"') for line in block]
    history.commit("cy", "Double quotes")
    for _, block, before in edits:
        block[:] = [line.replace("'", '"') for line in before]
    history.commit("ana", "Make it work again", undoes=(mark,))


def after_wrap(history: History) -> None:
    path = "shop/cart.py"
    block = history.pick(path)
    block[2] = "    total = compute(cart, limit=120, unit='item', rounded=True)"
    history.commit("dan", "A total")
    block[2] = "    total = compute(cart, limit=100, unit='item', rounded=True)"
    mark = history.commit("bea", "A lower limit")
    block[2:3] = [
        "    total = compute(",
        "        cart,",
        "        limit=100,",
        "        unit='item',",
        "        rounded=True,",
        "    )",
    ]
    history.commit("cy", "Format the code")
    block[block.index("        limit=100,")] = "        limit=120,"
    history.commit("ana", "Repair the limit", undoes=(mark,))


def crlf(history: History) -> None:
    path = "docs/guide.md"
    mark, edits = intended(history, paths=(path,))
    for block in history.files[path]:
        block[:] = [f"{line}\r" for line in block]
    history.commit("cy", "Line ends")
    for _, block, before in edits:
        block[:] = [f"{line}\r" for line in before]
    history.commit("ana", "Correct the guide", undoes=(mark,))


def with_new_work(history: History) -> None:
    mark, edits = intended(history)
    history.noise(1)
    restore(edits)
    for path in {path for path, _, _ in edits}:
        history.files[path].insert(history.random.randrange(len(history.files[path])), history.block(path))
    path = edits[0][0]
    edits[0][1].insert(2, history.line(path))
    history.commit("ana", "Add functions", undoes=(mark,))


def over_commits(history: History) -> None:
    mark, edits = intended(history, count=3)
    for edit in edits:
        restore([edit])
        history.commit("ana", f"Repair {history.word()}", undoes=(mark,), hours=0.2)
        history.noise(1)


def ours_merge(history: History) -> None:
    base = history.head
    saved = {path: [list(block) for block in blocks] for path, blocks in history.files.items()}
    mark, _ = intended(history)
    other, _ = intended(history, author="dan")
    trunk = history.head
    now, history.files = history.files, saved
    history.files["shop/new.py"] = [history.block("shop/new.py")]
    side = history.commit("ana", "A new file", parents=(base,))
    history.commit("ana", "Merge the trunk", parents=(side, trunk), undoes=(mark, other))
    del now


def deleted_file_returns(history: History) -> None:
    path = "shop/old.py"
    history.files[path] = [history.block(path) for _ in range(3)]
    first = history.commit("dan", "A module")
    saved = history.files.pop(path)
    mark = history.commit("bea", "The module goes", undoes=(first,))
    history.noise(2)
    history.files[path] = saved
    history.commit("ana", "Repair the import", undoes=(mark,))


def new_file_goes(history: History) -> None:
    path = "shop/guard.py"
    history.files[path] = [history.block(path) for _ in range(3)]
    mark = history.commit("bea", "A guard")
    history.noise(2)
    del history.files[path]
    history.commit("ana", "Tidy up", undoes=(mark,))


def guard_goes(history: History) -> None:
    path = history.random.choice(("shop/cart.py", "web/basket.ts", "api/server.go"))
    block = history.pick(path)
    added = [history.line(path) for _ in range(history.random.randint(1, 4))]
    block[2:2] = added
    mark = history.commit("bea", "Guard against empty carts")
    history.noise(2)
    del block[2 : 2 + len(added)]
    history.commit("ana", "Simplify", undoes=(mark,))


def removed_check_returns(history: History) -> None:
    path = history.random.choice(("shop/cart.py", "tests/test_cart.py"))
    block = history.pick(path)
    removed = block[2:4]
    del block[2:4]
    mark = history.commit("bea", "These no longer hold")
    history.noise(2)
    block[2:2] = removed
    history.commit("ana", "Bring coverage back", undoes=(mark,))


def ping_pong(history: History) -> None:
    first, edits = intended(history, author="ana", count=2)
    after = [(path, block, list(block)) for path, block, _ in edits]
    restore(edits)
    history.commit("bea", "As it should be", undoes=(first,))
    before = [(path, block, list(block)) for path, block, _ in edits]
    history.noise(1)
    restore(after)
    third = history.commit("ana", "As it has to be")
    history.noise(1)
    restore(before)
    history.commit("bea", "Once more, with a reason", undoes=(third,))


def chain(history: History) -> None:
    path = history.random.choice(("shop/cart.py", "web/basket.ts"))
    block = history.pick(path)
    before = list(block)
    at = 2
    block[at : at + 2] = [history.line(path), history.line(path)]
    first = history.commit("bea", "One way")
    block[at : at + 2] = [history.line(path), history.line(path)]
    second = history.commit("dan", "Another way")
    history.noise(1)
    block[:] = before
    history.commit("ana", "Simplify", undoes=(first, second))


SCENES: tuple[Callable[[History], None], ...] = (
    whole,
    single_line,
    one_number,
    partial,
    old_copy,
    old_copy_with_work,
    after_rename,
    with_rename,
    after_indent,
    after_quotes,
    after_wrap,
    crlf,
    with_new_work,
    over_commits,
    ours_merge,
    deleted_file_returns,
    new_file_goes,
    guard_goes,
    removed_check_returns,
    ping_pong,
    chain,
)
