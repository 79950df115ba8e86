"""Strict YAML: what the words mean, on which lines they are, and how hostile files are refused."""

import time

import pytest
import yaml

from loomstack_mcp.adapters.policy import strict_yaml
from loomstack_mcp.adapters.policy.strict_yaml import document
from loomstack_mcp.core.errors import PolicyError
from tests.deadlines import seconds

BOMB = "a: &a [x,x,x,x]\n" + "".join(
    f"{name}: &{name} [*{last},*{last},*{last}]\n" for last, name in zip("abcdef", "bcdefg", strict=True)
)

HOSTILE = [
    (BOMB.encode(), "p.yaml:1: anchor a"),
    (b"a: 1\nb: *a\n", "p.yaml:2: alias a"),
    (b"[" * 100_000, "p.yaml:1: "),
    (b"{a: " * 60_000, "p.yaml:1: nested"),
    (b"- " * 100_000, "p.yaml:1: nested"),
    (b"? " * 100_000, "p.yaml:1: a key must be a word"),
    (b"a: 1\nb: !!python/object/apply:os.system [id]\n", "p.yaml:2: tag"),
    (b"a: ! x", "p.yaml:1: tag !"),
    (b"a: 1\n\nb: 2\na: 3\n", "p.yaml:4: a: is already on line 1"),
    (b"{a: 1, 'a': 2}", "p.yaml:1: a: is already on line 1"),
    (b"version: 1\npolicy: m\nrules: []\n---\nversion: 1\n", "p.yaml:4: a second document"),
    (b"--- x\n--- y\n", "p.yaml:2: a second document"),
    (b"%YAML 1.1\n---\na: no\n", "p.yaml:[12]: directives"),
    (b"a: 1\n<<: {b: 2}\n", "p.yaml:2: <<: merge"),
    (b"a:\n  true: 1\n", "p.yaml:2: a key must be a word"),
    (b"022: 1\n", "p.yaml:1: a key must be a word"),
    (b"~: 1\n", "p.yaml:1: a key must be a word"),
    (b"? [a]\n: 1\n", "p.yaml:1: a key must be a word"),
    (b"a: 1\nb: x\0y\n", "p.yaml:2: holds the character U\\+0000"),
    (b'a: 1\nb: "x\\0y"\n', "p.yaml:2: holds the character NUL"),
    (b"a: 1\n# note\xe2\x80\xa8b: 2\n", "p.yaml:2: holds the character U\\+2028"),
    (b"a: 1\nb: \xff\n", "p.yaml:2: is not UTF-8"),
    ("a: 1\n".encode("utf-16"), "p.yaml:1: is not UTF-8"),
    (b"a: " + b"x" * 300_000, "p.yaml:1: the file has 300003 bytes, 256000"),
    (b"[" + b"a," * 30_000 + b"]", "p.yaml:1: more than 20000"),
    (b"a: " + b"9" * 5_000, "p.yaml:1: a number of 5000 characters"),
    (b"a: 0x" + b"f" * 5_000, "p.yaml:1: a number of 5002 characters"),
    (b"a: [1,\n", "p.yaml:2: is not valid YAML"),
    (b"a: b: c\n", "p.yaml:1: is not valid YAML"),
    (b"a:\n\t- b\n", "p.yaml:2: is not valid YAML"),
    (b"", "p.yaml:1: the file is empty"),
    (b"# nothing\n", "p.yaml:1: the file is empty"),
]


@pytest.mark.parametrize(("content", "words"), HOSTILE, ids=[words for _, words in HOSTILE])
def test_a_hostile_file_is_refused_quickly_with_its_line(content: bytes, words: str) -> None:
    started = time.thread_time()

    with pytest.raises(PolicyError, match=f"^{words}"):
        document("p.yaml", content)

    assert time.thread_time() - started < seconds(0.5)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"- " * 100_000, BOMB.encode(), b"a: 1\nb: !x y\n"])
def test_the_parser_in_python_refuses_them_as_well(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(strict_yaml, "_Loader", yaml.SafeLoader)

    with pytest.raises(PolicyError, match=r"^p.yaml:[12]: "):
        document("p.yaml", content)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:00", "22:00"),
        ("06:00", "06:00"),
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("True", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("022", 22),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("20.0", 20.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.INF", float("-inf")),
        ("1.2.3", "1.2.3"),
        ("2026-11-20", "2026-11-20"),
        ("'1'", "1"),
        ('"true"', "true"),
        ('""', ""),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    assert document("p.yaml", f"a: {text}".encode()).value == {"a": value}


def test_the_line_of_every_key_item_and_value_is_known() -> None:
    found = document(
        "p.yaml", b"\xef\xbb\xbfversion: 1\r\nrules:\r\n  - id: x\r\n    on:\r\n      [a,\r\n       b]\r\n"
    )

    assert found.value == {"version": 1, "rules": [{"id": "x", "on": ["a", "b"]}]}
    assert found.line(("rules",)) == 2
    assert found.line(("rules", 0)) == found.line(("rules", 0, "id")) == 3
    assert (found.line(("rules", 0, "on")), found.value_lines["rules", 0, "on"]) == (4, 5)
    assert found.line(("rules", 0, "on", 1)) == 6


def test_what_is_not_there_has_the_line_of_what_is_above_it() -> None:
    found = document("p.yaml", b"a: 1\nrules:\n  - id: x\n")

    assert [found.line(place) for place in (("rules", 0, "why", 3), ("b",), ())] == [3, 1, 1]


def test_a_file_at_the_limits_is_read() -> None:
    deep = b"[" * 24 + b"x" + b"]" * 24

    assert document("p.yaml", deep).value
    assert len(str(document("p.yaml", b"- a\n" * 19_999).value)) > 19_999
