"""Settings: flag, environment, the repo's file, the user's file, default; each with where it came from."""

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from loomstack_mcp.adapters.settings_values import CHOICES, JWT_ALGORITHMS, JWT_LISTS, setting_value
from loomstack_mcp.adapters.user import SQLITE, USER_FILE, home_named, hub_origin, plain_settings, rules_home
from loomstack_mcp.core.claim_edits import CLAIM_EDITS, ClaimEdits
from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.core.limits import REWORK_MAX, WINDOW_DAYS
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import named_identity, without_password

REPO_FILE = ".loomstack/config.yaml"
_POSTGRES = ("postgresql://", "postgres://")
POSTGRES_NEEDED = "a postgresql:// store needs more packages; install loomstack-mcp[postgres]"
_WEBHOOK = ("webhook", "webhook_secret", "webhook_format")
_JWT_TEXTS = ("jwt_issuer", "jwt_audience", "jwt_jwks", "jwt_repos_claim")
_JWT = (*_JWT_TEXTS, *JWT_LISTS)
_OTLP = ("otlp_endpoint", "otlp_headers")
_NUMBERS = {"rework_max": REWORK_MAX, "window_days": WINDOW_DAYS, "keep_days": 0}
_NAMES = (
    *("home", "store", "repo", *_NUMBERS, "generated", "deploy_tags"),
    *(*CHOICES, *_WEBHOOK, *_JWT, *_OTLP),
)
_DEFAULTS = {
    **_NUMBERS,
    "generated": (),
    "deploy_tags": (),
    **{name: words[0] for name, words in CHOICES.items()},
    **dict.fromkeys((*_WEBHOOK, *_JWT_TEXTS, *_OTLP), ""),
    **JWT_LISTS,
}
_NOT_IN_REPO = frozenset({"home", "store", "keep_days", "push", *_WEBHOOK, *_JWT, *_OTLP})
SECRETS = frozenset({"webhook", "webhook_secret", "otlp_headers"})
"""Settings that are shown to nobody. Whoever knows the address of a webhook may write there."""


@record
class Settings:
    """What the user chose, and where each choice came from."""

    home: str = ""
    """The folder of the store and of the user's `config.yaml`."""
    store: str = field(default="", repr=False)
    """`sqlite:///PATH`, `postgresql://…` as libpq reads it, or `https://HOST[:PORT]` of the team's hub."""
    repo: str = ""
    """A name for this repository instead of its origin's."""
    rework_max: int = REWORK_MAX
    """Rework rounds before a person takes over."""
    window_days: int = WINDOW_DAYS
    """How long what landed is remembered; what a change takes back of older work is not found."""
    keep_days: int = 0
    """How long the store keeps what nothing needs any more; 0 for ever."""
    generated: tuple[str, ...] = ()
    """Patterns of files that machines write, whose lines are nobody's intent."""
    deploy_tags: tuple[str, ...] = ()
    """`PATTERN=ENVIRONMENT` of tags that stand for deploys."""
    guard: str = "open"
    """What a hook answers where it cannot judge: `open` lets the step go on with a word, `closed` refuses it."""
    claim_edits: ClaimEdits = CLAIM_EDITS[0]
    """What becomes of a free file that is edited: held, held once its agent was told to claim it, or left alone."""
    push: Literal["on", "off"] = "on"
    """Whether an idle session is told by its client's own channel."""
    webhook: str = field(default="", repr=False)
    """Where people are told what waits for them. Who knows it may write there, so that it is shown to nobody."""
    webhook_secret: str = field(default="", repr=False)
    """`whsec_…`, with which messages are signed, or `file:PATH` of a file that holds it."""
    webhook_format: str = ""
    """generic, slack or teams; "" is told from the webhook's address."""
    jwt_issuer: str = ""
    """The identity provider whose tokens a hub takes, as their `iss` names it; "" for none."""
    jwt_audience: str = ""
    """For whom those are made: their `aud` at this hub."""
    jwt_jwks: str = ""
    """Where that provider publishes its keys, https://…"""
    jwt_algorithms: tuple[str, ...] = JWT_ALGORITHMS
    """By which of these they may be signed."""
    jwt_repos: tuple[str, ...] = ()
    """Patterns of repos that such a token opens, where no claim says it and no admin has."""
    jwt_repos_claim: str = ""
    """The claim that says which repos a token opens; "" for none."""
    otlp_endpoint: str = ""
    """Where servers export traces and metrics to, `http://127.0.0.1:4318` say; "" for nowhere."""
    otlp_headers: str = field(default="", repr=False)
    """What goes with it, `name=value,…`: a collector's key, which is shown to nobody."""
    origins: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    """Settings that were found where they do not count, each with the reason."""

    @property
    def rules_home(self) -> str:
        """The folder with the organisation's `policies`: the home, or where a copy of a hub's is kept."""
        return rules_home(self.home, self.store)


