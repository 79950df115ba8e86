"""The filters of the audit's page, by its own script: in node, with as much of a browser as the script asks for."""

import json
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli import audit_page
from loomstack_mcp.cli.audit_page import page
from loomstack_mcp.core.limits import DAY_MS
from tests.cli.cases import case, repair
from tests.conftest import git

SCRIPT = Path(audit_page.__file__).with_suffix(".js")
NODE = shutil.which("node")
BROWSER = """
const told = JSON.parse(require("fs").readFileSync(0, "utf8"));
const listeners = {};
const form = {hidden: true, addEventListener: (kind, listener) => { listeners[kind] = listener; }};
const cases = told.cases.map(({id, ...dataset}) => ({id, dataset, hidden: false}));
const arcs = told.arcs.map((of) => ({dataset: {of}, setAttribute(name, value) { this[name] = value; }}));
const named = {filters: form, agreed: {open: false}, count: {textContent: ""}};
globalThis.document = {
  getElementById: (id) => named[id],
  querySelectorAll: (wanted) => (wanted === "[data-state]" ? cases : wanted === "[data-of]" ? arcs : null),
};
globalThis.FormData = class { *[Symbol.iterator]() { yield* Object.entries(told.wanted); } };
eval(told.script);
listeners.input();
console.log(JSON.stringify({
  shown: cases.filter((one) => !one.hidden).map((one) => one.id),
  arcs: arcs.filter((one) => one.display !== "none").map((one) => one.dataset.of),
  count: named.count.textContent, agreed: named.agreed.open, form: form.hidden,
}));
"""


class Elements(HTMLParser):
    """What the script looks for in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cases: list[dict[str, Any]] = []
        self.arcs: list[str | None] = []
        self.options: dict[str, list[str | None]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if "data-state" in told:
            self.cases.append(
                {name.removeprefix("data-"): told[name] for name in told if name not in ("class", "open")}
            )
        if "data-of" in told:
            self.arcs.append(told["data-of"])
        if tag in ("select", "input"):
            self.options[str(told["name"])] = []
        if tag == "option" and told["value"]:
            list(self.options.values())[-1].append(told["value"])


@pytest.fixture(scope="module")
def elements(tmp_path_factory: pytest.TempPathFactory) -> Elements:
    folder = tmp_path_factory.mktemp("shop")
    git(folder, "init", "--quiet")
    cases = [
        case("1", lost=9, missing=9, whom=("Bea", 'Q "the" <b>&')),
        case("2", lost=9, missing=0, repairs=(repair(1, 1.0),), author="Cleo", kind="stale_base"),
        case("3", verdict="warn", manifests=True, author="Bea", whom=("dependabot[bot]",)),
    ]
    agreed = replace(case("4", verdict="clear", author="Ana").one, agreed=(True,))
    found = Audit(
        commits=9,
        first_ms=0,
        last_ms=DAY_MS,
        seconds=1.0,
        reversals=(*(one.one for one in cases), agreed),
        intents={},
        unchecked=(),
    )
    with Repository(place_at(folder)) as repo:
        return Elements(page(found, cases, repo))


def filtered(elements: Elements, **wanted: str) -> dict[str, Any]:
    told = {
        "script": SCRIPT.read_text(), "cases": elements.cases, "arcs": elements.arcs,
        "wanted": {"person": "", "path": "", "state": "", "kind": "", **wanted},
    }  # fmt: skip
    assert NODE
    done = subprocess.run([NODE, "-e", BROWSER], input=json.dumps(told), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_can_be_chosen_is_what_the_cases_hold(elements: Elements) -> None:
    people = {name for one in elements.cases for name in one["people"].split("\n")}

    assert set(elements.options) == {"person", "path", "state", "kind"}
    assert set(elements.options["person"]) == people == {"Ana", "Bea", "Cleo", "dependabot[bot]", 'Q "the" <b>&'}
    assert elements.options["state"] == ["missing", "restored", "agreed"]
    assert elements.options["kind"] == ["undo", "stale_base", "manifests"]
    assert elements.arcs == ["c0", "c1", "c2"]


@pytest.mark.skipif(NODE is None, reason="a page's script needs node, or a browser")
@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({}, ["c0", "c1", "c2", "a0"]),
        ({"person": "Ana"}, ["c0", "a0"]),
        ({"person": "Bea"}, ["c0", "c1", "c2", "a0"]),
        ({"person": 'Q "the" <b>&'}, ["c0"]),
        ({"path": " SRC/1"}, ["c0"]),
        ({"path": "nowhere"}, []),
        ({"state": "missing"}, ["c0", "c2"]),
        ({"state": "restored"}, ["c1"]),
        ({"state": "agreed"}, ["a0"]),
        ({"kind": "manifests"}, ["c2"]),
        ({"kind": "undo", "person": "Bea", "state": "missing"}, ["c0"]),
    ],
)
def test_the_cases_that_fit_are_shown(elements: Elements, wanted: dict[str, str], shown: list[str]) -> None:
    found = filtered(elements, **wanted)

    assert found == {
        "shown": shown,
        "arcs": [name for name in shown if name.startswith("c")],
        "count": f"{len(shown)} of 4 shown",
        "agreed": wanted.get("state") == "agreed",
        "form": False,
    }
