"""Changes to tests that take nothing away."""

import re

from tests.core.tampering.sources import (
    CART,
    GO,
    OLD_STYLE,
    PACKAGE,
    PROJECT,
    SCRIPT,
    SHOP,
    WORKFLOW,
    Edit,
    Files,
    edit,
)

_PATH = "tests/test_cart.py"
_TOTAL = CART[CART.index("def test_total") : CART.index("def test_empty")]
_EMPTY = CART[CART.index("def test_empty") : CART.index("def test_refuses")]
_HELPED = (
    CART.replace("    assert result == 5", "    check(result, 5)")
    + "\n\ndef check(result, wanted):\n    assert result == wanted\n"
)
_SEPARATE = "from shop import double\n\n\n" + "\n\n".join(
    f"def test_double_{number}():\n    assert double({number}) == {2 * number}\n" for number in (1, 2, 3)
)
_TOGETHER = """import pytest
from shop import double


@pytest.mark.parametrize("number, wanted", [(1, 2), (2, 4), (3, 6)])
def test_double(number, wanted):
    assert double(number) == wanted
"""
_LOOP = """from shop import double


def test_double():
    for number, wanted in [(1, 2), (2, 4), (3, 6)]:
        assert double(number) == wanted
"""
_CLASS = "from shop import a, b\n\n\nclass TestShop:\n    def test_a(self):\n        assert a() == 1\n\n    def test_b(self):\n        assert b() == 2\n"
_PLAIN = "from shop import a, b\n\n\ndef test_a():\n    assert a() == 1\n\n\ndef test_b():\n    assert b() == 2\n"
_MERGED = "from shop import a, b\n\n\ndef test_both():\n    assert a() == 1\n    assert b() == 2\n"
_PYTEST_STYLE = """import pytest
from shop.cart import Cart, total


class TestCart:
    def setup_method(self):
        self.cart = Cart(2, 3)

    def test_total(self):
        assert total(self.cart) == 5
        assert total(self.cart, rate=0.1) == pytest.approx(5.5, abs=1e-7)

    def test_refuses(self):
        with pytest.raises(ValueError):
            total(None)
"""


def _cart(name: str, *swaps: tuple[str, str]) -> Edit:
    return edit(name, "", _PATH, CART, *swaps)


def _files(name: str, before: Files, after: Files) -> Edit:
    return Edit(name, "", before, after)


def _ci(name: str, *swaps: tuple[str, str]) -> Edit:
    return edit(name, "", ".github/workflows/ci.yml", WORKFLOW, *swaps)


