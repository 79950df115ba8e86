"""Kept rulebooks: the same afterwards, only ours, and read without the slow packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loomstack_mcp.adapters.policy.cache import (
    KEPT_MAX,
    PolicyFile,
    builtin,
    cache_key,
    decoded_rulebook,
    encoded_rulebook,
    keep_rulebook,
    kept_rulebook,
)
from loomstack_mcp.adapters.policy.load import loaded
from loomstack_mcp.core.policy.rules import Rulebook
from tests.adapters.policy.test_load import FULL, policy

SECRET = b"of this home"
FILES = (*builtin(), policy(FULL))


def only_file(home: Path) -> Path:
    (found,) = (home / "cache/policy").iterdir()
    return found


def test_a_rulebook_is_the_same_after_it_was_kept(tmp_path: Path) -> None:
    rulebook = loaded(FILES)

    assert decoded_rulebook(encoded_rulebook(rulebook)) == rulebook
    assert keep_rulebook(tmp_path, FILES, rulebook, secret=SECRET)
    assert kept_rulebook(tmp_path, FILES, secret=SECRET) == rulebook
    assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_nothing_is_kept_of_other_files(tmp_path: Path) -> None:
    keep_rulebook(tmp_path, FILES, loaded(FILES), secret=SECRET)
    changed = PolicyFile(layer="repo", name="policies/x.yaml", content=FULL.encode() + b"\n")

    assert kept_rulebook(tmp_path, (*builtin(), changed), secret=SECRET) is None
    assert len({cache_key(files) for files in (FILES, FILES[:1], FILES[::-1], ())}) == 4


@pytest.mark.parametrize("content", [b"", b"x", b'{"rules":[]}', b"0" * 64 + b"\n{}", b"\xff" * 100])
def test_what_we_did_not_write_is_not_read(tmp_path: Path, content: bytes) -> None:
    keep_rulebook(tmp_path, FILES, loaded(FILES), secret=SECRET)

    only_file(tmp_path).write_bytes(content)

    assert kept_rulebook(tmp_path, FILES, secret=SECRET) is None


def test_a_changed_byte_or_another_secret_is_refused(tmp_path: Path) -> None:
    keep_rulebook(tmp_path, FILES, loaded(FILES), secret=SECRET)
    content = only_file(tmp_path).read_bytes()

    assert kept_rulebook(tmp_path, FILES, secret=b"another") is None

    only_file(tmp_path).write_bytes(content.replace(b'"require_approval"', b'"require_approvaL"'))
    assert kept_rulebook(tmp_path, FILES, secret=SECRET) is None


def test_a_rulebook_of_ours_under_another_name_is_refused(tmp_path: Path) -> None:
    keep_rulebook(tmp_path, (), Rulebook(), secret=SECRET)

    only_file(tmp_path).rename(tmp_path / "cache/policy" / f"{cache_key(FILES)}.json")

    assert kept_rulebook(tmp_path, FILES, secret=SECRET) is None


def test_the_oldest_go(tmp_path: Path) -> None:
    for number in range(KEPT_MAX + 3):
        files = (PolicyFile(layer="repo", name=str(number), content=b""),)
        keep_rulebook(tmp_path, files, Rulebook(), secret=SECRET)
        os.utime(tmp_path / "cache/policy" / f"{cache_key(files)}.json", ns=(number, number))

    left = [
        kept_rulebook(tmp_path, (PolicyFile(layer="repo", name=str(n), content=b""),), secret=SECRET) for n in range(3)
    ]

    assert left == [None, None, None]
    assert len(list((tmp_path / "cache/policy").iterdir())) == KEPT_MAX


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")

    assert keep_rulebook(tmp_path, FILES, Rulebook(), secret=SECRET) is False
    assert kept_rulebook(tmp_path, FILES, secret=SECRET) is None


def test_an_empty_secret_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        keep_rulebook(tmp_path, FILES, Rulebook(), secret=b"")


def test_reading_takes_the_standard_library_alone() -> None:
    code = "import sys, loomstack_mcp.adapters.policy.cache; print({'yaml', 'pydantic', 're2'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
