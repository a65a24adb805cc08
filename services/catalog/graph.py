"""The career paths as a small drawing: the role above, a branch for each path, a box for each step. Pure.

A tree that grows downwards reads alike on a phone and on a desk. Units are CSS pixels at full width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.events.role import CareerStep, Role
from shared.events.vocabulary import CareerPath, Locale

WIDTH = 380
_BOX = 44
_TWO_LINES = 62
_GAP = 10
_LABEL = 30
_TRUNK = 18
_BRANCH = 44
_STEP = WIDTH - _BRANCH - 18
_LETTER = 10.2
"""How wide a letter is, on average, in the widest of the fonts that a page may get."""


@dataclass(frozen=True)
class Box:
    """A role: where it stands, its title's lines, and its page where it is not this one."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[str, ...]
    href: str | None

    @property
    def baselines(self) -> list[tuple[int, str]]:
        """(y, line) of each line of text, centred in the box."""
        first = self.y + self.height // 2 + 5 - 10 * (len(self.lines) - 1)
        return [(first + 20 * place, line) for place, line in enumerate(self.lines)]


@dataclass(frozen=True)
class Branch:
    path: CareerPath
    label_y: int
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    """SVG path data that join the trunk and the boxes."""


@dataclass(frozen=True)
class Graph:
    root: Box
    branches: tuple[Branch, ...]
    trunk: str
    height: int
    width: int = WIDTH


def career_graph(
    role: Role, roles: Mapping[str, Role], locale: Locale, hrefs: Mapping[str, str]
) -> Graph | None:
    """The drawing of a role's career paths; None where it has none."""
    title = _lines(role.title.in_(locale), WIDTH)
    root = Box(0, 0, WIDTH, _height(title), title, None)
    branches: list[Branch] = []
    y = root.height
    for path in (CareerPath.TECHNICAL, CareerPath.MANAGEMENT):
        steps = [step for step in role.career if step.path is path and step.role in roles]
        if steps:
            branch, y = _branch(path, steps, y, roles, locale, hrefs)
            branches.append(branch)
    if not branches:
        return None
    last = branches[-1].label_y
    return Graph(root, tuple(branches), f"M{_TRUNK} {root.height}V{last - 5}", y)


def _branch(
    path: CareerPath,
    steps: Sequence[CareerStep],
    y: int,
    roles: Mapping[str, Role],
    locale: Locale,
    hrefs: Mapping[str, str],
) -> tuple[Branch, int]:
    label_y = y + _LABEL
    y = label_y + _GAP
    boxes, lines = [], []
    for step in steps:
        text = _lines(roles[step.role].title.in_(locale), _STEP)
        box = Box(_BRANCH + 18, y, _STEP, _height(text), text, hrefs[step.role])
        boxes.append(box)
        middle = box.y + box.height // 2
        lines.append(f"M{_BRANCH} {label_y + 6}V{middle}H{box.x}")
        y += box.height + _GAP
    lines.append(f"M{_TRUNK} {label_y - 5}H{_BRANCH - 12}")
    return Branch(path, label_y, tuple(boxes), tuple(lines)), y


def _height(lines: Sequence[str]) -> int:
    return _BOX if len(lines) == 1 else _TWO_LINES


def _lines(title: str, width: int) -> tuple[str, ...]:
    """On two lines where it is long, broken at the space nearest the middle."""
    if len(title) * _LETTER <= width - 32 or " " not in title:
        return (title,)
    spaces = [place for place, letter in enumerate(title) if letter == " "]
    middle = min(spaces, key=lambda place: abs(place - len(title) // 2))
    return title[:middle], title[middle + 1 :]