HONEST = (
    _files(
        "moved to another file",
        {_PATH: CART},
        {_PATH: CART.replace(_EMPTY, ""), "tests/test_empty.py": "from shop.cart import Cart, total\n\n\n" + _EMPTY},
    ),
    _files("the file renamed", {_PATH: CART}, {"tests/test_basket.py": CART}),
    _files("the folder renamed", {_PATH: CART}, {"tests/unit/test_cart.py": CART}),
    _cart("a test renamed", ("def test_total", "def test_adds_up")),
    _cart("a class renamed", ("class TestRates", "class TestTaxRates")),
    _cart("a local renamed", ("result", "answer")),
    _cart("a local inlined", ("    result = total(cart)\n    assert result == 5", "    assert total(cart) == 5")),
    _cart("the value first", ("assert result == 5", "assert 5 == result")),
    _cart("a message", ("assert result == 5", "assert result == 5, f'was {result}'")),
    _cart("reformatted", ("Cart(2, 3)", "Cart(\n        2,\n        3,\n    )"), ('"negative"', "'negative'")),
    _cart("comments and a docstring", ("def test_total():\n", 'def test_total():\n    """All of it."""\n    # both\n')),
    _cart("one more assertion", ("    assert result == 5", "    assert result == 5\n    assert cart.count == 2")),
    _cart("one more test", ("def test_empty", "def test_one():\n    assert total(Cart(1)) == 1\n\n\ndef test_empty")),
    _cart("one more case", ("((2, 2), 4)", "((2, 2), 4), ((9,), 9)")),
    _cart("cases in another order", ("((1, 2), 3), ((2, 2), 4)", "((2, 2), 4), ((1, 2), 3)")),
    _cart("stricter", ("abs=0.01", "abs=0.001")),
    _files(
        "isinstance for type()",
        {_PATH: CART.replace("result == 5", "type(result) is int")},
        {_PATH: CART.replace("result == 5", "isinstance(result, int)")},
    ),
    _cart("a name for a comparison", ("    assert result == 5", "    holds = result == 5\n    assert holds is True")),
    _cart(
        "a fixture",
        (
            "def test_total():\n    cart = Cart(2, 3)\n",
            "@pytest.fixture\ndef cart():\n    return Cart(2, 3)\n\n\ndef test_total(cart):\n",
        ),
    ),
    _cart(
        "a platform skip is only shown",
        ("def test_total", "@pytest.mark.skipif(sys.platform == 'win32', reason='x')\ndef test_total"),
    ),
    _cart(
        "a mocked dependency",
        (
            "def test_empty():\n",
            "def test_empty(monkeypatch):\n    monkeypatch.setattr('shop.rates.fetch', lambda: 1)\n",
        ),
    ),
    _files("a helper taken out", {_PATH: CART}, {_PATH: _HELPED}),
    _files("a helper put back", {_PATH: _HELPED}, {_PATH: CART}),
    _files(
        "a helper in another file",
        {_PATH: CART},
        {
            _PATH: "from tests.checks import check\n" + CART.replace("    assert result == 5", "    check(result, 5)"),
            "tests/checks.py": "def check(given, wanted):\n    assert given == wanted\n",
        },
    ),
    _files("made parametrised", {_PATH: _SEPARATE}, {_PATH: _TOGETHER}),
    _files("no longer parametrised", {_PATH: _TOGETHER}, {_PATH: _SEPARATE}),
    _files("a loop made cases", {_PATH: _LOOP}, {_PATH: _TOGETHER}),
    _files("a class taken apart", {_PATH: _CLASS}, {_PATH: _PLAIN}),
    _files("put into a class", {_PATH: _PLAIN}, {_PATH: _CLASS}),
    _files("two made one", {_PATH: _PLAIN}, {_PATH: _MERGED}),
    _files("one made two", {_PATH: _MERGED}, {_PATH: _PLAIN}),
    _files("from unittest to pytest", {_PATH: OLD_STYLE}, {_PATH: _PYTEST_STYLE}),
    _files(
        "a class split over files",
        {_PATH: _CLASS},
        {
            "tests/test_a.py": _PLAIN[: _PLAIN.index("def test_b")],
            "tests/test_b.py": "from shop import b\n\n\n" + _PLAIN[_PLAIN.index("def test_b") :],
        },
    ),
    _files(
        "a value with its code",
        {_PATH: CART, "shop/cart.py": SHOP},
        {_PATH: CART.replace("== 5", "== 6"), "shop/cart.py": SHOP + "# fees\n"},
    ),
    _files(
        "a name with its code",
        {_PATH: CART, "shop/cart.py": SHOP},
        {_PATH: re.sub(r"\btotal\b", "summed", CART), "shop/cart.py": SHOP.replace("total", "summed")},
    ),
    _files(
        "a snapshot with its code",
        {"web/__snapshots__/a.snap": "1", "web/a.ts": "1"},
        {"web/__snapshots__/a.snap": "2", "web/a.ts": "2"},
    ),
    _files("a twin removed", {_PATH: CART + "\n\n" + _TOTAL.replace("test_total", "test_total_again")}, {_PATH: CART}),
    edit("options that leave nothing out", "", "pyproject.toml", PROJECT, ("-ra", "-q -ra --durations=5")),
    edit("more coverage", "", "pyproject.toml", PROJECT, ("fail_under = 90", "fail_under = 95")),
    edit("a folder more", "", "pyproject.toml", PROJECT, ('"integration"', '"integration", "e2e"')),
    _files(
        "settings moved",
        {
            "setup.cfg": "[tool:pytest]\naddopts = -ra --ignore=x\ntestpaths = tests\nxfail_strict = true\n",
            "pyproject.toml": "[project]\n",
        },
        {
            "setup.cfg": "[metadata]\n",
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["-ra", "--ignore=x"]\ntestpaths = ["tests"]\nxfail_strict = true\n',
        },
    ),
    _ci("a newer action", ("checkout@v4", "checkout@v5")),
    _ci("a tool in between", ("run: pytest tests", "run: uv run pytest tests")),
    _ci("by way of tox", ("run: pytest tests", "run: tox -e py")),
    _ci("an experiment may fail", ("    steps:", "    continue-on-error: ${{ matrix.experimental }}\n    steps:")),
    _ci("lint may fail", ("      - name: Unit", "      - run: ruff check || true\n      - name: Unit")),
    edit("a script more", "", "web/package.json", PACKAGE, ('"vite build"', '"vite build", "lint": "eslint ."')),
    edit("a quote", "", "web/cart.test.ts", SCRIPT, ("'./cart'", '"./cart"'), ("it('adds up'", 'it("adds up"')),
    edit(
        "a script local inlined",
        "",
        "web/cart.test.ts",
        SCRIPT,
        ("    const result = total([2, 3])\n    expect(result)", "    expect(total([2, 3]))"),
    ),
    edit("a suite renamed", "", "web/cart.test.ts", SCRIPT, ("describe('cart'", "describe('basket'")),
    edit(
        "Go with got in the if",
        "",
        "shop/cart_test.go",
        GO,
        ("\tgot := Total(2, 3)\n\tif got != 5 {", "\tif got := Total(2, 3); got != 5 {"),
    ),
    edit("a Go case more", "", "shop/cart_test.go", GO, ("{3, 3}", "{3, 3}, {4, 4}")),
    edit("a Go test renamed", "", "shop/cart_test.go", GO, ("func TestTotal", "func TestTotalAddsUp")),
    edit(
        "Go by require",
        "",
        "shop/cart_test.go",
        GO,
        ('\tif got != 5 {\n\t\tt.Errorf("got %d", got)\n\t}', "\trequire.Equal(t, 5, got)"),
    ),
)
