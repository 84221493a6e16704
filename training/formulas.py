"""New handwritten formulas: LaTeX laid out with single symbols that CROHME's writers drew.

A box has its baseline at y = 0, y downwards, and digits are 1 high. The layout follows TeX's (Knuth 1984, appendix G)
as loosely as people do: every distance, size and place has its own spread.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hwr_core.ink import Strokes

AXIS = -0.45  # where fraction bars, minus signs and operators lie
# Where a symbol stands: its bottom (or, for those round the axis, its middle) and how far that spreads.
DESCENDING = set("gjpqy") | {r"\beta", r"\gamma", r"\mu", r"\phi", r"\rho", r"\eta", r"\chi", r"\xi", r"\zeta", r"\psi"}
ON_AXIS = set("+-=<>|/()[]") | {
    r"\times", r"\div", r"\pm", r"\cdot", r"\leq", r"\geq", r"\neq", r"\rightarrow", r"\infty", r"\{", r"\}", r"\sum", r"\int", r"\in",
    r"\cdots", "*",
}  # fmt: skip
LOW = {",", ".", r"\ldots"}
RAISED = {r"\prime", "'"}
WIDE_APART = set("+-=<>") | {r"\times", r"\div", r"\pm", r"\leq", r"\geq", r"\neq", r"\rightarrow", r"\in"}
NAMED = {r"\sin", r"\cos", r"\tan", r"\log", r"\lim"}
BIG = {r"\sum": 1.9, r"\int": 2.3, r"\prod": 1.9}
LARGEST = {"-": 1.0, **{fence: 1.7 for fence in ("(", ")", "[", "]", "|", r"\{", r"\}")}}
FENCES = {"(", ")", "[", "]", "|", r"\{", r"\}"}


@dataclass(frozen=True)
class Box:
    """Strokes from x = 0 to `width`, from `top` (negative) to `bottom`."""

    strokes: Strokes
    width: float
    top: float
    bottom: float

    def moved(self, x: float, y: float) -> Strokes:
        return [stroke + (x, y) for stroke in self.strokes]

    def scaled(self, factor: float) -> "Box":
        return Box([stroke * factor for stroke in self.strokes], self.width * factor, self.top * factor, self.bottom * factor)


EMPTY = Box([], 0.0, -0.7, 0.0)


def box_of(strokes: Strokes) -> Box:
    """A box round strokes that lie at their place already, moved to x = 0."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    return Box([stroke - (low[0], 0) for stroke in strokes], float(high[0] - low[0]), float(low[1]), float(high[1]))


class FormulaWriter:
    """Lays out canonical tokens. `symbols` are `training.data.crohme_symbols`: token → drawings, digits 1 high, centred at y = 0."""

    def __init__(self, symbols: dict[str, list[Strokes]]):
        self.symbols = symbols

    def can_write(self, tokens: list[str]) -> bool:
        drawn = {token for token in tokens if token not in ("{", "}", "^", "_", r"\limits", r"\cdots", r"\sqrt", r"\frac")}
        return drawn <= self.symbols.keys()

    def write(self, tokens: list[str], rng: random.Random) -> Strokes:
        """The strokes of well-formed canonical tokens, in the order of the tokens; KeyError for one without a drawing."""
        hand = _Hand(self.symbols, rng)
        return hand.row(iter(_tree(iter(tokens)))).strokes


def _tree(tokens: Iterator[str], end: str | None = None) -> list:
    """Nested lists: a token, or [token, argument, …] where it takes some; scripts follow as ["^" or "_", argument]."""
    nodes: list = []
    for token in tokens:
        if token == end:
            break
        if token == r"\frac":
            nodes.append([token, _argument(tokens), _argument(tokens)])
        elif token == r"\sqrt":
            first = next(tokens)
            degree = _tree(tokens, "]") if first == "[" else None
            if degree is not None:
                next(tokens)
            nodes.append([token, _tree(tokens, "}"), degree])
        elif token in ("^", "_"):
            nodes.append([token, _argument(tokens)])
        elif token == "{":
            nodes.extend(_tree(tokens, "}"))
        else:
            nodes.append(token)
    return nodes


def _argument(tokens: Iterator[str]) -> list:
    next(tokens)  # the brace
    return _tree(tokens, "}")


