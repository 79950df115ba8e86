"""Weakened tests: every cheat of a corpus is found, no honest edit of another is charged, nothing raises."""

import random

import pytest

from loomstack_mcp.adapters.parse.test_files.read import read_tests
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.tampering.tampering import FINDINGS_MAX, is_tamper, is_test_path, kind_of, weakened
from tests.core.tampering.cheats import REDUCTIONS, TAMPERS
from tests.core.tampering.honest import HONEST
from tests.core.tampering.sources import CART, GO, SCRIPT, WORKFLOW, Edit, Files


def judged(edit: Edit, *, tamper_only: bool = False) -> tuple[Violation, ...]:
    return weakened(_bytes(edit.before), _bytes(edit.after), parse=read_tests, which="tamper" if tamper_only else "any")


def _bytes(files: Files) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


@pytest.mark.parametrize("edit", TAMPERS, ids=lambda one: one.name)
def test_a_cheat_is_tampering(edit: Edit) -> None:
    found = judged(edit, tamper_only=True)

    assert edit.kind in {kind_of(one) for one in found}, (found, judged(edit))
    assert all(is_tamper(one) and one.path for one in found)


@pytest.mark.parametrize("edit", REDUCTIONS, ids=lambda one: one.name)
def test_a_loss_is_told_but_is_no_tampering(edit: Edit) -> None:
    found = judged(edit)

    assert edit.kind in {kind_of(one) for one in found if one.hard}, found
    assert judged(edit, tamper_only=True) == ()


@pytest.mark.parametrize("edit", HONEST, ids=lambda one: one.name)
def test_an_honest_edit_is_not_charged(edit: Edit) -> None:
    assert [one for one in judged(edit) if one.hard] == []


@pytest.mark.parametrize("edit", [*TAMPERS, *REDUCTIONS], ids=lambda one: one.name)
def test_taking_a_cheat_back_is_no_tampering(edit: Edit) -> None:
    back = Edit(edit.name, "", edit.after, edit.before)

    assert judged(back, tamper_only=True) == ()


def test_the_kind_and_the_place_are_told() -> None:
    skipped = CART.replace("def test_total", "@pytest.mark.skip\ndef test_total")
    found = judged(Edit("", "", {"tests/test_cart.py": CART}, {"tests/test_cart.py": skipped}))

    text = "skip_added: test_total is skipped or expected to fail now"
    assert found == (Violation(text=text, path="tests/test_cart.py", line=6),)


def test_soft_findings_come_after_hard_ones_and_only_with_any() -> None:
    soft = CART.replace("def test_total", "@pytest.mark.skipif(sys.platform == 'win32', reason='x')\ndef test_total")
    edit = Edit("", "", {"tests/test_cart.py": CART}, {"tests/test_cart.py": soft})

    assert [(kind_of(one), one.hard) for one in judged(edit)] == [("skip_added", False)]
    assert judged(edit, tamper_only=True) == ()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("tests/test_a.py", True),
        ("pkg/a_test.py", True),
        ("tests/helpers.py", True),
        ("web/a.spec.tsx", True),
        ("web/__tests__/a.js", True),
        ("a_test.go", True),
        ("pyproject.toml", True),
        (".github/workflows/ci.yml", True),
        ("web/package.json", True),
        ("Makefile", True),
        (".coveragerc", True),
        ("sub/vitest.config.mts", True),
        ("web/__snapshots__/a.snap", True),
        ("src/attest.py", False),
        ("src/latest.go", False),
        ("docs/testing.md", False),
    ],
)
def test_what_is_about_tests(path: str, wanted: bool) -> None:
    assert is_test_path(path) is wanted


