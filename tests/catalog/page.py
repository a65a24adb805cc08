"""A page as a crawler reads it."""

import json
from html.parser import HTMLParser
from typing import Any

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
_BLOCKS = frozenset({"p", "li", "dd", "dt", "h1", "h2", "h3", "title", "a", "button", "label"})
_EMPTY = frozenset({"meta", "link", "input", "br"})


class Page(HTMLParser):
    """What a page links to, says of itself, and says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.styled: list[str] = []
        self.language = ""
        self.alternates: dict[str, str] = {}
        self.canonical = ""
        self.indexed = True
        self.linked_data: list[dict[str, Any]] = []
        self.blocks: list[str] = []
        """The text of each innermost paragraph, item, heading or link in the page's language."""
        self._open: list[tuple[str, bool]] = []
        self._text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        if "style" in found or tag == "style" or any(name.startswith("on") for name in found):
            self.styled.append(tag)
        if tag == "html":
            self.language = found["lang"]
        if tag == "link" and found.get("rel") == "alternate":
            self.alternates[found["hreflang"]] = found["href"]
        if tag == "link" and found.get("rel") == "canonical":
            self.canonical = found["href"]
        if tag == "meta" and found.get("name") == "robots":
            self.indexed = "noindex" not in found["content"]
        for name in ("href", "src", "action"):
            if name in found:
                self.links.add(found[name])
        if tag in _BLOCKS:
            self._end_block()
        if tag not in _EMPTY:
            foreign = found.get("lang", self.language) != self.language
            self._open.append((tag, foreign or any(other for _, other in self._open)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end_block()
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, foreign = self._open[-1] if self._open else ("", False)
        if tag == "script":
            self.linked_data.append(json.loads(data))
        elif not foreign:
            self._text += data

    def _end_block(self) -> None:
        if text := " ".join(self._text.split()):
            self.blocks.append(text)
        self._text = ""
