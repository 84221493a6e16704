"""New handwritten formulas: LaTeX laid out with single symbols that CROHME's writers drew.

A box has its baseline at y = 0, y downwards, and digits are 1 high. The layout follows TeX's (Knuth 1984, appendix G)
as loosely as people do: every distance, size and place has its own spread.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hwr_core.decoding.latex import BEGIN, END
from hwr_core.ink.strokes import Strokes
from training.data.formula_tree import ACCENTS, Placed, tree

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
# Tokens that are no symbol, or one made of others.
UNDRAWN = {"{", "}", "^", "_", "&", r"\\", BEGIN, END, r"\limits", r"\cdots", r"\frac", *ACCENTS}


Ink = list[tuple[Placed, np.ndarray]]  # strokes, each with the token that it is of; "" for none


@dataclass(frozen=True)
class Box:
    """Ink from x = 0 to `width`, from `top` (negative) to `bottom`."""

    ink: Ink
    width: float
    top: float
    bottom: float

    def moved(self, x: float, y: float) -> Ink:
        return [(token, stroke + (x, y)) for token, stroke in self.ink]

    def scaled(self, factor: float) -> "Box":
        return Box(
            [(token, stroke * factor) for token, stroke in self.ink],
            self.width * factor,
            self.top * factor,
            self.bottom * factor,
        )


EMPTY = Box([], 0.0, -0.7, 0.0)


def box_of(token: Placed, strokes: Strokes) -> Box:
    """A box round a token's strokes that lie at their height already, moved to x = 0."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    return Box(
        [(token, stroke - (low[0], 0)) for stroke in strokes], float(high[0] - low[0]), float(low[1]), float(high[1])
    )


class FormulaWriter:
    """Lays out canonical tokens. `symbols`: token → drawings, digits 1 high, their centres at the origin."""

    def __init__(self, symbols: dict[str, list[Strokes]]):
        self.symbols = symbols

    def can_write(self, tokens: list[str]) -> bool:
        return set(tokens) - UNDRAWN <= self.symbols.keys()

    def write(self, tokens: list[str], rng: random.Random) -> Ink:
        """The strokes of well-formed canonical tokens, in the order of the tokens; KeyError for one without a drawing."""
        hand = _Hand(self.symbols, rng)
        return hand.row(iter(tree(Placed(token, place) for place, token in enumerate(tokens)))).ink


