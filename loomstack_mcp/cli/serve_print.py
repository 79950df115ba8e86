"""`serve --print`: ready files for what runs a hub, from the flags and settings that were given."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import WAIT_SECONDS_MAX

FILES = {"systemd": "systemd.service", "compose": "compose.yml", "nginx": "nginx.conf"}
"""Each kind with its file of `hub_files/`."""
_FOLDER = Path(__file__).with_name("hub_files")
_HOME = "/var/lib/loomstack"
_EXAMPLE = "https://loom.example.com"
_PRIVILEGED_MAX = 1023
_PATHS = ("tls_cert", "tls_key")
_ANY = ("0.0.0.0", "::")  # noqa: S104 not bound to here


def hub_file(kind: str, *, flags: Mapping[str, object], home: str) -> str:
    """The text of a file. `flags` are those of `serve --http`; `home` is where it was said by flag or environment."""
    if kind == "systemd" and (problem := _unstartable(flags)):
        raise Invalid(problem)
    flags = {name: _absolute(value) if name in _PATHS else value for name, value in flags.items()}
    url = str(flags["public_url"] or _EXAMPLE)
    port = int(str(flags["port"]))
    name = urlsplit(url).hostname or ""
    if not name or urlsplit(url).scheme != "https":
        raise Invalid(f"--public-url {url} is no https:// address; say the one by which people reach the hub")
    words = {
        "COMMAND": shlex.quote(str(Path(sys.executable).with_name("loomstack-mcp"))),
        "FLAGS": _flags(flags),
        "HOME": shlex.quote(home or _HOME),  # a shell, systemd and nginx read single quotes alike
        "CAPABILITIES": "CAP_NET_BIND_SERVICE" if 0 < port <= _PRIVILEGED_MAX else "",
        "URL": url,
        "NAME": name,
        "PUBLIC_PORT": str(urlsplit(url).port or 443),
        "HOST": _bracketed(str(flags["host"])),
        "PORT": str(port),
        "CERT": shlex.quote(str(flags["tls_cert"] or "/etc/nginx/tls/cert.pem")),
        "KEY": shlex.quote(str(flags["tls_key"] or "/etc/nginx/tls/key.pem")),
        "WAIT_S": str(WAIT_SECONDS_MAX),
    }
    return _filled((_FOLDER / FILES[kind]).read_text(encoding="utf-8"), words)


def _filled(text: str, words: Mapping[str, str]) -> str:
    """The text with each `@WORD@` replaced. Raises Invalid."""
    for word, value in words.items():
        if any(character in value for character in "\n\r\0"):
            raise Invalid(f"{word.lower()} has a line end; a file cannot say that")
        text = text.replace(f"@{word}@", value)
    return text


def _absolute(path: object) -> object:
    """Neither systemd nor nginx begins in the folder that somebody printed this in."""
    return path and Path(str(path)).absolute()


def _unstartable(flags: Mapping[str, object]) -> str:
    """What `serve` would say to these flags at every start of the machine; "" for nothing."""
    if bool(flags["tls_cert"]) != bool(flags["tls_key"]):
        return "--tls-cert and --tls-key belong together: name both files"
    if not flags["public_url"] and (flags["behind_proxy"] or flags["host"] in _ANY):
        return "add --public-url https://NAME, by which people reach it: the unit would not start without"
    return ""


def _flags(flags: Mapping[str, object]) -> str:
    """As one types them, without those that say nothing."""
    given = ((f"--{name.replace('_', '-')}", str(value)) for name, value in flags.items() if value not in ("", None))
    return " ".join(shlex.quote(word) for pair in given for word in pair)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
