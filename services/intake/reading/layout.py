"""Words with their places into lines in the order a person reads them: columns one after the other, rows of
a table whole, wrapped lines joined. Pure geometry, in points, from the bottom left of a page."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_GUTTER = 10.0
"""The least width of the white that parts two columns."""
_COLUMN_ROWS = 3
_CELL = "\t"
_PROSE = 45
"""Characters of a line from which it may be part of a paragraph."""
_BULLETS = "•▪●◦‣■□➢➤►▶→✓✔❖◆◇○–—-*·\uf0b7\uf0a7"
_BULLET = re.compile(rf"^[{re.escape(_BULLETS)}](?:\s|$)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\b(?:present|aujourd|today|depuis|since)", re.IGNORECASE)
_GOES_ON = re.compile(
    r"(?:[,(/&+]|\b(?:et|and|ou|or|de|des|du|la|le|les|en|with|avec|in|of|the|to|for|pour))$"
)
_HYPHENATED = re.compile(r"[^\W\d_][-\u00ad]$")


@dataclass(frozen=True)
class Word:
    text: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def size(self) -> float:
        return self.y1 - self.y0


class Row:
    """Words on one baseline, from left to right."""

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.x0 = words[0].x0
        self.x1 = max(word.x1 for word in words)
        self.y0 = words[0].y0
        self.size = max(word.size for word in words)

    def text(self) -> str:
        parts = [self.words[0].text]
        for before, word in pairwise(self.words):
            gap = word.x0 - before.x1
            parts.append(_CELL if gap > 2.5 * word.size else " " if gap > 0.1 * word.size else "")
            parts.append(word.text)
        return "".join(parts)

    def within(self, x0: float, x1: float) -> "Row | None":
        words = [word for word in self.words if x0 <= (word.x0 + word.x1) / 2 < x1]
        return Row(words) if words else None


def in_reading_order(words: Sequence[Word]) -> list[str]:
    """The lines of a page."""
    return [line for block in _blocks(_rows(words)) for line in _joined(block)]


def without_repeats(pages: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each page's text; what heads or ends most pages (a name, "page 2 of 3") stands only once."""
    edges = [{_same(line) for line in (*page[:2], *page[-2:])} for page in pages]
    counts = Counter(line for page in edges for line in page if line)
    repeated = {line for line, count in counts.items() if count >= max(2, 0.6 * len(pages))}
    seen: set[str] = set()
    for page in pages:
        kept = []
        for number, line in enumerate(page):
            same = _same(line)
            if same in repeated and (number < 2 or number >= len(page) - 2):
                if same in seen:
                    continue
                seen.add(same)
            kept.append(line)
        yield "\n".join(kept)


def _same(line: str) -> str:
    return re.sub(r"\d+", "#", line).strip().casefold()


def _rows(words: Sequence[Word]) -> list[Row]:
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda one: (-one.y0, one.x0)):
        row = rows[-1] if rows else None
        if row and abs(row[0].y0 - word.y0) <= 0.35 * min(row[0].size, word.size):
            row.append(word)
        else:
            rows.append([word])
    return [Row(sorted(row, key=lambda one: one.x0)) for row in rows]


def _blocks(rows: list[Row]) -> Iterator[list[Row]]:
    """Runs of rows that read from top to bottom."""
    run: list[Row] = []
    for segment, gutter in _segments(rows):
        if gutter is None:
            run += segment
            continue
        if run:
            yield run
            run = []
        middle = (gutter[0] + gutter[1]) / 2
        yield from _blocks([part for row in segment if (part := row.within(float("-inf"), middle))])
        yield from _blocks([part for row in segment if (part := row.within(middle, float("inf")))])
    if run:
        yield run


def _segments(rows: list[Row]) -> Iterator[tuple[list[Row], tuple[float, float] | None]]:
    """Runs of rows with the gutter that parts them into columns, None where they read across."""
    start = 0
    while start < len(rows):
        gutter, end = _columns_from(rows, start)
        if gutter is None:
            yield [rows[start]], None
            start += 1
        else:
            yield rows[start:end], gutter
            start = end


