"""The tests and settings that the corpora of cheats and honest edits start from."""

from dataclasses import dataclass

Files = dict[str, str]

CART = """import pytest
from shop.cart import Cart, total


def test_total():
    cart = Cart(2, 3)
    result = total(cart)
    assert result == 5


def test_empty():
    assert total(Cart()) == 0


def test_refuses():
    with pytest.raises(ValueError, match="negative"):
        total(Cart(-1))


@pytest.mark.parametrize("given, wanted", [((1,), 1), ((1, 2), 3), ((2, 2), 4)])
def test_sums(given, wanted):
    assert total(Cart(*given)) == wanted


class TestRates:
    def test_rate(self):
        assert total(Cart(1), rate=0.5) == pytest.approx(1.5, abs=0.01)
"""
OLD_STYLE = """import unittest
from shop.cart import Cart, total


class CartTests(unittest.TestCase):
    def setUp(self):
        self.cart = Cart(2, 3)

    def test_total(self):
        self.assertEqual(total(self.cart), 5)
        self.assertAlmostEqual(total(self.cart, rate=0.1), 5.5, places=6)

    def test_refuses(self):
        self.assertRaises(ValueError, total, None)
"""
SCRIPT = """import { total } from './cart'

describe('cart', () => {
  it('adds up', () => {
    const result = total([2, 3])
    expect(result).toBe(5)
  })
  it('refuses', () => {
    expect(() => total([-1])).toThrow('negative')
  })
  it.each([[1, 1], [2, 2], [3, 3]])('counts %d', (given, wanted) => {
    expect(total([given])).toBe(wanted)
  })
})
"""
GO = """package shop

import "testing"

func TestTotal(t *testing.T) {
	got := Total(2, 3)
	if got != 5 {
		t.Errorf("got %d", got)
	}
}

func TestTable(t *testing.T) {
	tests := []struct{ in, want int }{{1, 1}, {2, 2}, {3, 3}}
	for _, tt := range tests {
		if got := Total(tt.in); got != tt.want {
			t.Errorf("got %d", got)
		}
	}
}

func TestErr(t *testing.T) {
	require.Equal(t, 5, Total(2, 3))
	require.ErrorIs(t, Check(-1), ErrNegative)
}
"""
PROJECT = """[project]
name = "shop"

[tool.pytest.ini_options]
addopts = "-ra --strict-markers --cov-fail-under=80"
testpaths = ["tests", "integration"]
xfail_strict = true
filterwarnings = ["error"]

[tool.coverage.run]
omit = ["shop/_vendor/*"]

[tool.coverage.report]
fail_under = 90
exclude_lines = ["pragma: no cover"]
"""
WORKFLOW = """name: ci
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: pip install pytest
      - name: Unit tests
        run: pytest tests
      - name: Web tests
        run: |
          cd web
          npm test
"""
PACKAGE = """{
  "name": "web",
  "scripts": {"build": "vite build", "test": "jest --ci"},
  "jest": {
    "testPathIgnorePatterns": ["/node_modules/"],
    "coverageThreshold": {"global": {"branches": 80, "lines": 90}}
  }
}
"""
SHOP = "def total(cart):\n    if cart is None:\n        raise ValueError\n    return sum(cart)\n"


@dataclass(frozen=True)
class Edit:
    """A change, and the kind of weakening that it is; an honest one is of none."""

    name: str
    kind: str
    before: Files
    after: Files


def edit(name: str, kind: str, path: str, before: str, *swaps: tuple[str, str]) -> Edit:
    """One file in which texts are swapped for others."""
    after = before
    for old, new in swaps:
        assert old in after, (name, old)
        after = after.replace(old, new)
    return Edit(name, kind, {path: before}, {path: after})