class _Hand:
    """One formula's own ways: how far apart, how large the scripts, which drawing of each symbol."""

    def __init__(self, symbols: dict[str, list[Strokes]], rng: random.Random):
        self.symbols, self.rng = symbols, rng
        self.gap = rng.uniform(0.08, 0.32)
        self.script = rng.uniform(0.42, 0.7)
        self.unsteady = rng.uniform(0.01, 0.06)
        self.faithful = rng.random()  # how often the same symbol is the same drawing
        self.own: dict[str, Strokes] = {}

    def spread(self, value: float, share: float = 0.2) -> float:
        return value * max(0.3, self.rng.gauss(1, share))

    def drawing(self, token: str) -> Strokes:
        if token not in self.own or self.rng.random() > self.faithful:
            self.own[token] = self.rng.choice(self.symbols[token])
        return self.own[token]

    def symbol(self, token: Placed) -> Box:
        if token == r"\cdots":
            low = self.symbol(Placed(r"\ldots"))
            return Box(
                [(token, stroke + (0, AXIS)) for _, stroke in low.ink], low.width, low.top + AXIS, low.bottom + AXIS
            )
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
        return box_of(token, [stroke + (0, shift) for stroke in strokes])

    def stretched(self, token: str, width: float | None = None, height: float | None = None) -> Strokes:
        """A drawing brought to a width or a height, its corner at the origin."""
        strokes = self.drawing(token)
        points = np.concatenate(strokes)
        size = np.maximum(np.ptp(points, 0), 0.02)
        scale = np.array([width / size[0] if width else 1.0, height / size[1] if height else 1.0])
        return [(stroke - points.min(0)) * scale for stroke in strokes]

    def row(self, nodes: Iterable) -> Box:
        """Things side by side, each with its scripts."""
        nodes, x, top, bottom, index = list(nodes), 0.0, -0.7, 0.0, 0
        ink: list = []
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
            x += around if ink else 0
            ink += box.moved(x, 0)
            x += box.width + (around - self.gap if apart else 0)
            top, bottom = min(top, box.top), max(bottom, box.bottom)
        return Box(ink, x, top, bottom)

    def thing(self, node: Placed | list, nodes: list) -> Box:
        if isinstance(node, str):
            if node in FENCES:
                return self.fence(node, nodes)
            return self.symbol(node)
        if node[0] == r"\frac":
            return self.fraction(node[0], self.row(iter(node[1])), self.row(iter(node[2])))
        if node[0] == BEGIN:
            return self.matrix(node[1:])
        if node[0] in ACCENTS:
            return self.accent(node[0], self.row(iter(node[1])))
        return self.root(node[0], self.row(iter(node[1])), self.row(iter(node[2])) if node[2] else None)

    def fence(self, token: Placed, nodes: list) -> Box:
        """As high as the tallest thing of the row: fractions, roots and sums want it."""
        tall = sum(isinstance(node, list) and node[0] == r"\frac" for node in nodes)
        matrix = any(isinstance(node, list) and node[0] == BEGIN for node in nodes)
        if not matrix and (not tall or self.rng.random() < 0.2):
            return self.symbol(token)
        height = self.spread(2.9 if matrix else 2.3, 0.12)
        strokes = self.stretched(token, width=self.spread(0.4, 0.3) if matrix else None, height=height)
        return box_of(token, [stroke + (0, AXIS - height / 2) for stroke in strokes])

    def fraction(self, token: Placed, above: Box, below: Box) -> Box:
        width = max(above.width, below.width) + self.spread(0.4, 0.4)
        gap = self.spread(0.22, 0.4), self.spread(0.22, 0.4)
        bar = [stroke + (0, AXIS) for stroke in self.stretched("-", width=width)]
        thick = float(np.ptp(np.concatenate(bar)[:, 1]))
        shifts = AXIS - gap[0] - above.bottom, AXIS + thick + gap[1] - below.top
        left = [(width - box.width) / 2 + self.rng.gauss(0, 0.08) for box in (above, below)]
        ink = above.moved(left[0], shifts[0]) + [(token, stroke) for stroke in bar] + below.moved(left[1], shifts[1])
        return Box(ink, width, above.top + shifts[0], below.bottom + shifts[1])

    def root(self, token: Placed, inside: Box, degree: Box | None) -> Box:
        air = self.spread(0.18, 0.4)
        height, hook = inside.bottom - inside.top + 2 * air, self.rng.uniform(0.45, 0.75)
        sign = self.root_sign(hook, hook + inside.width + self.spread(0.25, 0.4), height)
        top = inside.top - air
        ink = [(token, stroke + (0, top)) for stroke in sign] + inside.moved(hook + 0.05, 0)
        width = float(max(stroke[:, 0].max() for _, stroke in ink))
        if degree is None:
            return Box(ink, width, top, inside.bottom + air)
        small = degree.scaled(0.5)
        x = max(0.0, small.width - hook * 0.6)
        ink = small.moved(0, top + height * 0.45) + [(name, stroke + (x, 0)) for name, stroke in ink]
        return Box(ink, width + x, min(top, top + height * 0.45 + small.top), inside.bottom + air)

    def root_sign(self, hook: float, width: float, height: float) -> Strokes:
        """A drawing of it whose bar begins at `hook`: only the bar is stretched to the width."""
        strokes = self.stretched(r"\sqrt", width=1.0, height=height)
        points = np.concatenate(strokes)
        bar = float(points[points[:, 1] < 0.2 * height, 0].min())
        bar = bar if 0.08 < bar < 0.8 else 0.3
        return [
            np.stack([np.interp(stroke[:, 0], (0, bar, 1), (0, hook, width)), stroke[:, 1]], 1) for stroke in strokes
        ]

    def accent(self, token: Placed, under: Box) -> Box:
        width = max(0.35, under.width * self.rng.uniform(0.8, 1.1))
        height = {r"\overline": 0.02, r"\vec": 0.25, r"\hat": 0.25, r"\dot": 0.06}[token]
        gap = self.spread(0.15, 0.4)
        if token == r"\overline":
            strokes = self.stretched("-", width=width)
        elif token == r"\vec":
            strokes = self.stretched(r"\rightarrow", width=width, height=self.spread(height))
        elif token == r"\hat":
            strokes = [np.array([[0, height], [width / 2, 0], [width, height]]) * self.spread(1.0)]
        else:
            strokes = [np.array([[width / 2, 0], [width / 2 + 0.03, 0.03]])]
        shift = (under.width - width) / 2, min(under.top, -0.5) - gap - height
        ink = under.ink + [(token, stroke + shift) for stroke in strokes]
        moved = max(0.0, -shift[0])
        return Box(
            [(name, stroke + (moved, 0)) for name, stroke in ink], max(under.width, width), shift[1], under.bottom
        )

    def matrix(self, nodes: list) -> Box:
        """Rows of cells in columns, its middle on the axis."""
        rows: list[list[list]] = [[[]]]
        for node in nodes:
            if node == "&":
                rows[-1].append([])
            elif node == r"\\":
                rows.append([[]])
            else:
                rows[-1][-1].append(node)
        boxes = [[self.row(iter(cell)) for cell in row] for row in rows]
        columns = max(map(len, boxes))
        widths = [max(row[index].width for row in boxes if index < len(row)) for index in range(columns)]
        across, down = self.spread(0.8, 0.3), self.spread(0.5, 0.3)
        ink, y = [], 0.0
        for row in boxes:
            y -= min(box.top for box in row)
            x = 0.0
            for box, width in zip(row, widths, strict=False):
                ink += box.moved(x + (width - box.width) / 2 + self.rng.gauss(0, 0.06), y + self.rng.gauss(0, 0.05))
                x += width + across
            y += max(box.bottom for box in row) + down
        height = y - down
        shift = AXIS - height / 2
        return Box(
            [(token, stroke + (0, shift)) for token, stroke in ink],
            sum(widths) + across * (columns - 1),
            shift,
            shift + height,
        )

    def with_scripts(self, box: Box, scripts: dict[str, list], node: str | list) -> Box:
        ink, width, top, bottom = list(box.ink), box.width, box.top, box.bottom
        for kind, content in scripts.items():
            small = self.row(iter(content)).scaled(self.spread(self.script, 0.1))
            x = box.width + self.spread(self.gap * 0.6, 0.4)
            if kind == "^":
                y = min(box.top + self.spread(0.3, 0.3), -0.55) - max(0.0, small.bottom)
            else:
                y = max(box.bottom - 0.2, 0.0) + self.spread(0.35, 0.25) + (0.15 if small.top > -0.4 else 0)
            if r"\prime" in content and len(content) == 1:
                y = box.top + 0.5
            ink += small.moved(x, y)
            width, top, bottom = max(width, x + small.width), min(top, y + small.top), max(bottom, y + small.bottom)
        return Box(ink, width, top, bottom)

    def with_limits(self, box: Box, scripts: dict[str, list]) -> Box:
        smalls = {
            kind: self.row(iter(content)).scaled(self.spread(self.script * 0.9, 0.1))
            for kind, content in scripts.items()
        }
        width = max(box.width, *(small.width for small in smalls.values()))
        ink, top, bottom = box.moved((width - box.width) / 2, 0), box.top, box.bottom
        for kind, small in smalls.items():
            gap = self.spread(0.15, 0.5)
            y = box.top - gap - small.bottom if kind == "^" else box.bottom + gap - small.top
            ink += small.moved((width - small.width) / 2, y)
            top, bottom = min(top, y + small.top), max(bottom, y + small.bottom)
        return Box(ink, width, top, bottom)
