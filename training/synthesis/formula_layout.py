"""New handwritten formulas: LaTeX laid out with single symbols that CROHME's writers drew.

A box has its baseline at y = 0, y downwards, and digits are 1 high. The layout follows TeX's (Knuth 1984, appendix G)
as loosely as people do: every distance, size and place has its own spread.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from hwr_core.decoding.latex import BEGIN, END, TEXT
from hwr_core.ink.strokes import Strokes
from training.data.formula_tree import ACCENTS, Placed, tree

AXIS = -0.45  # where fraction bars, minus signs and operators lie
# Where a symbol stands: its bottom (or, for those round the axis, its middle) and how far that spreads.
DESCENDING = set("gjpqy") | {r"\beta", r"\gamma", r"\mu", r"\phi", r"\rho", r"\eta", r"\chi", r"\xi", r"\zeta", r"\psi"}
ON_AXIS = set("+-=<>|/()[]") | {
    r"\times", r"\div", r"\pm", r"\cdot", r"\leq", r"\geq", r"\neq", r"\rightarrow", r"\infty", r"\{", r"\}", r"\sum", r"\int", r"\in",
    r"\cdots", "*", ":", r"\mp", r"\equiv", r"\approx", r"\sim", r"\propto", r"\leftarrow", r"\Rightarrow", r"\prod", r"\cup", r"\cap", r"\subset",
    r"\iint", r"\iiint", r"\oint", r"\uparrow", r"\downarrow", r"\leftrightarrow", r"\Leftrightarrow", r"\Leftarrow", r"\mapsto", r"\rightleftharpoons",
    r"\nearrow", r"\searrow", r"\langle", r"\rangle", r"\lfloor", r"\rfloor", r"\lceil", r"\rceil", r"\|", r"\wedge", r"\vee", r"\neg", r"\notin",
    r"\subseteq", r"\supset", r"\supseteq", r"\subsetneq", r"\setminus", r"\vdash", r"\models", r"\ll", r"\gg", r"\cong", r"\simeq", r"\prec",
    r"\succ", r"\oplus", r"\otimes", r"\odot", r"\star", r"\bullet", r"\bigcup", r"\bigcap", r"\bigoplus", r"\bigotimes", r"\vdots", r"\ddots",
    r"\nmid", r"\triangleq", r"\parallel", r"\therefore", r"\because",
}  # fmt: skip
LOW = {",", ".", ";", r"\ldots"}
RAISED = {r"\prime", "'"}
WIDE_APART = set("+-=<>") | {
    r"\times", r"\div", r"\pm", r"\leq", r"\geq", r"\neq", r"\rightarrow", r"\in", r"\notin", r"\Rightarrow", r"\Leftrightarrow", r"\subset", r"\subseteq",
    r"\approx", r"\sim", r"\equiv", r"\mapsto", r"\leftrightarrow", r"\wedge", r"\vee", r"\therefore", r"\because", r"\perp", r"\parallel", r"\ll", r"\gg",
    r"\rightleftharpoons", r"\cong", r"\simeq",
}  # fmt: skip
NAMED = {r"\sin", r"\cos", r"\tan", r"\log", r"\lim"}
BIG = {
    r"\sum": 1.9, r"\int": 2.3, r"\prod": 1.9, r"\iint": 2.3, r"\iiint": 2.3, r"\oint": 2.3, r"\bigcup": 1.6, r"\bigcap": 1.6, r"\bigoplus": 1.6, r"\bigotimes": 1.6,
}  # fmt: skip
BELOW = {
    r"\sum": 0.85,
    r"\prod": 0.85,
    r"\bigcup": 0.7,
    r"\bigcap": 0.7,
    r"\bigoplus": 0.7,
    r"\bigotimes": 0.7,
    r"\lim": 1.0,
}  # how often limits stand there
PAIRS = {"(": ")", "[": "]", r"\{": r"\}", r"\langle": r"\rangle", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
UPRIGHT = {"|", r"\|"}
FENCES = {*PAIRS, *PAIRS.values(), *UPRIGHT}
LARGEST = {"-": 1.0, **dict.fromkeys(FENCES, 1.7)}
EVEN = set("0123456789ABCDEFGHIKLMNOPQRSTUVWXYZbdhk")  # as high as one another in most hands
TALL = 1.6  # of what fences go round, from here on they are mostly as high as that
# Tokens that are no symbol, or one made of others.
UNDRAWN = {"{", "}", "^", "_", "&", r"\\", BEGIN, END, r"\limits", r"\cdots", r"\frac", TEXT, *ACCENTS}


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


def _with_their_scripts(nodes: list) -> list[tuple[Placed | list, bool, dict[str, list]]]:
    """(node, whether `\\limits` follows, its scripts by kind) of each; "" is the node of a script of nothing."""
    things, index = [], 0
    while index < len(nodes):
        node: Placed | list = nodes[index]
        if _is_script(node):
            node = Placed("")
        else:
            index += 1
        limits = index < len(nodes) and nodes[index] == r"\limits"
        index += limits
        scripts = {}
        while index < len(nodes) and _is_script(nodes[index]):
            scripts[nodes[index][0]] = nodes[index][1]
            index += 1
        things.append((node, limits, scripts))
    return things


def _is_script(node: Placed | list) -> bool:
    return isinstance(node, list) and node[0] in ("^", "_")


def _is_fence(node: Placed | list) -> bool:
    return isinstance(node, str) and node in FENCES


def _enclosed(nodes: list) -> dict[int, range]:
    """Which nodes each fence of a row goes round; a brace that is never closed goes round all that follows, as that of cases does."""
    found: dict[int, range] = {}
    open_: list[int] = []
    for index, node in enumerate(nodes):
        if not _is_fence(node):
            continue
        if open_ and (PAIRS.get(nodes[open_[-1]]) == node or (node in UPRIGHT and nodes[open_[-1]] == node)):
            start = open_.pop()
            found[start] = found[index] = range(start + 1, index)
        elif node in PAIRS or node in UPRIGHT:
            open_.append(index)
    found.update({index: range(index + 1, len(nodes)) for index in open_ if nodes[index] == r"\{"})
    return found


EMPTY = Box([], 0.0, -0.7, 0.0)


def box_of(token: Placed, strokes: Strokes) -> Box:
    """A box round a token's strokes that lie at their height already, moved to x = 0."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    return Box(
        [(token, stroke - (low[0], 0)) for stroke in strokes], float(high[0] - low[0]), float(low[1]), float(high[1])
    )


