"""Who is who in an audit: one person under several names undoes their own work, and nobody else's."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run, git

OLD = "".join(f"def price_{number}(item):\n    return item.price * {number}00\n" for number in range(1, 7))
NEW = OLD.replace("00", "95")


def landed(folder: Path, text: str, signer: str, *, path: str = "prices.py") -> None:
    (folder / path).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", signer, "-m", f"{path} of {signer}")


def undone(folder: Path, first: str, second: str, *others: str) -> None:
    """What `first` landed is taken back by `second`; the others land something else before."""
    landed(folder, OLD, "root <root@shop>")
    for number, signer in enumerate(others):
        landed(folder, f"{number}\n", signer, path=f"other_{number}")
    landed(folder, NEW, first)
    landed(folder, OLD, second)


def verdicts(loomstack: Run, cwd: Path) -> list[str]:
    return [one["verdict"] for one in json.loads(loomstack("audit", "--json", cwd=cwd).stdout)["reversals"]]


def itself(folder: Path) -> Path:
    return folder


def bare(folder: Path) -> Path:
    git(folder.parent, "clone", "--quiet", "--bare", str(folder), "bare.git")
    return folder.parent / "bare.git"


def mirror(folder: Path) -> Path:
    git(folder.parent, "clone", "--quiet", "--mirror", str(folder), "mirror.git")
    return folder.parent / "mirror.git"


def clone(folder: Path) -> Path:
    git(folder.parent, "clone", "--quiet", str(folder), "clone")
    return folder.parent / "clone"


LAYOUTS = pytest.mark.parametrize("layout", [itself, clone, bare, mirror])


@pytest.mark.parametrize(
    ("first", "second", "others"),
    [
        ("Ana <ana@shop>", "asmith <Ana@SHOP>", []),
        ("Ana <12345+ana@users.noreply.github.com>", "asmith <ana@users.noreply.github.com>", []),
        ("Ana <1-ana@users.noreply.gitlab.com>", "asmith <ana@users.noreply.gitlab.com>", []),
        ("Ana <ana@shop>", "asmith <asmith@mill>", ["Ana <both@home>", "asmith <both@home>"]),
    ],
)
def test_one_person_under_two_names_agrees(
    shop: Path, loomstack: Run, first: str, second: str, others: list[str]
) -> None:
    undone(shop, first, second, *others)

    assert verdicts(loomstack, shop) == ["clear"]


@pytest.mark.parametrize(
    ("first", "second", "others"),
    [
        ("Ana <ana@shop>", "Bea <bea@shop>", []),
        ("Ana <noreply@github.com>", "Bea <noreply@github.com>", []),
        ("Ana <1+ana@users.noreply.github.com>", "Bea <1+bea@users.noreply.github.com>", []),
        ("mayor <town@shop>", "witness <town@shop>", [f"{name} <town@shop>" for name in ("deacon", "cat", "refinery")]),
    ],
)
def test_two_people_do_not(shop: Path, loomstack: Run, first: str, second: str, others: list[str]) -> None:
    undone(shop, first, second, *others)

    assert verdicts(loomstack, shop) == ["stop"]


@LAYOUTS
def test_the_mail_map_of_the_trunk_says_who_is_who(shop: Path, loomstack: Run, layout: Callable[[Path], Path]) -> None:
    landed(shop, "Ana Smith <ana@shop> <asmith@mill>\n", "root <root@shop>", path=".mailmap")
    undone(shop, "Ana Smith <ana@shop>", "asmith <asmith@mill>")

    assert verdicts(loomstack, layout(shop)) == ["clear"]


@LAYOUTS
def test_the_mail_map_of_what_is_audited_says_nothing(
    shop: Path, loomstack: Run, layout: Callable[[Path], Path]
) -> None:
    git(shop, "checkout", "--quiet", "-b", "side")
    landed(shop, "Ana <ana@shop> <bea@shop>\n", "Bea <bea@shop>", path=".mailmap")
    undone(shop, "Ana <ana@shop>", "Bea <bea@shop>")
    git(shop, "checkout", "--quiet", "main")
    folder = layout(shop)
    if folder == shop.parent / "clone":
        git(folder, "checkout", "--quiet", "--detach", "origin/side")
    elif folder == shop:
        git(shop, "checkout", "--quiet", "side")
    else:
        git(folder, "update-ref", "--no-deref", "HEAD", "refs/heads/side")

    assert verdicts(loomstack, folder) == ["stop"]
