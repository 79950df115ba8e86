"""The files that the pages are made of, read once: each under its name, and under one that is kept for good."""

import hashlib
import re
from pathlib import Path

from loomstack_mcp.server.hub.replies import Refusal
from loomstack_mcp.server.ui.replies import PRIVATE, PageContent, PageReply, content_of

_FOLDER = Path(__file__).with_name("static")
_INDEX = "index.html"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_NAMED = re.compile(r"/static/(?:v-([0-9a-f]{12})/)?([A-Za-z0-9_./-]{1,200})")
_SPARED = re.compile(rb"^[ \t]*(?://.*\n)?", re.MULTILINE)
"""Of scripts and styles: what begins a line for those alone who write them. No text of theirs spans lines."""
_LEVEL = 9
_FOR_GOOD = b"public, max-age=31536000, immutable"


class PageFiles:
    """Files by name. What a browser asks for is looked up here, and never on disk."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        texts = {
            str(path.relative_to(folder)): _sent(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in _KINDS and path.is_file()
        }
        self.version = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:12]
        """Of all of them together."""
        if _INDEX in texts:
            texts[_INDEX] = texts[_INDEX].replace(b'"/static/', f'"/static/v-{self.version}/'.encode())
        self._files = {name: self._content(name, text) for name, text in texts.items()}

    def shell(self) -> PageReply:
        """The page that all paths begin with."""
        return PageReply(content=self._found(_INDEX), kept=PRIVATE)

    def file_at(self, path: str) -> PageReply:
        """The file of `/static/NAME`, or of `/static/v-VERSION/NAME`, which another version of us may have written.

        Raises Refusal.
        """
        match = _NAMED.fullmatch(path)
        if match is None:
            raise Refusal(404, "there is no such file here", code="not_found")
        return PageReply(content=self._found(match[2]), kept=_FOR_GOOD if match[1] == self.version else PRIVATE)

    def _found(self, name: str) -> PageContent:
        if name not in self._files:
            raise Refusal(404, "there is no such file here", code="not_found")
        return self._files[name]

    def _content(self, name: str, text: bytes) -> PageContent:
        tag = hashlib.sha256(text).hexdigest()[:16]
        return content_of(_KINDS[Path(name).suffix], text, tag=tag, level=_LEVEL)


def _sent(path: Path) -> bytes:
    """A file as browsers have it: a tenth shorter where it is a script."""
    text = path.read_bytes()
    return _SPARED.sub(b"", text) if path.suffix in (".js", ".css") else text
