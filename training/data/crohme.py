"""CROHME's handwritten formulas: their strokes, which of them make up which symbol, and the parts of a formula."""

import gzip
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hwr_core.decoding.latex import canonical
from hwr_core.ink.strokes import Strokes
from training.data.datasets import DATA
from training.data.formula_tree import Placed

DEVELOPMENT = 16  # every sixteenth writer of train is for choices made on the way; test2013 is for none
LABELS = {r"\lt": "<", r"\gt": ">"}
AMBIGUOUS = {".", r"\ldots", r"\prime", "'"}  # labels that stand for several tokens


@dataclass(frozen=True)
class Formula:
    """A formula's canonical tokens and its strokes, each (n, 2) float32 in the writer's device's units, y downwards.

    `symbols` are (token, numbers of its strokes), a fraction's bar as `\\frac`, each placed among `tokens` where that is known;
    `rows` the `Item`s that stand side by side, outermost and in every argument. Both are empty for test2013, the second also
    where no tree is given.
    """

    id: str
    tokens: list[str]
    strokes: Strokes = field(repr=False)
    writer: str | None
    symbols: list[tuple[Placed, list[int]]] = field(default_factory=list, repr=False)
    rows: list[list["Item"]] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class Item:
    """One thing of a row with its scripts: its tokens, each with its symbol's number as its place, the numbers of all its
    symbols, and whether the labels say which tokens they are."""

    tokens: list[Placed]
    symbols: list[int]
    sound: bool


