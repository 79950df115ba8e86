"""The organisation's rules of a hub: a copy that is missing, or was written by others, is never no rules."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from loomstack_mcp.adapters.policy.files import of_folder, of_org
from loomstack_mcp.adapters.policy.folders import LAYER_FILE, asked_ago_ms
from loomstack_mcp.adapters.policy.hub_layer import keep_layer, kept_hash, offered_layer
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.user import HUB_RULES
from loomstack_mcp.core.errors import Invalid, PolicyError

RULE = "version: 1\npolicy: core\n# £ ☃\n"


@pytest.fixture
def copy(tmp_path: Path) -> str:
    return load_settings({"home": str(tmp_path), "store": "https://loom.test"}).rules_home


def offered(tmp_path: Path, text: str = RULE) -> dict[str, object]:
    (tmp_path / "hub/policies").mkdir(parents=True, exist_ok=True)
    (tmp_path / "hub/policies/core.yaml").write_text(text)
    return offered_layer(of_folder(tmp_path / "hub", layer="org", shown="org"))


def test_what_a_hub_offers_comes_back_as_it_went(tmp_path: Path, copy: str) -> None:
    answer = offered(tmp_path)
    keep_layer(copy, answer)
    [file] = of_org(copy)

    assert (file.layer, file.name, file.content.decode()) == ("org", "org/core.yaml", RULE)
    assert kept_hash(copy) == answer["hash"]
    assert (Path(copy) / "policies" / LAYER_FILE).stat().st_mode & 0o077 == 0
    assert asked_ago_ms(copy) is not None


def test_each_hub_has_a_copy_of_its_own(tmp_path: Path) -> None:
    stores = ("https://loom.test", "https://loom.test:444", "http://127.0.0.1:8420", f"sqlite:///{tmp_path}/loom.db")
    homes = [load_settings({"home": str(tmp_path), "store": store}).rules_home for store in stores]

    assert len(set(homes)) == 4
    assert [Path(home).name.startswith(HUB_RULES) for home in homes] == [True, True, True, False]
    assert load_settings({"home": str(tmp_path), "store": "HTTPS://LOOM.test/"}).rules_home == homes[0]


def test_without_a_copy_nothing_is_judged(copy: str) -> None:
    with pytest.raises(PolicyError, match="was not read yet"):
        of_org(copy)
    assert (kept_hash(copy), asked_ago_ms(copy)) == ("", None)


@pytest.mark.parametrize("text", ["", "{}", "x" * 64 + '\n{"files": {}}'])
def test_what_others_wrote_is_no_copy(tmp_path: Path, copy: str, text: str) -> None:
    keep_layer(copy, offered(tmp_path))
    (Path(copy) / "policies" / LAYER_FILE).write_text(text)

    with pytest.raises(PolicyError, match="org:1"):
        of_org(copy)
    keep_layer(copy, offered(tmp_path))
    assert len(of_org(copy)) == 1


def test_a_copy_of_another_hub_is_none(tmp_path: Path, copy: str) -> None:
    other = load_settings({"home": str(tmp_path), "store": "https://other.test"}).rules_home
    keep_layer(copy, offered(tmp_path))
    keep_layer(other, offered(tmp_path, "version: 1\npolicy: none\n"))
    text = (Path(other) / "policies" / LAYER_FILE).read_bytes()
    (Path(copy) / "policies" / LAYER_FILE).write_bytes(text)

    with pytest.raises(PolicyError):
        of_org(copy)


def test_a_mark_of_tomorrow_is_no_news(tmp_path: Path, copy: str) -> None:
    keep_layer(copy, offered(tmp_path))
    tomorrow = time.time() + 86_400
    os.utime(Path(copy) / "asked", (tomorrow, tomorrow))

    assert (asked_ago_ms(copy) or 0) > 86_000_000


def test_half_a_letter_is_in_no_file(tmp_path: Path, copy: str) -> None:
    keep_layer(copy, offered(tmp_path))
    for texts in ({"org/core.yaml": "# \ud800"}, {"\ud800": RULE}):
        body = json.dumps(sorted(texts.items()), separators=(",", ":"))
        answer = {"files": texts, "hash": f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"}
        with pytest.raises(Invalid, match="no set of rules"):
            keep_layer(copy, answer)

    assert len(of_org(copy)) == 1


@pytest.mark.parametrize("answer", [{}, {"files": {}}, {"hash": "sha256:0", "files": {"a": "b"}}, {"files": {"a": 1}}])
def test_what_is_no_such_answer_changes_nothing(tmp_path: Path, copy: str, answer: dict[str, object]) -> None:
    keep_layer(copy, offered(tmp_path))
    with pytest.raises(Invalid):
        keep_layer(copy, answer)
    assert len(of_org(copy)) == 1


def test_a_hub_without_rules_is_one(tmp_path: Path, copy: str) -> None:
    keep_layer(copy, offered_layer(()))
    assert of_org(copy) == ()
