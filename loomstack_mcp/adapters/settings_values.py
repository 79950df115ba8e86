"""The value of a setting as it stands somewhere, as the setting has it."""

import re
from typing import Any

from loomstack_mcp.core.claim_edits import CLAIM_EDITS
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import ENVIRONMENT_CHARS_MAX
from loomstack_mcp.core.patterns.globs import pattern
from loomstack_mcp.core.repos import without_password

JWT_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""By which tokens of an identity provider may be signed: none with a shared secret, and never none."""
JWT_LISTS: dict[str, tuple[str, ...]] = {"jwt_algorithms": JWT_ALGORITHMS, "jwt_repos": ()}
CHOICES = {"claim_edits": CLAIM_EDITS, "guard": ("open", "closed"), "push": ("on", "off")}
"""Settings of which each is one of a few words, the first by default."""
_COLLECTOR = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")
_NUMBERS = {"rework_max": (1, 100), "window_days": (1, 400), "keep_days": (0, 36_500)}
"""Settings that are numbers, each with the least and the most."""


def setting_value(name: str, value: object, origin: str) -> Any:
    """The value as the setting has it. Raises Invalid for one of the wrong kind."""
    if name in _NUMBERS:
        return _whole_number(name, value, origin)
    if name in CHOICES:
        return _chosen(name, value, origin)
    if name == "generated":
        return _patterns(name, value, origin)
    if name == "deploy_tags":
        return _deploy_tags(name, value, origin)
    if name in JWT_LISTS:
        return _jwt_list(name, value, origin)
    text = _text(name, value, origin)
    if name == "otlp_endpoint" and text and not _COLLECTOR.fullmatch(text):
        raise Invalid(f"{name} from {origin} must be http(s)://HOST[:PORT][/PATH] of a collector, without a key in it")
    return without_password(text) if name == "repo" else text


def _text(name: str, value: object, origin: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} from {origin} must be a text; put it into quotes, or leave the line out")
    return value


def _whole_number(name: str, value: object, origin: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    least, most = _NUMBERS[name]
    if not least <= number <= most:
        raise Invalid(f"{name} from {origin} must be a whole number from {least} to {most}")
    return number


def _chosen(name: str, value: object, origin: str) -> str:
    if isinstance(value, bool):  # `on` and `off`, as YAML 1.1 reads them without quotes
        value = "on" if value else "off"
    text = _text(name, value, origin)
    if text not in CHOICES[name]:
        raise Invalid(f"{name} from {origin} must be one of {', '.join(CHOICES[name])}")
    return text


def _jwt_list(name: str, value: object, origin: str) -> tuple[str, ...]:
    """A YAML list, or words with commas between them."""
    found = _words(name, value, origin)
    if name == "jwt_algorithms" and not (found and set(found) <= {*JWT_ALGORITHMS}):
        raise Invalid(f"{name} from {origin} must be some of {', '.join(JWT_ALGORITHMS)}")
    return found


def _patterns(name: str, value: object, origin: str) -> tuple[str, ...]:
    """A YAML list, or words with commas between them."""
    found = _words(name, value, origin)
    try:
        for text in found:
            pattern(text)
    except Invalid as error:
        raise Invalid(f"{name} from {origin}: {error}") from None
    return found


def _deploy_tags(name: str, value: object, origin: str) -> tuple[str, ...]:
    """A YAML mapping from patterns to environments, or `PATTERN=ENVIRONMENT` as a list, or with commas between them."""
    if isinstance(value, dict):
        value = [f"{pattern}={place}" for pattern, place in value.items()]
    found = _words(name, value, origin)
    for one in found:
        tag, _, place = one.rpartition("=")
        if not tag.strip() or not place.strip() or len(place) > ENVIRONMENT_CHARS_MAX:
            raise Invalid(f'{name} from {origin} must hold PATTERN=ENVIRONMENT, like "v*=production", not {one[:40]!r}')
    return found


def _words(name: str, value: object, origin: str) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(text, str) for text in listed):
        raise Invalid(f"{name} from {origin} must be a list of patterns")
    return tuple(text.strip() for text in listed if text.strip())
