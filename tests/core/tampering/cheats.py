"""Changes that make a test tell less, each as small as an agent would make it."""

from tests.core.tampering.sources import CART, GO, OLD_STYLE, PACKAGE, PROJECT, SCRIPT, SHOP, WORKFLOW, Edit, edit


def _cart(name: str, kind: str, *swaps: tuple[str, str]) -> Edit:
    return edit(name, kind, "tests/test_cart.py", CART, *swaps)


def _moved(name: str, path: str) -> Edit:
    return Edit(name, "not_collected", {"tests/test_cart.py": CART}, {path: CART})


_IN_TRY = "    try:\n        assert result == 5\n    except {}:\n        {}"
_ASSERT = "    assert result == 5"
_HEAD = "def test_total():\n"

TAMPERS = (
    _cart("a skip", "skip_added", (_HEAD, "@pytest.mark.skip(reason='flaky')\n" + _HEAD)),
    _cart("a skip by alias", "skip_added", ("\n\n" + _HEAD, "\nlater = pytest.mark.skip('later')\n\n@later\n" + _HEAD)),
    _cart(
        "a skip in the body", "skip_added", ("    cart = Cart(2, 3)", "    pytest.skip('flaky')\n    cart = Cart(2, 3)")
    ),
    _cart("a skip if true", "skip_added", (_HEAD, "@pytest.mark.skipif(1 == 1, reason='x')\n" + _HEAD)),
    _cart(
        "a skip by constant",
        "skip_added",
        ("\n\n" + _HEAD, "\nOFF = True\n\n@pytest.mark.skipif(OFF, reason='x')\n" + _HEAD),
    ),
    _cart(
        "a skip by version", "skip_added", (_HEAD, "@pytest.mark.skipif(sys.version_info >= (3,), reason='')\n" + _HEAD)
    ),
    _cart(
        "a skip by environment", "skip_added", (_HEAD, "@pytest.mark.skipif('CI' in os.environ, reason='')\n" + _HEAD)
    ),
    _cart("an xfail", "skip_added", (_HEAD, "@pytest.mark.xfail\n" + _HEAD)),
    _cart("a skipped file", "skip_added", ("\n\n" + _HEAD, "\npytestmark = pytest.mark.skip\n\n" + _HEAD)),
    _cart(
        "a skip on import", "skip_added", ("\n\n" + _HEAD, "\npytest.skip('no', allow_module_level=True)\n\n" + _HEAD)
    ),
    _cart("a skipped class", "skip_added", ("class TestRates", "@pytest.mark.skip\nclass TestRates")),
    _cart(
        "a skipping fixture",
        "skip_added",
        ("\n\n" + _HEAD, "\n@pytest.fixture(autouse=True)\ndef quiet():\n    pytest.skip('x')\n\n" + _HEAD),
    ),
    _cart("a skipped case", "skip_added", ("((2, 2), 4)", "pytest.param((2, 2), 4, marks=pytest.mark.skip)")),
    _cart("no cases", "skip_added", ("[((1,), 1), ((1, 2), 3), ((2, 2), 4)]", "[]")),
    edit(
        "a skipped set-up",
        "skip_added",
        "tests/test_old.py",
        OLD_STYLE,
        ("        self.cart =", "        self.skipTest('')\n        self.cart ="),
    ),
    _cart("swallowed", "assert_dead", (_ASSERT, _IN_TRY.format("Exception", "pass"))),
    _cart("swallowed and skipped", "assert_dead", (_ASSERT, _IN_TRY.format("AssertionError", "pytest.skip('x')"))),
    _cart(
        "suppressed",
        "assert_dead",
        (_ASSERT, "    with contextlib.suppress(AssertionError):\n        assert result == 5"),
    ),
    _cart("after a return", "assert_dead", (_ASSERT, "    return\n" + _ASSERT)),
    _cart("under if False", "assert_dead", (_ASSERT, "    if False:\n        assert result == 5")),
    _cart(
        "under a constant", "assert_dead", (_ASSERT, "    strict = False\n    if strict:\n        assert result == 5")
    ),
    _cart("over nothing", "assert_dead", (_ASSERT, "    for _ in []:\n        assert result == 5")),
    _cart("in a function nobody calls", "assert_dead", (_ASSERT, "    def check():\n        assert result == 5")),
    _cart("or True", "assert_dead", (_ASSERT, _ASSERT + " or True")),
    _cart("assert True", "assert_dead", (_ASSERT, "    assert True")),
    _cart("with itself", "assert_dead", (_ASSERT, "    assert result == result")),
    _cart("with its alias", "assert_dead", (_ASSERT, "    expected = result\n    assert result == expected")),
    _cart("a tuple", "assert_dead", (_ASSERT, "    assert (result == 5, 'wrong')")),
    _cart("not None", "assert_loosened", (_ASSERT, "    assert result is not None")),
    _cart("truthy", "assert_loosened", (_ASSERT, "    assert result")),
    _cart("a type", "assert_loosened", (_ASSERT, "    assert isinstance(result, int)")),
    _cart("positive", "assert_loosened", (_ASSERT, "    assert result > 0")),
    _cart("one of many", "assert_loosened", (_ASSERT, "    assert result in (4, 5, 6)")),
    _cart("or something else", "assert_loosened", (_ASSERT, "    assert result == 5 or result == 6")),
    _cart("in its text", "assert_loosened", (_ASSERT, "    assert '5' in str(result)")),
    _cart("any exception", "assert_loosened", ('ValueError, match="negative"', "Exception")),
    edit(
        "assertTrue",
        "assert_loosened",
        "tests/test_old.py",
        OLD_STYLE,
        ("assertEqual(total(self.cart), 5)", "assertTrue(total(self.cart))"),
    ),
    _cart("a wide approx", "tolerance_loosened", ("abs=0.01", "abs=1.0")),
    _cart("approx for exact", "tolerance_loosened", (_ASSERT, "    assert result == pytest.approx(5, abs=2)")),
    _cart("rounded", "tolerance_loosened", (_ASSERT, "    assert round(result) == 5")),
    edit("fewer places", "tolerance_loosened", "tests/test_old.py", OLD_STYLE, ("places=6", "places=0")),
    _cart("another name", "not_collected", ("def test_total", "def check_total")),
    _cart("an underscore", "not_collected", ("def test_total", "def _test_total")),
    _cart("a class that is none", "not_collected", ("class TestRates", "class Rates")),
    _cart("__test__", "not_collected", ("class TestRates:\n", "class TestRates:\n    __test__ = False\n\n")),
    _cart("an __init__", "not_collected", ("class TestRates:\n", "class TestRates:\n    def __init__(self): pass\n\n")),
    _cart("hidden by its namesake", "not_collected", ("def test_empty", "def test_total(): pass\n\n\ndef test_empty")),
    _cart("taken away", "not_collected", ("def test_empty", "del test_total\n\n\ndef test_empty")),
    _cart("a generator", "not_collected", (_ASSERT, _ASSERT + "\n    yield")),
    _moved("a file that is no test", "tests/cart_checks.py"),
    _moved("a file outside", "scripts/test_cart.py"),
    _moved("a hidden folder", "tests/.old/test_cart.py"),
    _cart(
        "a patched subject",
        "subject_mocked",
        (_HEAD, "@patch(__name__ + '.total', return_value=5)\ndef test_total(_):\n"),
    ),
    _cart(
        "a stub of the subject",
        "subject_mocked",
        ("    result = total", "    total = lambda cart: 5\n    result = total"),
    ),
    _cart(
        "a patched method",
        "subject_mocked",
        (
            "def test_empty():\n",
            "def test_empty(monkeypatch):\n    monkeypatch.setattr('shop.cart.total', lambda _: 0)\n",
        ),
    ),
    _cart("no Python", "unparseable", (_HEAD, "def test_total(:\n")),
    edit("-k", "runner_config", "pyproject.toml", PROJECT, ('"-ra', "\"-ra -k 'not slow'")),
    edit(
        "--deselect",
        "runner_config",
        "pyproject.toml",
        PROJECT,
        ('"-ra', '"-ra --deselect tests/test_cart.py::test_total'),
    ),
    edit("--ignore", "runner_config", "pytest.ini", "[pytest]\naddopts = -ra\n", ("-ra", "-ra --ignore=tests/slow")),
    edit("less strict", "runner_config", "pyproject.toml", PROJECT, ("xfail_strict = true\n", "")),
    edit("warnings pass", "runner_config", "pyproject.toml", PROJECT, ('["error"]', '["ignore"]')),
    edit("fewer folders", "runner_config", "pyproject.toml", PROJECT, (', "integration"', "")),
    edit("|| true", "runner_config", ".github/workflows/ci.yml", WORKFLOW, ("pytest tests", "pytest tests || true")),
    edit(
        "continue-on-error",
        "runner_config",
        ".github/workflows/ci.yml",
        WORKFLOW,
        ("run: pytest tests", "run: pytest tests\n        continue-on-error: true"),
    ),
    edit(
        "a whole job may fail",
        "runner_config",
        ".github/workflows/ci.yml",
        WORKFLOW,
        ("    steps:", "    continue-on-error: true\n    steps:"),
    ),
    edit(
        "exit 0", "runner_config", ".github/workflows/ci.yml", WORKFLOW, ("npm test\n", "npm test\n          exit 0\n")
    ),
    edit(
        "if: false",
        "runner_config",
        ".github/workflows/ci.yml",
        WORKFLOW,
        ("- name: Unit", "- if: false\n        name: Unit"),
    ),
    edit(
        "a part only",
        "runner_config",
        ".github/workflows/ci.yml",
        WORKFLOW,
        ("pytest tests", "pytest tests -k 'not total'"),
    ),
    edit(
        "a step less",
        "runner_step_removed",
        ".github/workflows/ci.yml",
        WORKFLOW,
        ("      - name: Unit tests\n        run: pytest tests\n", ""),
    ),
    edit(
        "make test does nothing",
        "runner_step_removed",
        "Makefile",
        "test:\n\tpytest tests\n",
        ("pytest tests", "@echo ok"),
    ),
    edit("make forgives", "runner_config", "Makefile", "test:\n\tpytest tests\n", ("pytest", "-pytest")),
    edit("npm test does nothing", "runner_step_removed", "web/package.json", PACKAGE, ("jest --ci", "echo ok")),
    edit(
        "jest ignores",
        "runner_config",
        "web/package.json",
        PACKAGE,
        ('["/node_modules/"]', '["/node_modules/", "cart"]'),
    ),
    edit("jest asks less", "coverage_lowered", "web/package.json", PACKAGE, ('"lines": 90', '"lines": 20')),
    edit("less coverage", "coverage_lowered", "pyproject.toml", PROJECT, ("fail_under = 90", "fail_under = 50")),
    edit(
        "no coverage asked for",
        "coverage_lowered",
        "pyproject.toml",
        PROJECT,
        (" --cov-fail-under=80", ""),
        ("fail_under = 90\n", ""),
    ),
    edit(
        "more left out",
        "coverage_omit",
        "pyproject.toml",
        PROJECT,
        ('["shop/_vendor/*"]', '["shop/_vendor/*", "shop/cart.py"]'),
    ),
    edit("a pragma", "coverage_pragma", "shop/cart.py", SHOP, ("is None:", "is None:  # pragma: no cover")),
    edit(
        "a skipping conftest",
        "runner_config",
        "tests/conftest.py",
        "import pytest\n",
        (
            "pytest\n",
            "pytest\n\ndef pytest_collection_modifyitems(items):\n    for one in items:\n        one.add_marker(pytest.mark.skip)\n",
        ),
    ),
    edit(
        "a conftest that ignores",
        "runner_config",
        "tests/conftest.py",
        "import pytest\n",
        ("pytest\n", "pytest\ncollect_ignore = ['test_cart.py']\n"),
    ),
    edit("it.skip", "skip_added", "web/cart.test.ts", SCRIPT, ("it('adds", "it.skip('adds")),
    edit("xdescribe", "skip_added", "web/cart.test.ts", SCRIPT, ("describe('cart", "xdescribe('cart")),
    edit("it.only", "skip_added", "web/cart.test.ts", SCRIPT, ("it('refuses", "it.only('refuses")),
    edit("it.todo", "skip_added", "web/cart.test.ts", SCRIPT, ("it('refuses", "it.todo('refuses")),
    edit(
        "a catch",
        "assert_dead",
        "web/cart.test.ts",
        SCRIPT,
        ("expect(result).toBe(5)", "try { expect(result).toBe(5) } catch (e) {}"),
    ),
    edit(
        "expect(true)", "assert_dead", "web/cart.test.ts", SCRIPT, ("expect(result).toBe(5)", "expect(true).toBe(true)")
    ),
    edit("toBeDefined", "assert_loosened", "web/cart.test.ts", SCRIPT, ("toBe(5)", "toBeDefined()")),
    edit(
        "a mocked module",
        "subject_mocked",
        "web/cart.test.ts",
        SCRIPT,
        ("\n\ndescribe", "\njest.mock('./cart', () => ({ total: () => 5 }))\n\ndescribe"),
    ),
    Edit("a name that jest passes by", "not_collected", {"web/cart.test.ts": SCRIPT}, {"web/cart.checks.ts": SCRIPT}),
    edit(
        "t.Skip",
        "skip_added",
        "shop/cart_test.go",
        GO,
        ("\tgot := Total(2, 3)", '\tt.Skip("flaky")\n\tgot := Total(2, 3)'),
    ),
    edit("a Go return", "assert_dead", "shop/cart_test.go", GO, ("\tif got != 5 {", "\treturn\n\tif got != 5 {")),
    edit("a Go order", "assert_loosened", "shop/cart_test.go", GO, ("got != 5", "got < 0")),
    edit(
        "assert.NotNil",
        "assert_loosened",
        "shop/cart_test.go",
        GO,
        ("require.Equal(t, 5, Total(2, 3))", "require.NotNil(t, Total(2, 3))"),
    ),
    edit("a small letter", "not_collected", "shop/cart_test.go", GO, ("func TestTotal", "func testTotal")),
    edit(
        "a build tag",
        "not_collected",
        "shop/cart_test.go",
        GO,
        ("package shop\n", "//go:build ignore\n\npackage shop\n"),
    ),
)