def _columns_from(rows: list[Row], start: int) -> tuple[tuple[float, float] | None, int]:
    """The longest run from `start` that one gutter parts into two columns of text, and its end."""
    found: tuple[float, float] | None = None
    found_end = start + 1
    free = [(float("-inf"), float("inf"))]
    for end in range(start, len(rows)):
        free = _common(free, _free(rows[end]))
        inner = [gap for gap in free if gap[1] - gap[0] >= _GUTTER]
        if not inner:
            break
        best = _best_gutter(rows[start : end + 1], inner)
        if best is not None:
            found, found_end = best, end + 1
    if found is not None and _reads_across(rows[start:found_end], found):
        return None, found_end
    return found, found_end


def _best_gutter(rows: list[Row], gaps: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The leftmost gap with enough rows on both sides."""
    for gap in sorted(gaps):
        left = sum(1 for row in rows if row.x0 < gap[0])
        right = sum(1 for row in rows if row.x1 > gap[1])
        if left >= _COLUMN_ROWS and right >= _COLUMN_ROWS:
            return gap
    return None


def _reads_across(rows: list[Row], gutter: tuple[float, float]) -> bool:
    """Whether the columns are those of a table: dates or labels beside what they date or name."""
    middle = (gutter[0] + gutter[1]) / 2
    halves = [(row.within(float("-inf"), middle), row.within(middle, float("inf"))) for row in rows]
    # What stands above or below the table, at its left edge, is no part of it.
    while halves and halves[0][1] is None:
        halves.pop(0)
    while halves and halves[-1][1] is None:
        halves.pop()
    left = [half for half, _ in halves if half]
    right = [half for _, half in halves if half]
    both = sum(1 for one, other in halves if one and other)
    for side, other in ((left, right), (right, left)):
        if both < 0.8 * len(side):
            continue
        dated = sum(1 for row in side if _YEAR.search(row.text()))
        if dated >= 0.5 * len(side):
            return True
        sparse = len(side) * 1.6 <= len(other) and _leading(side) >= 1.6 * _leading(other)
        paired = both >= 0.9 * max(len(left), len(right)) and max(len(row.text()) for row in other) <= _PROSE
        short = median(len(row.text()) for row in side) <= 18
        if short and (sparse or paired):
            return True
    return False


def _leading(rows: Sequence[Row]) -> float:
    return median(before.y0 - row.y0 for before, row in pairwise(rows)) if len(rows) > 1 else 0.0


def _free(row: Row) -> list[tuple[float, float]]:
    """Where a row has nothing, from left to right."""
    gaps = []
    last = float("-inf")
    for word in row.words:
        gaps.append((last, word.x0))
        last = max(last, word.x1)
    return [*gaps, (last, float("inf"))]


def _common(
    some: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others]
    return [gap for gap in both if gap[1] - gap[0] >= _GUTTER]


def _joined(rows: list[Row]) -> Iterator[str]:
    """A block's lines: what was hyphenated or wrapped at the right edge is one line again."""
    edge = max(row.x1 for row in rows)
    full = sum(1 for row in rows if row.x1 > edge - 4 * row.size) >= 0.4 * len(rows)
    line = rows[0].text()
    for before, row in pairwise(rows):
        text = row.text()
        if _blank_between(before, row):
            yield line
            yield ""
            line = text
        elif _HYPHENATED.search(line) and text[:1].islower():
            line = line[:-1] + text
        elif _wrapped(before, row, edge, full=full):
            line = f"{line} {text}"
        else:
            yield line
            line = text
    yield line


def _blank_between(before: Row, row: Row) -> bool:
    return before.y0 - row.y0 > 2.2 * max(before.size, row.size)


def _wrapped(before: Row, row: Row, edge: float, *, full: bool) -> bool:
    """Whether the next row goes on with what this one began: its first word did not fit any more."""
    first = row.words[0]
    room = edge - before.x1 - 0.3 * before.size
    if first.x1 - first.x0 <= room or abs(before.size - row.size) > 0.15 * row.size:
        return False
    if before.y0 - row.y0 > 1.9 * before.size or _BULLET.match(row.text()):
        return False
    text = before.text()
    if first.text[:1].islower() or _GOES_ON.search(text):
        return True
    prose = full and len(text) >= _PROSE and text[-1:] not in ".:;!?"
    return prose and len(row.words) > 1 and not _YEAR.search(row.text())
