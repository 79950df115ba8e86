"""Names with brackets and braces, as routes have them, claimed before their files are there and asked about after."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import commit_all
from tests.wire import Server

RULES = """\
version: 1
policy: routes
rules:
  - id: not-held
    why: two loops on one file waste both
    effect: deny
    on: [edit]
    check: {claims: not_held_by_other}
  - id: checkout-closed
    why: the checkout belongs to the payments team
    effect: deny
    on: [edit]
    where:
      paths: ["/app/[shop]/**", "/lib/{tax,money}/**", "/routes/{-$lang}/pay.tsx", "/app/[post-id]/**",
        "[id].lock", "*.pem"]
      except: ['/app/\\[shop\\]/*.md']
"""


@pytest.fixture
def routes(shop: Path) -> Path:
    for name in ("app/[id]/page.tsx", "app/[shop]/page.tsx", "policies/routes.yaml"):
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text("x\n")
    (shop / "policies/routes.yaml").write_text(RULES)
    commit_all(shop)
    return shop


@pytest.fixture
def two(routes: Path, serve: Callable[..., Server]) -> tuple[Server, Server]:
    """Two sessions, each with a run; the first one holds what a test claims."""
    del routes
    servers = serve(CLAUDE_CODE_SESSION_ID="one"), serve(CLAUDE_CODE_SESSION_ID="two")
    for server in servers:
        server.answer("start_run", loop="loop", goal="goal")
    return servers


def rules_of(server: Server, path: str) -> list[str]:
    found = server.answer("check_policy", action="edit", paths=[path])
    return [reason["rule"] for reason in found.get("reasons", ())]


@pytest.mark.parametrize(
    "path",
    [
        "app/[id]/loading.tsx",
        "app/[id]/[tab]/page.tsx",
        "blog/[slug]/page.tsx",
        "blog/[[...rest]]/page.tsx",
        "routes/{-$lang}/index.tsx",
        "blog/[top-bar]/page.tsx",
        "src/[ab].py",
        "cafe\u0301/[a].py",
    ],
)
def test_a_file_claimed_before_it_is_there_is_held_when_it_is(
    routes: Path, two: tuple[Server, Server], path: str
) -> None:
    holder, other = two
    holder.answer("claim_paths", paths=[path], intent="mine")
    before = other.answer("claim_paths", paths=[path], intent="mine too")["granted"]
    (routes / path).parent.mkdir(parents=True, exist_ok=True)
    (routes / path).write_text("y\n")
    after = other.answer("claim_paths", paths=[path], intent="mine too")["granted"]

    assert (before, after) == (False, False)
    assert rules_of(other, path) == ["not-held"]


def test_a_set_claimed_before_a_file_of_its_name_came_still_holds_its_letters(
    routes: Path, two: tuple[Server, Server]
) -> None:
    holder, other = two
    holder.answer("claim_paths", paths=["src/[xy].py"], intent="mine")
    (routes / "src/[xy].py").write_text("y\n")

    granted = {
        path: other.answer("claim_paths", paths=[path], intent="mine")["granted"] for path in ("src/x.py", "z.py")
    }

    assert granted == {"src/x.py": False, "z.py": True}


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("app/[shop]/page.tsx", ["checkout-closed"]),
        ("app/[shop]/new.tsx", ["checkout-closed"]),
        ("app/[shop]/read.md", []),
        ("app/[id]/page.tsx", []),
        ("app/s/page.tsx", ["checkout-closed"]),
        ("app/s/read.md", ["checkout-closed"]),
        ("lib/tax/a.py", ["checkout-closed"]),
        ("lib/money/a.py", ["checkout-closed"]),
        ("lib/other/a.py", []),
        ("routes/{-$lang}/pay.tsx", ["checkout-closed"]),
    ],
)
def test_a_rule_protects_a_folder_of_that_name_and_braces_are_choices(
    two: tuple[Server, Server], path: str, rules: list[str]
) -> None:
    assert rules_of(two[1], path) == rules


@pytest.mark.parametrize(
    "path", ["new/[id].lock", "lib/*.pem", "new/**/*.pem", "lib/{a.ts,k.pem}", "app/[post-id]/x.ts"]
)
def test_a_rule_on_names_holds_for_patterns_of_files_to_come(two: tuple[Server, Server], path: str) -> None:
    assert rules_of(two[0], path) == ["checkout-closed"]


@pytest.mark.parametrize("path", ["new/*.ts", "new/**/*.ts", "new/*", "new/"])
def test_a_rule_on_names_is_no_rule_for_all_patterns(two: tuple[Server, Server], path: str) -> None:
    assert rules_of(two[0], path) == []