class FormulaWriter:
    """Lays out canonical tokens. `symbols`: token → drawings, digits 1 high, their centres at the origin.

    `words`: word → drawings of it as a whole, capitals 1 high, the baseline at y = 0, for `\\text`; other words are drawn by letters.
    """

    def __init__(self, symbols: dict[str, list[Strokes]], words: dict[str, list[Strokes]] | None = None):
        self.symbols, self.words = symbols, words or {}

    def can_write(self, tokens: list[str]) -> bool:
        return set(tokens) - UNDRAWN <= self.symbols.keys()

    def write(self, tokens: list[str], rng: random.Random) -> Ink:
        """The strokes of well-formed canonical tokens, in the order of the tokens; KeyError for one without a drawing."""
        hand = _Hand(self.symbols, rng, self.words)
        return hand.row(iter(tree(Placed(token, place) for place, token in enumerate(tokens)))).ink


class _Hand:
    """One formula's own ways: how far apart, how large the scripts, which drawing of each symbol."""

    def __init__(self, symbols: dict[str, list[Strokes]], rng: random.Random, words: dict[str, list[Strokes]]):
        self.symbols, self.rng, self.words = symbols, rng, words
        self.aligned = rng.choices((0.5, 0.0, 1.0), (0.55, 0.35, 0.1))[0]  # where in its column a matrix's cell stands
        self.gap = rng.uniform(0.08, 0.32)
        self.script = rng.uniform(0.42, 0.7)
        self.unsteady = rng.uniform(0.01, 0.06)
        self.even = rng.choice((0.0, 0.5, 0.8, 1.0))  # how alike the heights of its digits and capitals are
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
        if token in EVEN and height > 0.2:
            factor *= height**-self.even
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

    def row(self, nodes: Iterator) -> Box:
        """Things side by side, each with its scripts; fences as high as what they go round."""
        things = _with_their_scripts(list(nodes))
        boxes = [
            None if _is_fence(node) else self.scripted(self.thing(node), node, limits, scripts)
            for node, limits, scripts in things
        ]
        inside = _enclosed([node for node, _, _ in things])
        ink: list = []
        x, top, bottom = 0.0, -0.7, 0.0
        for index, (node, limits, scripts) in enumerate(things):
            box = boxes[index]
            if box is None:
                around_it = (boxes[other] for other in inside.get(index, ()))
                within = [inner for inner in around_it if inner is not None]
                box = self.scripted(self.fence(cast(Placed, node), within), node, limits, scripts)
            apart = (isinstance(node, str) and (node in WIDE_APART or node in NAMED)) or node[0] == TEXT
            around = max(
                self.spread(self.gap, 0.35) * (2.2 if apart else 1), self.spread(0.35) if node[0] == TEXT else 0.0
            )
            x += around if ink else 0
            ink += box.moved(x, 0)
            x += box.width + (around - self.gap if apart else 0)
            top, bottom = min(top, box.top), max(bottom, box.bottom)
        return Box(ink, x, top, bottom)

    def scripted(self, box: Box, node: Placed | list, limits: bool, scripts: dict[str, list]) -> Box:
        if not scripts:
            return box
        below = limits or (isinstance(node, str) and self.rng.random() < BELOW.get(node, 0.0))
        return self.with_limits(box, scripts) if below else self.with_scripts(box, scripts, node)

    def thing(self, node: Placed | list) -> Box:
        if node == "":
            return EMPTY
        if isinstance(node, str):
            return self.symbol(node)
        if node[0] == r"\frac":
            return self.fraction(node[0], self.row(iter(node[1])), self.row(iter(node[2])))
        if node[0] == BEGIN:
            return self.matrix(node[1:])
        if node[0] == TEXT:
            return self.word(node[1])
        if node[0] in ACCENTS:
            return self.accent(node[0], self.row(iter(node[1])))
        return self.root(node[0], self.row(iter(node[1])), self.row(iter(node[2])) if node[2] else None)

    def word(self, letters: list[Placed]) -> Box:
        """A whole word as somebody wrote it, where there is one, or its letters close together."""
        whole = self.words.get("".join(letters))
        if whole and self.rng.random() < 0.5:
            factor = self.spread(1.0, 0.1)
            return box_of(Placed(""), [stroke * factor for stroke in self.rng.choice(whole)])
        gap, ink, x, top, bottom = self.rng.uniform(0.03, 0.15), [], 0.0, -0.7, 0.0
        for letter in letters:
            box = self.symbol(letter)
            ink += box.moved(x, 0)
            x += box.width + self.spread(gap, 0.4)
            top, bottom = min(top, box.top), max(bottom, box.bottom)
        return Box(ink, x - gap, top, bottom)

    def fence(self, token: Placed, within: list[Box]) -> Box:
        """As high as what it goes round, where that is high and, of fractions and sums, mostly."""
        top, bottom = min((box.top for box in within), default=0.0), max((box.bottom for box in within), default=0.0)
        high = bottom - top
        if high < TALL or (high < 2.6 and self.rng.random() < 0.15):
            return self.symbol(token)
        height = high * self.spread(1.06, 0.07)
        width = None if token in UPRIGHT else self.spread(0.4, 0.3)
        strokes = self.stretched(token, width=width, height=height)
        return box_of(token, [stroke + (0, (top + bottom) / 2 - height / 2) for stroke in strokes])

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
        height = {r"\overline": 0.02, r"\vec": 0.25, r"\hat": 0.25, r"\dot": 0.06, r"\ddot": 0.06, r"\tilde": 0.18}[
            token
        ]
        gap = self.spread(0.15, 0.4)
        if token == r"\overline":
            strokes = self.stretched("-", width=width)
        elif token == r"\vec":
            strokes = self.stretched(r"\rightarrow", width=width, height=self.spread(height))
        elif token == r"\hat":
            strokes = [np.array([[0, height], [width / 2, 0], [width, height]]) * self.spread(1.0)]
        elif token == r"\tilde":
            strokes = self.stretched(r"\sim", width=min(width, self.spread(0.7)), height=self.spread(height))
        else:
            apart = self.spread(0.13) if token == r"\ddot" else 0.0
            strokes = [np.array([[width / 2 + x, 0], [width / 2 + x + 0.03, 0.03]]) for x in {-apart, apart}]
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
        across, down = max(0.55, self.spread(0.85, 0.3)), self.spread(0.5, 0.3)
        ink, y = [], 0.0
        for row in boxes:
            y -= min(box.top for box in row)
            x = 0.0
            for box, width in zip(row, widths, strict=False):
                ink += box.moved(
                    x + (width - box.width) * self.aligned + self.rng.gauss(0, 0.06), y + self.rng.gauss(0, 0.05)
                )
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