def crohme(split: str, folder: Path = DATA) -> list[Formula]:
    """`split` is train, dev (every sixteenth writer of CROHME's train) or test2013."""
    formulas = []
    with gzip.open(folder / "crohme.jsonl.gz", "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            if record["split"] == ("test2013" if split == "test2013" else "train"):
                formulas.append(_formula(record))
    if split == "test2013":
        return formulas
    writers = sorted({formula.writer for formula in formulas if formula.writer})
    held_out = set(writers[::DEVELOPMENT])
    return [formula for formula in formulas if (formula.writer in held_out) == (split == "dev")]


def _formula(record: dict) -> Formula:
    strokes = [np.array(stroke, np.float32).reshape(-1, 2) for stroke in record["strokes"]]
    tokens = record["norm"].split() if record["norm"] else canonical(record["truth"])
    symbols = [(LABELS.get(label, label), numbers) for label, numbers in record["symbols"] or []]
    rows: list[list[Item]] = []
    places: dict[int, int] = {}  # of symbols, among the tokens
    if record["tree"]:
        whole = [token for item in _row(record["tree"], symbols, rows) for token in item.tokens]
        if whole == tokens:
            places = {token.place: place for place, token in enumerate(whole) if token.place >= 0}
        else:
            rows = []
    if any(label == "-" for label, _ in symbols):
        boxes = np.array([_box(numbers, strokes) for _, numbers in symbols])
        roots = np.array([label == r"\sqrt" for label, _ in symbols])
        symbols = [
            (r"\frac" if label == "-" and _is_bar(number, boxes, roots) else label, numbers)
            for number, (label, numbers) in enumerate(symbols)
        ]
    if not rows:
        labels = [label for label, _ in symbols]
        places = {
            n: tokens.index(label) for n, label in enumerate(labels) if labels.count(label) == tokens.count(label) == 1
        }
    placed = [(Placed(label, places.get(number, -1)), strokes_) for number, (label, strokes_) in enumerate(symbols)]
    return Formula(record["id"], tokens, strokes, record["writer"], placed, rows)


def _row(node: list, symbols: list[tuple[str, list[int]]], rows: list[list[Item]]) -> list[Item]:
    """The items side by side in a node of MathML; all rows found on the way go into `rows`."""
    tag, *children = node
    if tag in ("math", "mrow"):
        row = [item for child in children if isinstance(child, list) for item in _row(child, symbols, rows)]
        if tag == "math":
            rows.append(row)
        return row
    number = children[0] if children and isinstance(children[0], int) else None
    own = -1 if number is None else number
    below = [_row(child, symbols, rows) for child in children if isinstance(child, list)]
    rows += [row for row in below if len(row) > 0]
    brace, end, bracket, closing, sub, sup = map(Placed, "{}[]_^")
    groups = [[brace, *(token for item in row for token in item.tokens), end] for row in below]
    numbers = [index for row in below for item in row for index in item.symbols]
    if tag in ("mi", "mo", "mn"):
        label = symbols[number][0] if number is not None else "?"
        return [Item([Placed(label, own)], [] if number is None else [number], label not in AMBIGUOUS)]
    sound = all(item.sound for row in below for item in row)
    tokens = {
        "mfrac": lambda: [Placed(r"\frac", own), *groups[0], *groups[1]],
        "msqrt": lambda: [Placed(r"\sqrt", own), *groups[0]],
        "mroot": lambda: [Placed(r"\sqrt", own), bracket, *groups[1][1:-1], closing, *groups[0]],
        "msub": lambda: [*groups[0][1:-1], sub, *groups[1]],
        "msup": lambda: [*groups[0][1:-1], sup, *groups[1]],
        "msubsup": lambda: [*groups[0][1:-1], sub, *groups[1], sup, *groups[2]],
        "munder": lambda: [*groups[0][1:-1], sub, *groups[1]],
        "munderover": lambda: [*groups[0][1:-1], sub, *groups[1], sup, *groups[2]],
    }[tag]()
    return [Item(tokens, [*numbers, number] if number is not None else numbers, sound)]


def _is_bar(number: int, boxes: np.ndarray, roots: np.ndarray) -> bool:
    """Whether a line has something close above and below it: a fraction's bar, not a minus. `boxes` (symbols, 4)."""
    left, top, right, bottom = boxes[number]
    middle, width = (top + bottom) / 2, max(right - left, 1e-6)
    across, down = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = (left - 0.1 * width < across) & (across < right + 0.1 * width) & ~roots
    inside[number] = False
    above = inside & (down < middle) & (middle - boxes[:, 3] < 1.5 * width)
    below = inside & (down > middle) & (boxes[:, 1] - middle < 1.5 * width)
    return bool(above.any() and below.any())


def _box(numbers: list[int], strokes: Strokes) -> tuple[float, float, float, float]:
    points = np.concatenate([strokes[index] for index in numbers])
    return (*points.min(0).tolist(), *points.max(0).tolist())


def drawings(formulas: list[Formula]) -> dict[str, list[Strokes]]:
    """Single symbols: token → strokes in units of their formula's digits' height, their centre at the origin."""
    found: dict[str, list[Strokes]] = {}
    for formula in formulas:
        symbols = [(token, [formula.strokes[i] for i in numbers]) for token, numbers in formula.symbols]
        heights = [np.ptp(np.concatenate(ink)[:, 1]) for token, ink in symbols if token.isdigit() or token.isalpha()]
        scale = np.median(heights) if heights else 0
        if scale <= 0:
            continue
        for token, ink in symbols:
            points = np.concatenate(ink)
            if token != r"\frac" and not (
                token == "-" and np.ptp(points[:, 1]) > 0.6 * np.ptp(points[:, 0])
            ):  # some are labelled wrong
                origin = (points.min(0) + points.max(0)) / 2
                found.setdefault(token, []).append([(stroke - origin) / scale for stroke in ink])
    return found


def part_of(formula: Formula, rng: random.Random) -> Formula | None:
    """A few neighbours of one of its rows by themselves, as their writer placed them; None where that is all or too little."""
    row = rng.choice(formula.rows)
    start = rng.randrange(len(row))
    items = row[start : start + rng.randint(1, 8)]
    numbers = [number for item in items for number in item.symbols]
    if len(numbers) < 2 or len(numbers) == len(formula.symbols) or not all(item.sound for item in items):
        return None
    tokens = [token for item in items for token in item.tokens]
    places = {token.place: place for place, token in enumerate(tokens)}
    symbols: list[tuple[Placed, list[int]]] = []
    strokes: list[np.ndarray] = []
    for number in numbers:
        token, indices = formula.symbols[number]
        symbols.append((Placed(token, places.get(number, -1)), list(range(len(strokes), len(strokes) + len(indices)))))
        strokes += [formula.strokes[index] for index in indices]
    return Formula(formula.id, [str(token) for token in tokens], strokes, formula.writer, symbols)