class _Hand:
    """One formula's own ways: how far apart, how large the scripts, which drawing of each symbol."""

    def __init__(self, symbols: dict[str, list[Strokes]], rng: random.Random):
        self.symbols, self.rng = symbols, rng
        self.gap = rng.uniform(0.08, 0.32)
        self.script = rng.uniform(0.5, 0.8)
        self.unsteady = rng.uniform(0.01, 0.06)
        self.faithful = rng.random()  # how often the same symbol is the same drawing
        self.own: dict[str, Strokes] = {}

    def spread(self, value: float, share: float = 0.2) -> float:
        return value * max(0.3, self.rng.gauss(1, share))

    def drawing(self, token: str) -> Strokes:
        if token not in self.own or self.rng.random() > self.faithful:
            self.own[token] = self.rng.choice(self.symbols[token])
        return self.own[token]

    def symbol(self, token: str) -> Box:
        if token == r"\cdots":
            raised = self.symbol(r"\ldots")
            return Box([stroke + (0, AXIS) for stroke in raised.strokes], raised.width, raised.top + AXIS, raised.bottom + AXIS)
        strokes = self.drawing(token)
        points = np.concatenate(strokes)
        height = float(np.ptp(points[:, 1]))
        factor = self.rng.gauss(1, 0.07)
        size = float(np.ptp(points, 0).max())
        if size > LARGEST.get(token, 2.0):  # a fraction's bar, a bracket round one: its drawing served elsewhere
            factor *= self.rng.uniform(0.5, 1.0) * LARGEST.get(token, 2.0) / size
        if token in BIG and height > 0:
            factor *= self.spread(BIG[token]) / height
        turn = self.rng.gauss(0, 0.03)
        matrix = factor * np.array([[1, turn], [-turn, 1]])
        strokes = [stroke @ matrix for stroke in strokes]
        points = np.concatenate(strokes)
        top, bottom = float(points[:, 1].min()), float(points[:, 1].max())
        if token in ON_AXIS:
            shift = AXIS - (top + bottom) / 2
        elif token in RAISED:
            shift = self.rng.uniform(-1.2, -0.8) - top
        elif token in LOW:
            shift = 0.12 - bottom if token == "," else -bottom
        elif token in DESCENDING:
            shift = 0.35 * (bottom - top) - bottom
        else:
            shift = -bottom
        shift += self.rng.gauss(0, self.unsteady)
        return box_of([stroke + (0, shift) for stroke in strokes])

    def stretched(self, token: str, width: float | None = None, height: float | None = None) -> Strokes:
        """A drawing brought to a width or a height, its corner at the origin."""
        strokes = self.drawing(token)
        points = np.concatenate(strokes)
        size = np.maximum(np.ptp(points, 0), 0.02)
        scale = np.array([width / size[0] if width else 1.0, height / size[1] if height else 1.0])
        return [(stroke - points.min(0)) * scale for stroke in strokes]

    def row(self, nodes: Iterator) -> Box:
        """Things side by side, each with its scripts."""
        nodes, strokes, x, top, bottom, index = list(nodes), [], 0.0, -0.7, 0.0, 0
        while index < len(nodes):
            node = nodes[index]
            index += 1
            limits = index < len(nodes) and nodes[index] == r"\limits"
            index += limits
            scripts = {}
            while index < len(nodes) and isinstance(nodes[index], list) and nodes[index][0] in ("^", "_"):
                scripts[nodes[index][0]] = nodes[index][1]
                index += 1
            if isinstance(node, list) and node[0] in ("^", "_"):  # a script of nothing
                scripts[node[0]], box = node[1], EMPTY
            else:
                box = self.thing(node, nodes)
            if scripts:
                below = limits or node == r"\lim" or (node == r"\sum" and self.rng.random() < 0.85)
                box = self.with_limits(box, scripts) if below else self.with_scripts(box, scripts, node)
            apart = isinstance(node, str) and (node in WIDE_APART or node in NAMED)
            around = self.spread(self.gap, 0.35) * (2.2 if apart else 1)
            x += around if strokes else 0
            strokes += box.moved(x, 0)
            x += box.width + (around - self.gap if apart else 0)
            top, bottom = min(top, box.top), max(bottom, box.bottom)
        return Box(strokes, x, top, bottom)

    def thing(self, node: str | list, nodes: list) -> Box:
        if isinstance(node, str):
            if node in FENCES:
                return self.fence(node, nodes)
            return self.symbol(node)
        if node[0] == r"\frac":
            return self.fraction(self.row(iter(node[1])), self.row(iter(node[2])))
        return self.root(self.row(iter(node[1])), self.row(iter(node[2])) if node[2] else None)

    def fence(self, token: str, nodes: list) -> Box:
        """As high as the tallest thing of the row: fractions, roots and sums want it."""
        tall = sum(isinstance(node, list) and node[0] == r"\frac" for node in nodes)
        if not tall or self.rng.random() < 0.2:
            return self.symbol(token)
        height = self.spread(2.3, 0.12)
        strokes = self.stretched(token, height=height)
        return box_of([stroke + (0, AXIS - height / 2) for stroke in strokes])

    def fraction(self, above: Box, below: Box) -> Box:
        width = max(above.width, below.width) + self.spread(0.4, 0.4)
        gap = self.spread(0.22, 0.4), self.spread(0.22, 0.4)
        bar = [stroke + (0, AXIS) for stroke in self.stretched("-", width=width)]
        thick = float(np.ptp(np.concatenate(bar)[:, 1]))
        shifts = AXIS - gap[0] - above.bottom, AXIS + thick + gap[1] - below.top
        left = [(width - box.width) / 2 + self.rng.gauss(0, 0.08) for box in (above, below)]
        strokes = above.moved(left[0], shifts[0]) + bar + below.moved(left[1], shifts[1])
        return Box(strokes, width, above.top + shifts[0], below.bottom + shifts[1])

    def root(self, inside: Box, degree: Box | None) -> Box:
        air = self.spread(0.18, 0.4)
        height, hook = inside.bottom - inside.top + 2 * air, self.rng.uniform(0.45, 0.75)
        sign = self.stretched(r"\sqrt", width=hook + inside.width + self.spread(0.25, 0.4), height=height)
        top = inside.top - air
        strokes = [stroke + (0, top) for stroke in sign] + inside.moved(hook + 0.05, 0)
        width = float(np.concatenate(strokes)[:, 0].max())
        if degree is None:
            return Box(strokes, width, top, inside.bottom + air)
        small = degree.scaled(0.5)
        x = max(0.0, small.width - hook * 0.6)
        strokes = small.moved(0, top + height * 0.45) + [stroke + (x, 0) for stroke in strokes]
        return Box(strokes, width + x, min(top, top + height * 0.45 + small.top), inside.bottom + air)

    def with_scripts(self, box: Box, scripts: dict[str, list], node: str | list) -> Box:
        strokes, width, top, bottom = list(box.strokes), box.width, box.top, box.bottom
        for kind, content in scripts.items():
            small = self.row(iter(content)).scaled(self.spread(self.script, 0.1))
            x = box.width + self.spread(self.gap * 0.6, 0.4)
            if kind == "^":
                y = min(box.top + self.spread(0.3, 0.3), -0.55) - max(0.0, small.bottom)
            else:
                y = max(box.bottom - 0.2, 0.0) + self.spread(0.35, 0.25) + (0.15 if small.top > -0.4 else 0)
            if r"\prime" in content and len(content) == 1:
                y = box.top + 0.5
            strokes += small.moved(x, y)
            width, top, bottom = max(width, x + small.width), min(top, y + small.top), max(bottom, y + small.bottom)
        return Box(strokes, width, top, bottom)

    def with_limits(self, box: Box, scripts: dict[str, list]) -> Box:
        smalls = {kind: self.row(iter(content)).scaled(self.spread(self.script * 0.9, 0.1)) for kind, content in scripts.items()}
        width = max(box.width, *(small.width for small in smalls.values()))
        strokes, top, bottom = box.moved((width - box.width) / 2, 0), box.top, box.bottom
        for kind, small in smalls.items():
            gap = self.spread(0.15, 0.5)
            y = box.top - gap - small.bottom if kind == "^" else box.bottom + gap - small.top
            strokes += small.moved((width - small.width) / 2, y)
            top, bottom = min(top, y + small.top), max(bottom, y + small.bottom)
        return Box(strokes, width, top, bottom)