REDUCTIONS = (
    _cart("a test less", "test_removed", (CART[CART.index("def test_empty") : CART.index("def test_refuses")], "")),
    _cart("an assertion less", "assert_removed", (_ASSERT, "    print(result)")),
    _cart("a case less", "cases_removed", (", ((2, 2), 4)", "")),
    _cart("another value", "expected_changed", (_ASSERT, "    assert result == 6")),
    _cart("another case", "expected_changed", ("((2, 2), 4)", "((2, 2), 5)")),
    _cart("another subject", "assert_replaced", (_ASSERT, "    assert len('abcde') == 5")),
    Edit("a file less", "test_removed", {"tests/test_cart.py": CART}, {}),
    Edit("another snapshot", "snapshot_changed", {"web/__snapshots__/a.snap": "1"}, {"web/__snapshots__/a.snap": "2"}),
    edit(
        "a script test less",
        "test_removed",
        "web/cart.test.ts",
        SCRIPT,
        (SCRIPT[SCRIPT.index("  it('refuses") : SCRIPT.index("  it.each")], ""),
    ),
    edit("a script case less", "cases_removed", "web/cart.test.ts", SCRIPT, (", [3, 3]", "")),
    edit("a Go case less", "cases_removed", "shop/cart_test.go", GO, (", {3, 3}", "")),
    edit("another Go value", "expected_changed", "shop/cart_test.go", GO, ("got != 5", "got != 6")),
)
