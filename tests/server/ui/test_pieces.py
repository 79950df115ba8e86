"""What the dashboard is made of, piece by piece: codes, readers of a stream, answers that are known, files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.cli.help import chapter
from loomstack_mcp.core.errors import LimitExceeded, Unauthorized
from loomstack_mcp.core.events import Event, EventKind
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.server.hub.hosts import Arrival
from loomstack_mcp.server.hub.keys import Keys
from loomstack_mcp.server.hub.peers import Peer
from loomstack_mcp.server.hub.replies import Refusal
from loomstack_mcp.server.ui import dashboard, lists, questions, readers, streams
from loomstack_mcp.server.ui.files import PageFiles
from loomstack_mcp.server.ui.known_answers import KnownAnswers
from loomstack_mcp.server.ui.local_visits import Codes, LocalVisits
from loomstack_mcp.server.ui.readers import PageReader, is_far_behind, read_repos
from loomstack_mcp.server.ui.replies import PageContent, json_content
from loomstack_mcp.server.ui.requests import PageRequest, page_request, refuse_other_sites
from loomstack_mcp.server.ui.visits import HubVisits


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def event(seq: int, kind: EventKind = "note.shared", run: str = "run_1") -> Event:
    return Event(seq=seq, at_ms=0, kind=kind, run_id=run, about="x", payload={})


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def codes(clock: Hands, shown: list[str]) -> Codes:
    return Codes(shown.append, clock=clock)


def refused(do: Callable[[], object]) -> str:
    with pytest.raises((Unauthorized, LimitExceeded)) as caught:
        do()
    return str(caught.value)


def test_a_code_holds_for_five_minutes_and_once(codes: Codes, clock: Hands, shown: list[str]) -> None:
    codes.ask()
    codes.use(shown[0].replace("-", " "))
    refused(lambda: codes.use(shown[0]))
    clock.now_s += 400
    codes.ask()
    clock.now_s += 300
    late = refused(lambda: codes.use(shown[-1]))

    assert "holds no more" in late
    assert len(set(shown)) == len(shown)
    codes.use(shown[-1])  # which the late one had shown


def test_a_code_that_a_terminal_shows_late_is_the_one_that_holds(clock: Hands) -> None:
    waiting: list[str] = []

    def show(code: str) -> None:
        if waiting:
            raise LimitExceeded("the terminal stands still")
        waiting.append(code)

    codes = Codes(show, clock=clock)
    codes.ask()
    clock.now_s += 10

    assert "stands still" in refused(codes.ask)
    codes.use(waiting[0])


def test_five_guesses_end_a_code_and_each_further_one_comes_later(codes: Codes, clock: Hands, shown: list[str]) -> None:
    clock.now_s = 1_000
    gone = []
    for _ in range(6):
        clock.now_s += 400
        codes.ask()
        for _ in range(5):
            refused(lambda: codes.use("x"))
        gone.append(refused(lambda: codes.use(shown[-1])))
    waits = refused(codes.ask)

    assert all("no code holds now" in one or "new one" in one for one in gone)
    assert "again in 96 s" in waits or "again in 192 s" in waits
    assert len(shown) <= 7


def test_what_happened_meanwhile_is_told_together() -> None:
    reader = PageReader("shop")
    first = reader.taken()
    reader.tell(7, [event(6), event(7, "claim.granted", "run_2")])
    reader.tell(8, [event(8)])

    assert (first, reader.taken()) == (
        b"",
        b'event: change\nid: 8\ndata: {"repo": "shop", "seq": 8, "kinds": ["note.shared", "claim.granted"], '
        b'"runs": ["run_1", "run_2"]}\n\n',
    )
    assert reader.taken() == b""


def test_a_reader_that_is_slow_keeps_little_and_reads_everything_anew() -> None:
    reader = PageReader("shop")
    for seq in range(1, 5_000):
        reader.tell(seq, [event(seq, run=f"run_{seq}")])
    told = reader.taken()
    reader.lose(6_000)

    assert told == b'event: reset\nid: 4999\ndata: {"repo": "shop", "seq": 4999, "kinds": [], "runs": []}\n\n'
    assert reader.taken().startswith(b"event: reset\nid: 6000\n")


def test_who_slept_for_long_or_read_another_store_reads_everything_anew() -> None:
    far = [is_far_behind(seen, cursor) for seen, cursor in ((5, 5), (0, 1_000), (0, 1_001), (5, 4))]

    assert far == [False, False, True, True]


def test_a_repo_is_looked_at_from_where_its_first_reader_came() -> None:
    readers = [PageReader("shop"), PageReader("shop"), PageReader("shop"), PageReader("cage")]
    readers[0].start, readers[1].start = 9, 7

    assert read_repos(readers) == {"shop": 7}


def test_an_answer_is_made_once_until_its_repo_moves_or_ages_have_changed(clock: Hands) -> None:
    known = KnownAnswers(clock=clock)
    made: list[str] = []

    def make(tag: str) -> PageContent:
        made.append(tag)
        return json_content({"n": len(made)}, tag=tag)

    told = [known.content_at("live", cursor, make) for cursor in (1, 1, 2, 2)]
    clock.now_s += 11
    later = known.content_at("live", 2, make)

    assert (told[0], told[2]) == (told[1], told[3])
    assert len({told[0].tag, told[2].tag, later.tag}) == len(made) == 3


def test_what_is_kept_of_answers_is_bounded(clock: Hands) -> None:
    known = KnownAnswers(clock=clock)
    for number in range(300):
        known.content_at(number, 1, lambda tag: PageContent(kind=b"x", plain=b"x" * 200_000, tag=tag))

    assert known._bytes <= 16_000_000
    assert len(known._known) <= 200
    assert known._making == {}


@pytest.mark.parametrize(
    ("origin", "cookie"),
    [
        ("https://loom.example", "__Host-loomstack={}; Path=/; HttpOnly; SameSite=Strict; Secure"),
        ("http://127.0.0.1:8420", "loomstack-8420={}; Path=/; HttpOnly; SameSite=Strict"),
    ],
)
def test_a_cookie_is_bound_to_its_host_and_holds_no_own_token(origin: str, cookie: str) -> None:
    keys = Keys(own="own-token")
    request = PageRequest(
        method="POST", path="/", query={}, headers={}, cookies={}, origin=origin, client="127.0.0.1",
        peer=Peer("127.0.0.1", 1),
    )  # fmt: skip
    signed = HubVisits(keys).signed_in(request, {"token": "own-token"})

    assert signed.cookie == cookie.format(keys.own_mark())
    assert "own-token" not in signed.cookie


def asking(*, cookie: str = "", host: str = "127.0.0.1:8421", scheme: str = "http", origin: str = "") -> PageRequest:
    """A request as it comes in."""
    headers = [(b"cookie", cookie.encode()), *([(b"origin", origin.encode())] if origin else [])]
    scope = {"method": "POST", "raw_path": b"/", "query_string": b"", "headers": headers}
    arrival = Arrival(
        host=host, scheme=scheme, client="127.0.0.1", peer=("127.0.0.1", 1), is_proxied=False, is_safe=True
    )
    return page_request(scope, arrival)


def test_links_that_are_opened_again_and_again_sign_nobody_out(codes: Codes, shown: list[str]) -> None:
    visits = LocalVisits(Principal(name="ana", role="admin"), port=8421, codes=codes)
    first = asking(cookie=visits.signed_in(asking(), {"key": visits.reading_key}).cookie.partition(";")[0])
    codes.ask()
    signed = asking(cookie=visits.signed_in(first, {"code": shown[-1]}).cookie.partition(";")[0])
    read = [asking(cookie=visits.signed_in(asking(), {"key": visits.reading_key}).cookie) for _ in range(150)]

    seen = visits.visitor_of(signed)

    assert seen is not None
    assert seen.page_key
    assert sum(visits.visitor_of(one) is not None for one in read) == 99


def test_a_proxy_that_names_the_usual_port_is_at_the_same_origin() -> None:
    refuse_other_sites(asking(host="loom.example:443", scheme="https", origin="https://loom.example"))
    for host, scheme, origin in (
        ("loom.example:8443", "https", "https://loom.example"),
        ("loom.example:443", "http", "http://loom.example"),
        ("loom.example:443", "https", "http://loom.example"),
    ):
        with pytest.raises(Refusal):
            refuse_other_sites(asking(host=host, scheme=scheme, origin=origin))


def test_the_help_tells_the_limits_that_hold() -> None:
    told = " ".join(chapter("dashboard").split())

    assert f"{questions.LIMIT_MAX}, {questions.LIMIT_USUAL} where nothing is said" in told
    assert f"{dashboard._CALLS_PER_S:.0f} a second, {dashboard._CALLS_BURST:,} at once" in told
    assert f"{LocalVisits.guesses_burst}, and one more every {1 / LocalVisits.guesses_per_s:.0f} seconds" in told
    assert f"{HubVisits.guesses_burst}, and {HubVisits.guesses_per_s:.0f} more every second" in told
    assert f"{streams.STREAMS_MAX:,}, {streams.SEAT_STREAMS_MAX} of one token" in told
    assert f"{streams._FAR_REPOS_MAX} repositories at once" in told
    assert f"| {readers._BEHIND_MAX:,} |" in told
    for name in (*lists.LISTS, *lists.THINGS):
        assert f"`{name}" in told


def test_a_file_is_kept_for_good_under_its_version_and_looked_for_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="/static/app.js" type="module"></script>')
    (tmp_path / "app.js").write_text("x" * 5_000)
    (tmp_path / "notes.py").write_text("secret")
    files = PageFiles(tmp_path)
    named = f"/static/v-{files.version}/app.js"

    assert named.encode() in files.shell().content.plain
    assert b"immutable" in files.file_at(named).kept
    assert files.file_at("/static/v-000000000000/app.js").kept == files.file_at("/static/app.js").kept
    assert len(files.file_at(named).content.zipped) < 100
    for path in ("/static/notes.py", "/static/../notes.py", "/static/", "/static/v-1/app.js"):
        with pytest.raises(Refusal):
            files.file_at(path)