def load_settings(
    flags: Mapping[str, str | None],
    *,
    environment: Mapping[str, str] | None = None,
    in_repo: str = "",
    at: str = "the trunk",
) -> Settings:
    """Read the settings.

    `flags` are those given on the command line, None or "" where not given; `in_repo` is the text of
    `.loomstack/config.yaml` as it is `at` the trunk, or another place that is named. Raises Invalid for a
    file that cannot be read or a value of the wrong kind, naming both.
    """
    environment = os.environ if environment is None else environment
    home = _home(flags.get("home") or home_named(environment))
    if problems := repo_file_problems(in_repo):
        raise Invalid(f"{'; '.join(problems)}; so it is on {at}, whatever is checked out: a person lands the mend")
    repos = _read(in_repo, REPO_FILE)
    own = Path(home) / USER_FILE
    users = _file(own)
    # A file in the repository is anybody's who can push: it may name the repo, never choose where data goes.
    ignored = [
        f"{name} in {REPO_FILE}: set it by flag, environment or {own}" for name in sorted(set(repos) & _NOT_IN_REPO)
    ]
    if users.pop("home", home) != home:
        ignored.append(f"home in {own}: that file is found by it; set it by flag or environment")
    layers = _layers(flags, environment, repos, (str(own), users), home)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in _NAMES:
        origins[name], values[name] = next((origin, layer[name]) for origin, layer in layers if name in layer)
        values[name] = setting_value(name, values[name], origins[name])
    return Settings(**values, origins=origins, ignored=tuple(ignored))


def repo_file_problems(text: str, /) -> tuple[str, ...]:
    """What is wrong with the text of a `.loomstack/config.yaml`, `file:line: key: what`; empty where it loads."""
    try:
        found = _read(text, REPO_FILE)
    except Invalid as error:
        return (str(error),)
    problems = []
    for name in (name for name in found if name not in _NOT_IN_REPO):
        value = found[name]
        try:
            if setting_value(name, value, REPO_FILE) and name == "repo":
                named_identity(value)
        except Invalid as error:
            problems.append(f"{REPO_FILE}:{_line(text, name)}: {name}: {error}")
    return tuple(problems)


def postgres_url(settings: Settings) -> str:
    """The `store` setting where it names a PostgreSQL database; "" where it does not."""
    return settings.store if settings.store.startswith(_POSTGRES) else ""


def hub_of(settings: Settings, /) -> str:
    """The origin of the hub that the `store` setting names; "" for a file.

    Raises StoreUnavailable for a URL that is no hub's.
    """
    scheme = settings.store.partition("://")[0].lower()
    origin = hub_origin(settings.store)
    if scheme in ("http", "https") and not origin:
        shown = without_password(settings.store)[:200]
        raise StoreUnavailable(f"store {shown} is no hub's: write https://HOST[:PORT], http:// only on this machine")
    return origin


def has_store(settings: Settings, /) -> bool:
    """Whether the store is there: a hub and a database count as there, for what they hold is asked, not guessed.

    Raises StoreUnavailable as `sqlite_path`.
    """
    # A folder that may not be entered does not raise.
    return bool(hub_of(settings) or postgres_url(settings)) or os.path.exists(sqlite_path(settings))  # noqa: PTH110