HOSTILE = {
    "deep brackets": b"def test_a():\n    assert " + b"(" * 5_000 + b"1" + b")" * 5_000,
    "deep sums": b"def test_a():\n    assert x" + b" + x" * 20_000,
    "a long chain": b"def test_a():\n    assert x" + b".y()" * 9_000 + b" == 1",
    "many branches": b"def test_a():\n    if x: pass\n" + b"    elif y: assert z\n" * 1_200,
    "doubling names": b"def test_a():\n"
    + b"".join(b"    x%d = x%d + x%d\n" % (n + 1, n, n) for n in range(60))
    + b"    assert x60 == 1\n",
    "names in a ring": b"def test_a():\n    a = b\n    b = a\n    assert a == 1\n",
    "itself": b"def check(x):\n    assert x\n    check(x)\n    check(x)\n\ndef test_a():\n    check(1)\n",
    "a NUL": b"def test_a():\n    assert 1\0",
    "no UTF-8": b"def test_a():\n    assert '\xff\xfe'",
    "no codec": b"# coding: nonsense\ndef test_a(): pass",
    "large": b"x = 1\n" * 200_000,
    "a large number": b"def test_a():\n    assert x == approx(1, abs=" + b"9" * 4_000 + b")\n",
    "doubling constants": b"it('a', () => {\n"
    + b"".join(b"const x%d = x%d + x%d\n" % (n + 1, n, n) for n in range(60))
    + b"expect(x60).toBe(1)\n})\n",
    "doubling Go names": b"package a\nfunc TestA(t *testing.T) {\n"
    + b"".join(b"x%d := x%d + x%d\n" % (n + 1, n, n) for n in range(60))
    + b"if x60 != 1 { t.Error() }\n}\n",
    "loops in loops": b"def test_a():\n"
    + b"".join(b"    " * (n + 1) + b"for a%d in [1, 2, 3, 4, 5, 6, 7, 8, 9]:\n" % n for n in range(12))
    + b"    " * 13
    + b"pass\n",
    "helpers of helpers": b"def c(x):\n    assert x\n"
    + b"    y = ["
    + b"1, " * 1_000
    + b"]\n"
    + b"def b(x):\n"
    + b"    c(x)\n" * 600
    + b"def test_a():\n"
    + b"    b(1)\n" * 600,
    "one settings key over and over": b'"exclude": [' * 1_500,
    "one word over and over": b"test:\n\t" + b"make -x " * 1_500,
    "a surrogate": b"def test_a():\n    assert x == '\\ud800'\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "tests/conftest.py", "a.test.ts", "a_test.go", "jest.config.js", "Makefile"]
)
def test_nothing_raises_on_hostile_files(content: bytes, path: str) -> None:
    good = (CART + SCRIPT + GO).encode()

    for before, after in ((good, content), (content, good), (content, content + b"\n"), (CART.encode(), content)):
        weakened({path: before}, {path: after}, parse=read_tests)


@pytest.mark.parametrize("name", ["deep brackets", "a NUL", "large", "no codec"])
def test_what_can_no_longer_be_read_is_told(name: str) -> None:
    found = weakened(
        {"tests/test_a.py": CART.encode()}, {"tests/test_a.py": HOSTILE[name]}, parse=read_tests, which="tamper"
    )

    assert [kind_of(one) for one in found] == ["unparseable"]
    assert "cannot be checked" in found[0].text


def test_a_file_that_was_never_readable_or_is_new_is_not_charged() -> None:
    unread = HOSTILE["a NUL"]

    assert weakened({}, {"tests/test_a.py": unread}, parse=read_tests) == ()
    assert [
        one.hard for one in weakened({"tests/test_a.py": unread}, {"tests/test_a.py": unread + b"x"}, parse=read_tests)
    ] == [False]


def test_many_tests_that_are_all_gone_are_soon_judged() -> None:
    def many(name: str) -> bytes:
        return "".join(f"def {name}_{n}():\n    assert f({n}) == {n}\n    assert g()\n" for n in range(1_500)).encode()

    before, after = {"tests/test_a.py": many("test_a")}, {"tests/test_a.py": many("check_b").replace(b"f(", b"h(")}
    found = weakened(before, after, parse=read_tests)

    assert len(found) == FINDINGS_MAX


def test_damaged_texts_never_raise() -> None:
    chance = random.Random(7)
    for path, text in (
        ("tests/test_a.py", CART),
        ("a.test.ts", SCRIPT),
        ("a_test.go", GO),
        (".github/workflows/a.yml", WORKFLOW),
    ):
        for _ in range(60):
            cut = chance.randrange(len(text))
            damaged = text[:cut] + chance.choice("({[\"':\n\t|&;\\") * 3 + text[cut + chance.randrange(20) :]
            weakened({path: text.encode()}, {path: damaged.encode()}, parse=read_tests)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('[tool.pytest.ini_options]\naddopts = "--cov-fail-under=²"', []),
        ("[tool.coverage.report]\nfail_under = " + "9" * 400, ["unparseable"]),
    ],
)
def test_a_coverage_that_is_no_number_raises_nothing(asked: str, told: list[str]) -> None:
    found = weakened({"pyproject.toml": b""}, {"pyproject.toml": asked.encode()}, parse=read_tests)

    assert [kind_of(one) for one in found] == told
