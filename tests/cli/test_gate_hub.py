"""CI, and every machine of a team, with a hub: its rules bind all, and what cannot be asked of it is no pass."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from loomstack_mcp.adapters.hub_joining import join_hub
from tests.adapters.test_jwt import AUDIENCE, Provider
from tests.cli.test_cli import on_terminal
from tests.conftest import commit_all, environment, git
from tests.hubs import Hub, made_token, running_hub
from tests.processes import SCRIPT, run
from tests.wire import Server

URL = "https://git.example.com/acme/shop.git"
REPO_RULE = """
version: 1
policy: shop
rules:
  - id: tested
    why: nobody lands what no test has seen
    effect: deny
    on: [land]
    check: {evidence: [{kind: tests, count: 1}]}
"""
ASKING_RULE = """
version: 1
policy: shop
rules:
  - id: asked
    why: a second person looks at prices
    effect: require_approval
    on: [land]
    where: {paths: ["/src/**"]}
    approve: {by: ["role:lead"], count: 1, not_maker: true}
"""
PEOPLE = """
version: 1
people:
  bea: {tokens: [bea], roles: [lead]}
  ana: {tokens: [ana], handles: [ana], addresses: [test@localhost], roles: [lead]}
"""
ORG_RULE = """
version: 1
policy: acme
rules:
  - id: no-ini
    why: the whole company left ini files behind
    effect: deny
    on: [edit, push, land]
    where: {paths: ["*.ini"]}