def store_shown(settings: Settings, /) -> str:
    """Where the store is, for people: a file's path, a hub, or a database's URL without user, password and parameters.

    Raises StoreUnavailable as `sqlite_path`.
    """
    if hub := hub_of(settings):
        return hub
    if not (url := postgres_url(settings)):
        return str(sqlite_path(settings))
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def sqlite_path(settings: Settings) -> Path:
    """The file behind the `store` setting. Raises StoreUnavailable for anything but SQLite."""
    store = settings.store
    if store.startswith(SQLITE) and len(store) > len(SQLITE):
        return _absolute(store.removeprefix(SQLITE))
    if "://" not in store and store:
        return _absolute(store)
    scheme = store.split("://", maxsplit=1)[0] or "nothing"
    if hub := hub_of(settings):
        raise StoreUnavailable(
            f"this is asked of a store's own file, and the store here is the hub {hub}; run it there"
        )
    raise StoreUnavailable(f"store {scheme} is not spoken by this version; use sqlite:///PATH or postgresql://…")


def _absolute(path: str) -> Path:
    try:
        found = Path(path).expanduser()
    except RuntimeError:
        raise StoreUnavailable(f"store {path} lies in the home of nobody known here; write the whole path") from None
    # Made in whatever folder each session starts in, it would be another store for each, and a file in the worktree.
    if not found.is_absolute() and not os.path.lexists(found):
        raise StoreUnavailable(
            f"store {path}: there is no {found.absolute()}; to make a new store, write its whole path: "
            f"{SQLITE}{found.absolute()}"
        )
    return found.absolute()


def _layers(
    flags: Mapping[str, str | None],
    environment: Mapping[str, str],
    repos: Mapping[str, Any],
    users: tuple[str, Mapping[str, Any]],
    home: str,
) -> list[tuple[str, Mapping[str, Any]]]:
    """What each place says, by its name, the one that goes first at the front."""
    from_environment = {name: environment.get(f"LOOMSTACK_{name.upper()}") for name in _NAMES}
    return [
        ("flag", {name: value for name, value in flags.items() if value}),
        ("environment", {name: value for name, value in from_environment.items() if value}),
        (REPO_FILE, {name: value for name, value in repos.items() if name not in _NOT_IN_REPO}),
        users,
        ("default", {"home": home, "store": _store_in(home), "repo": "", **_DEFAULTS}),
    ]


def _store_in(home: str) -> str:
    return f"{SQLITE}{Path(home).absolute() / 'loom.db'}"


def _home(path: str) -> str:
    """The folder. Raises Invalid for a relative one that is not there: each session would make one of its own."""
    if Path(path).is_absolute() or os.path.lexists(path):
        return path
    raise Invalid(f"home {path}: there is no {Path(path).absolute()}; to make a new one, write its whole path")


def _file(path: Path) -> dict[str, Any]:
    try:
        source = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {path}: {type(error).__name__}; mend or move the file") from None
    return _read(source, str(path))


def _read(source: str, name: str) -> dict[str, Any]:
    plain = plain_settings(source)
    if plain is not None and plain.keys() <= {*_NAMES}:
        return plain
    import yaml  # 25 ms, and most installations have no such file, or a plain one

    try:
        found: Any = yaml.safe_load(source)
    # A date like 2020-99-99 and `!!int x` are scalars to YAML, and errors of Python's to its library.
    except (yaml.YAMLError, RecursionError, ValueError, KeyError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise Invalid(f"{name}{line} is not valid YAML; mend the file") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Invalid(f"{name} must hold settings as `name: value` lines")
    unknown = sorted(str(key) for key in found if key not in _NAMES)
    if unknown:
        at = _line(source, unknown[0])
        raise Invalid(f"{name}:{at} has the unknown setting {unknown[0]}; known are {', '.join(_NAMES)}")
    return found


def _line(source: str, key: str) -> int:
    """The line, from 1, on which a text that loads names a setting."""
    import yaml  # 25 ms, and most installations have no such file

    node = yaml.compose(source, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    return next((name.start_mark.line + 1 for name, _ in node.value if name.value == key), 1)