"""

Machine = Callable[..., tuple[int, str]]


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def hub(tmp_path: Path, provider: Provider) -> Iterator[Hub]:
    home = tmp_path / "hub"
    home.mkdir()
    made_token(home, "root", "admin")
    said = {
        "jwt_issuer": provider.url,
        "jwt_audience": AUDIENCE,
        "jwt_jwks": f"{provider.url}/keys",
        "jwt_repos": ["**"],
    }
    (home / "loomstack" / "config.yaml").write_text(json.dumps(said))
    with running_hub(home) as found:
        yield found


def org_rules(hub: Hub, text: str) -> None:
    folder = hub.home / "loomstack" / "policies"
    folder.mkdir(exist_ok=True)
    (folder / "acme.yaml").write_text(text)


def origin_of(hub: Hub) -> str:
    return f"http://127.0.0.1:{hub.port}"


@pytest.fixture
def work(shop: Path) -> Path:
    """A clone with a branch that changes two files."""
    git(shop, "config", "user.name", "ana")
    git(shop, "config", "user.email", "ana@localhost")
    git(shop, "remote", "add", "origin", URL)
    git(shop, "checkout", "--quiet", "-b", "work")
    (shop / "src/a.py").write_text("a = 1\n")
    commit_all(shop, "Work")
    return shop


def landed(work: Path, **files: str) -> None:
    """On the trunk, below the branch."""
    git(work, "checkout", "--quiet", "main")
    for name, text in files.items():
        path = work / {"rules": "policies/shop.yaml", "people": ".loomstack/people.yaml"}[name]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    commit_all(work, "Rules")
    git(work, "checkout", "--quiet", "work")
    git(work, "-c", "user.name=ana", "-c", "user.email=ana@localhost", "rebase", "--quiet", "main")


@pytest.fixture
def machine(tmp_path: Path, hub: Hub, work: Path) -> Machine:
    """A command on a machine of somebody with a token: its status, and all that it said."""

    def command(token: str, *arguments: str, home: str = "ci", is_person: bool = False) -> tuple[int, str]:
        (tmp_path / home).mkdir(exist_ok=True)
        told = {"LOOMSTACK_STORE": origin_of(hub), "LOOMSTACK_TOKEN": token}
        env = environment(tmp_path / home, **{name: value for name, value in told.items() if value})
        if is_person:
            return on_terminal([SCRIPT, *arguments], cwd=work, env=env, question="?", answer=lambda: "y\n")
        done = run([SCRIPT, *arguments], cwd=work, env=env)
        return done.returncode, done.stdout + done.stderr

    return command


JUDGE = ("gate", "--base", "main", "--head", "work", "--actor", "ana")


def test_ci_judges_by_evidence_that_the_hub_has(hub: Hub, work: Path, machine: Machine) -> None:
    landed(work, rules=REPO_RULE)
    ci, dev = made_token(hub.home, "ci", "agent"), made_token(hub.home, "dana", "developer")
    before = machine(ci, *JUDGE)
    adding = ("evidence", "add", "--kind", "tests", "--commit", "work", "--by", "ci")
    told = machine(dev, *adding, home="dana", is_person=True)
    after = machine(ci, *JUDGE)

    assert (before[0], "tested" in before[1]) == (2, True), before[1]
    assert (told[0], "the word of the token's owner: dana, not ci" in " ".join(told[1].split())) == (0, True), told[1]
    assert after[0] == 0, after[1]


def test_without_a_token_nothing_passes_and_git_alone_is_shown(hub: Hub, work: Path, machine: Machine) -> None:
    allowed = machine("", *JUDGE)
    landed(work, rules=REPO_RULE)
    asking = machine("", *JUDGE)
    wrong = machine("loom_00000000_" + "x" * 43, *JUDGE)

    assert (allowed[0], "so it is no pass" in allowed[1], "allow" in allowed[1]) == (3, True, True), allowed[1]
    assert (asking[0], "Not judged without the store: tested" in asking[1]) == (3, True), asking[1]
    assert wrong[0] == 1, wrong[1]


def test_the_organisations_rules_bind_who_configured_nothing(hub: Hub, work: Path, machine: Machine) -> None:
    (work / "setup.ini").write_text("[a]\n")
    commit_all(work, "An ini file")
    token = made_token(hub.home, "ci", "agent")
    before = machine(token, *JUDGE)
    org_rules(hub, ORG_RULE)
    after = machine(token, *JUDGE)
    explained = machine(token, "policy", "explain", "no-ini", home="another")
    org_rules(hub, ORG_RULE.replace("*.ini", "*.cfg"))
    mended = machine(token, *JUDGE)

    assert (before[0], mended[0]) == (0, 0), before[1] + mended[1]
    assert (after[0], "org/acme.yaml" in after[1]) == (2, True), after[1]
    assert (explained[0], "no-ini" in explained[1]) == (0, True), explained[1]


def test_a_hub_that_is_away_leaves_its_rules_and_no_copy_refuses(
    tmp_path: Path, hub: Hub, work: Path, machine: Machine
) -> None:
    (work / "setup.ini").write_text("[a]\n")
    commit_all(work, "An ini file")
    org_rules(hub, ORG_RULE)
    token = made_token(hub.home, "ci", "agent")
    machine(token, *JUDGE)
    hub.stop()
    explained = machine(token, "policy", "explain", "no-ini")
    held = machine(token, *JUDGE, "--git-only")
    unheard = machine(token, *JUDGE, "--git-only", home="new")
    for copy in tmp_path.glob("ci/**/layer.json"):
        copy.write_text(copy.read_text().replace("no-ini", "no-cfg"))
    forged = machine(token, *JUDGE, "--git-only")

    assert (explained[0], "were not read anew" in explained[1]) == (0, True), explained[1]
    assert (held[0], "were not read anew, they are those of" in held[1]) == (2, True), held[1]
    assert (unheard[0], "none are known here" in unheard[1]) == (3, True), unheard[1]
    assert (forged[0], "none are known here" in forged[1]) == (3, True), forged[1]


def test_broken_rules_of_the_organisation_refuse_everywhere(hub: Hub, work: Path, machine: Machine) -> None:
    org_rules(hub, ORG_RULE.replace("effect: deny", "effect: denny"))
    done = machine(made_token(hub.home, "ci", "agent"), *JUDGE)

    assert (done[0], "org/acme.yaml:7" in done[1]) == (1, True), done[1]


def test_people_approve_by_their_own_tokens_and_by_those_of_a_provider(
    hub: Hub, provider: Provider, work: Path, machine: Machine
) -> None:
    cam = f"  cam: {{tokens: ['{provider.url}|cam'], roles: [lead]}}\n"
    landed(work, rules=ASKING_RULE.replace("count: 1", "count: 2"), people=PEOPLE + cam)
    ci = made_token(hub.home, "ci", "agent")
    ana, bea = (made_token(hub.home, name, "developer") for name in ("ana", "bea"))
    asked = machine(ci, *JUDGE, "--json")
    approval = json.loads(asked[1].splitlines()[0]).get("approval", asked[1])
    by_agent = machine(ci, "approve", approval, is_person=True)
    by_maker = machine(ana, "approve", approval, home="ana", is_person=True)
    by_second = machine(bea, "approve", approval, home="bea", is_person=True)
    still = machine(ci, *JUDGE)
    again = machine(bea, "approve", approval, home="bea", is_person=True)
    decides = {"sub": "cam", "scope": "loom:decide"}
    too_low = machine(provider.token(sub="cam"), "approve", approval, home="cam", is_person=True)
    by_third = machine(provider.token(**decides), "approve", approval, home="cam", is_person=True)
    done = machine(ci, *JUDGE)

    assert (asked[0], still[0]) == (3, 3), asked[1] + still[1]
    refused = (by_agent, by_maker, again, too_low)
    assert [one[0] for one in (*refused, by_second, by_third)] == [1, 1, 1, 1, 0, 0], by_second[1] + by_third[1]
    assert done[0] == 0, done[1]


def test_an_edit_is_stopped_by_a_rule_that_only_the_hub_has(
    tmp_path: Path, hub: Hub, work: Path, machine: Machine
) -> None:
    org_rules(hub, ORG_RULE)
    token = made_token(hub.home, "ana", "agent")
    (tmp_path / "ana").mkdir()
    env = environment(tmp_path / "ana", LOOMSTACK_STORE=origin_of(hub))
    kept = Path(env["LOOMSTACK_HOME"]) / "hub-tokens.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps([{"origin": origin_of(hub), "token": token}]))
    kept.chmod(0o600)
    payload = {
        "session_id": "s1", "hook_event_name": "PreToolUse", "tool_name": "Write", "tool_use_id": "t1",
        "cwd": str(work), "tool_input": {"file_path": str(work / "x.ini"), "content": "a"},
    }  # fmt: skip
    hook = [str(Path(SCRIPT).with_name("loomstack-hook")), "claude", "PreToolUse"]
    done = run(hook, cwd=work, env=env, given=json.dumps(payload))

    assert "no-ini" in done.stdout, done.stdout + done.stderr


def test_a_note_of_the_organisation_is_an_admins_and_reaches_whoever_works(
    tmp_path: Path, hub: Hub, work: Path, machine: Machine
) -> None:
    admin, dev = made_token(hub.home, "root", "admin"), made_token(hub.home, "ana", "developer")
    add = ("note", "add", "prices are net everywhere", "--org")
    refused = machine(dev, *add, home="ana", is_person=True)
    done = machine(admin, *add, home="root", is_person=True)
    join_hub(str(tmp_path / "ana/loomstack"), origin_of(hub), token=dev)
    with Server([SCRIPT, "serve"], env=environment(tmp_path / "ana"), cwd=work) as session:
        session.initialize()
        told = json.dumps(session.answer("start_run", loop="prices", goal="net"))

    assert (refused[0], done[0]) == (1, 0), refused[1] + done[1]
    assert "prices are net everywhere" in told


def test_the_ready_workflow_asks_the_hub_where_it_may(tmp_path: Path, hub: Hub, work: Path) -> None:
    landed(work, rules=REPO_RULE)
    workflow = yaml.safe_load(run([SCRIPT, "gate", "--workflow"], cwd=work, env=environment(tmp_path)).stdout)
    step = workflow["jobs"]["gate"]["steps"][-1]
    git(work, "update-ref", "refs/loomstack/head", "work")
    given = {"BASE": "main", "PERSON": "ana", "LOOMSTACK_STORE": "", "LOOMSTACK_TOKEN": ""}
    assert set(given) == set(step["env"])

    def judged(**env: str) -> tuple[int, str]:
        told = environment(tmp_path, **given | env)
        told["PATH"] = f"{Path(SCRIPT).parent}:{told['PATH']}"
        done = run(["bash", "-e", "-c", step["run"]], cwd=work, env=told)
        return done.returncode, done.stdout

    alone = judged()
    unheard = judged(LOOMSTACK_STORE=origin_of(hub))
    asked = judged(LOOMSTACK_STORE=origin_of(hub), LOOMSTACK_TOKEN=made_token(hub.home, "ci", "agent"))

    assert alone[0] == 0, alone[1]
    assert (unheard[0], unheard[1].startswith("::warning::no token for")) == (3, True), unheard[1]
    assert (asked[0], "tested" in asked[1]) == (2, True), asked[1]
