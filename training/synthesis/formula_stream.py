"""The endless stream of training formulas, in batches of similar size, made in worker processes while training runs."""

import random
from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from hwr_core.checkpoints.pixels import CELL, FormulaPixels, stacked
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.imaging.line_image import MARGIN
from hwr_core.ink.formula import DRAWN_AT, ink_size, symbol_size
from hwr_core.ink.strokes import draw
from training.data.charset import SPECIAL
from training.data.crohme import Formula, crohme, drawings, part_of
from training.data.datasets import iam_ondb
from training.data.formula_symbols import vocabulary
from training.data.formula_tree import Placed
from training.synthesis.augment import soil
from training.synthesis.batch import IGNORED, Batch, halved, of_few_shapes, padded_to
from training.synthesis.formula_inventions import Inventor
from training.synthesis.formula_layout import UNDRAWN, FormulaWriter, Ink
from training.synthesis.formula_paper import (
    FRAME,
    NEIGHBOUR,
    RULED,
    SHADED,
    UNDERLINE,
    beside,
    framed,
    on_squares,
    shaded,
    underlined,
)
from training.synthesis.formula_texts import DIGITS, GREEK, given, school, varied
from training.synthesis.formula_words import words
from training.synthesis.line_stream import EOS
from training.synthesis.symbol_drawings import all_drawings

# Shares of the stream. `whole` is as CROHME's writers wrote it, `part` a piece of that, `scribble` no formula; the others are new.
MIXTURE = {
    "whole": 0.38, "part": 0.09, "given": 0.16, "again": 0.05, "school": 0.09, "sign": 0.06, "matrix": 0.05, "cases": 0.015, "system": 0.015, "worded": 0.035,
    "long_sum": 0.05, "scribble": 0.025,
}  # fmt: skip
INVENTED = ("sign", "matrix", "cases", "system", "worded", "long_sum")  # what `Inventor` does
FLIPPED = 0.12  # share of the letters of one shape, large and small, that become the other: size alone tells them
# What becomes which capital by growing so much, and by moving up by so much of its height.
TWINS = {
    **{letter: (letter.upper(), 1.5, 0.0) for letter in "cosuvwxz"},
    "p": ("P", 1.05, 0.33),
    "y": ("Y", 0.95, 0.35),
}
TWINS |= {capital: (letter, 1 / growth, -moved / growth) for letter, (capital, growth, moved) in TWINS.items()}
SWAPPED = 0.25  # share of the symbols of some formulas that another writer's drawing replaces
RENAMED = 0.5  # share of the formulas in which some letters and digits become others: the decoder is not to know them by heart
# What may become what: of one height and place on the line, none of them narrow.
KINDS = (
    "2 3 4 5 6 7 8 9 0", "A B C D E F G H K L M N P Q R S T U V W X Y Z b d h k \\theta \\delta \\lambda \\Delta",
    "a c e m n o r s u v w x z \\alpha \\pi \\sigma \\omega \\tau \\epsilon", "g p q y \\beta \\gamma \\mu \\phi \\rho \\eta",
)  # fmt: skip
KIND = {token: kind.split() for kind in KINDS for token in kind.split()}
RIGID = {
    r"\frac",
    r"\sqrt",
    "(",
    ")",
    "[",
    "]",
    "|",
    r"\{",
    r"\}",
    "-",
}  # as large as what they go round: never swapped
MOST_TOKENS = 150
BASE = MOST_TOKENS + 1  # ids and places are counted as one number
NONE = Placed("")


class FormulaStream(IterableDataset):
    """Draws a source by `MIXTURE`, makes a formula of it, varies it, and groups the formulas of a pool into batches by size."""

    def __init__(self, seed: int, pixels_per_batch: int = 300_000):
        self.seed, self.pixels_per_batch = seed, pixels_per_batch
        self.few_shapes = False  # of batches: what a GPU needs
        self.processor = FormulaPixels()
        self.written = crohme("train")
        self.divisible = [formula for formula in self.written if formula.rows]
        self.symbols = all_drawings(drawings(self.written))
        whole = words(iam_ondb("train"))
        self.writer = FormulaWriter(self.symbols, whole)
        self.tokens = vocabulary(formula.tokens for formula in self.written)
        self.ids = {token: len(SPECIAL) + index for index, token in enumerate(self.tokens)}
        self.kind = {
            token: [other for other in kind if other in self.ids and other in self.symbols]
            for token, kind in KIND.items()
        }
        grammar = Grammar(["<s>", "<pad>", "</s>", "<unk>", *self.tokens], EOS, range(len(SPECIAL)))
        self.again = [
            f.tokens
            for f in self.written
            if len(f.tokens) > 2 and grammar.accepts(f.tokens) and self.writer.can_write(f.tokens)
        ]
        signs = sorted(token for token in self.ids if token in self.symbols and token not in UNDRAWN)
        self.inventor = Inventor([token for token in GREEK if token in self.ids], signs, sorted(whole))
        self.given = [tokens for tokens in given(grammar) if self.writer.can_write(tokens)]

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        cv2.setNumThreads(0)
        self.rng = random.Random(self.seed * 1000 + (worker.id if worker else 0))
        if self.few_shapes:
            for shape, formulas in of_few_shapes(iter(self.formula, None), self.pixels_per_batch):
                yield halved(padded_to(collate(formulas), shape))
        while True:
            yield from self.batches()

    def batches(self) -> list[Batch]:
        # Of similar width, then of similar height: less than a quarter of a batch is padding.
        pool = sorted((self.formula() for _ in range(self.pixels_per_batch // 250)), key=lambda item: item[0].shape[1])
        groups = [
            sorted(pool[start : start + 150], key=lambda item: item[0].shape[0]) for start in range(0, len(pool), 150)
        ]
        batches: list[list[tuple[np.ndarray, list[int], np.ndarray]]] = []
        batch: list[tuple[np.ndarray, list[int], np.ndarray]] = []
        for item in (item for group in groups for item in group):
            height, width = (max(other[0].shape[axis] for other in [*batch, item]) for axis in (0, 1))
            if batch and height * width * (len(batch) + 1) > self.pixels_per_batch:
                batches.append(batch)
                batch = []
            batch.append(item)
        batches.append(batch)
        self.rng.shuffle(batches)
        return [collate(batch) for batch in batches]

    def formula(self) -> tuple[np.ndarray, list[int], np.ndarray]:
        """The picture as the encoder gets it, its token ids, and whose ink is in each cell, as `cells` gives it."""
        while True:
            ink, tokens = self.draw(self.rng.choices(list(MIXTURE), list(MIXTURE.values()))[0])
            if not ink or len(tokens) > MOST_TOKENS or sum(len(stroke) for _, stroke in ink) < 2:
                continue
            ink = moved(ink, self.rng)
            picture = self.picture(self.surrounded(ink) if tokens else ink)
            if picture is not None:
                return picture[0], [self.ids[token] for token in tokens], picture[1]

    def draw(self, source: str) -> tuple[Ink, list[str]]:
        rng = self.rng
        if source == "scribble":
            return (scribble(rng) if rng.random() < 0.75 else struck_out(rng.choice(self.written).strokes, rng)), []
        if source in ("whole", "part"):
            formula = rng.choice(self.written) if source == "whole" else part_of(rng.choice(self.divisible), rng)
            return self.swapped(formula) if formula else ([], [])
        if source in INVENTED:
            tokens = getattr(self.inventor, source)(rng)
        else:
            tokens = (
                varied(rng.choice({"given": self.given, "again": self.again}[source]), rng)
                if source != "school"
                else school(rng)
            )
        if not self.writer.can_write(tokens) or any(token not in self.ids for token in tokens):
            return [], []
        try:
            return self.writer.write(tokens, rng), tokens
        except ValueError:  # a formula of the sources that is cut off
            return [], []

    def swapped(self, formula: Formula) -> tuple[Ink, list[str]]:
        """Its strokes with their tokens, some symbols drawn by others or replaced by ones of their kind, and its tokens then."""
        rng = self.rng
        share = SWAPPED if rng.random() < 0.5 else 0.0
        names = self.renamed(formula) if rng.random() < RENAMED else {}
        flips = self.flips(formula, names)
        tokens = list(formula.tokens)
        ink: Ink = []
        labelled = set()
        for token, numbers in formula.symbols:
            strokes = [formula.strokes[number] for number in numbers]
            labelled.update(numbers)
            if token in names:
                name = Placed(names[token] if token not in DIGITS else rng.choice(self.kind[token]), token.place)
                strokes = fitted(rng.choice(self.symbols[name]), np.concatenate(strokes), rng, upright=True)
                tokens[token.place], token = name, name
            elif token in flips:
                twin, growth, up = TWINS[token]
                strokes, name = grown(strokes, growth * rng.uniform(0.9, 1.1), up), Placed(twin, token.place)
                tokens[token.place], token = name, name
            elif token not in RIGID and rng.random() < share:
                strokes = fitted(rng.choice(self.symbols[token]), np.concatenate(strokes), rng)
            ink += [(token, stroke) for stroke in strokes]
        return ink + [(NONE, stroke) for number, stroke in enumerate(formula.strokes) if number not in labelled], [
            *map(str, tokens)
        ]

    def renamed(self, formula: Formula) -> dict[str, str]:
        """New names for some of its letters, and which of its digits may change: those whose every symbol is known."""
        share = self.rng.choice((0.3, 0.8))
        known = Counter(str(token) for token, _ in formula.symbols if token.place >= 0)
        return {
            token: self.rng.choice(self.kind[token])
            for token in sorted(set(formula.tokens) & KIND.keys())
            if known[token] == formula.tokens.count(token) and self.rng.random() < share
        }

    def flips(self, formula: Formula, names: dict[str, str]) -> set[str]:
        """The letters, of those whose every symbol is known, that become their twins; never where both are there."""
        known = Counter(str(token) for token, _ in formula.symbols if token.place >= 0)
        return {
            token
            for token in sorted(set(formula.tokens) & TWINS.keys())
            if known[token] == formula.tokens.count(token)
            and token not in names
            and TWINS[token][0] not in formula.tokens
            and self.rng.random() < FLIPPED
        }

    def surrounded(self, ink: Ink) -> Ink:
        """At times with what stands round a formula on a page: a neighbour's edge, a frame, lines under it."""
        rng, turn = self.rng, self.rng.random()
        strokes = [stroke for _, stroke in ink]
        symbol = ink_size(strokes)
        if turn < NEIGHBOUR:
            other = rng.choice(self.written).strokes
            added = beside(strokes, [stroke * (symbol / ink_size(other)) for stroke in other], symbol, rng)
        elif turn < NEIGHBOUR + FRAME:
            added = framed(strokes, symbol, rng)
        elif turn < NEIGHBOUR + FRAME + UNDERLINE:
            added = underlined(strokes, symbol, rng)
        else:
            return ink
        return ink + [(NONE, stroke) for stroke in added]

    def picture(self, ink: Ink) -> tuple[np.ndarray, np.ndarray] | None:
        """Drawn with a pen and on paper by chance, at the encoder's scale, and whose ink is in each cell."""
        rng = self.rng
        points = np.concatenate([stroke for _, stroke in ink])
        low, high = points.min(0), points.max(0)
        scale = DRAWN_AT / ink_size([stroke for _, stroke in ink])
        pen = DRAWN_AT * rng.uniform(0.05, 0.13)
        extent = (high - low) * scale
        if extent.max() > 2600 or extent.prod() > 1_200_000:
            return None
        margin = max(2.0, MARGIN * extent[1]) * rng.uniform(0.6, 1.4) + pen / 2
        shape = [int(np.ceil(side + 2 * margin)) for side in extent[::-1]]
        placed = [(token, (stroke - low) * scale + margin) for token, stroke in ink]
        grey = draw([stroke for _, stroke in placed], (shape[0], shape[1]), pen)
        # The size is judged as in reading, from the picture; what it gets wrong, the encoder learns to bear.
        size = min(symbol_size(grey), grey.shape[0])
        soiled = (
            soil(grey, rng, synthetic=True)
            if rng.random() > RULED
            else soil(on_squares(grey, DRAWN_AT, rng), rng, synthetic=False)
        )
        soiled = shaded(soiled, rng) if rng.random() < SHADED else soiled
        judged = min(symbol_size(soiled), grey.shape[0])
        if 0.6 < judged / size < 1.6:
            size = judged
        factor = self.processor.symbol / size * float(np.exp(rng.gauss(0, 0.13)))
        formula = self.processor.at_scale(soiled, factor)
        drawn = min(factor, (self.processor.max_pixels / grey.size) ** 0.5)
        return formula, self.cells([(token, stroke * drawn) for token, stroke in placed], formula.shape)

    def cells(self, ink: Ink, shape: tuple[int, int]) -> np.ndarray:
        """(2, rows, columns): the id of the token with most ink in a cell, and its place among the formula's; `IGNORED` for none."""
        rows, columns = shape[0] // CELL, shape[1] // CELL
        places, kinds = [], []
        for token, stroke in ink:
            if token in self.ids:
                dense = resampled(stroke, 2.0)
                cells = np.clip((dense // CELL).astype(int), 0, (columns - 1, rows - 1))
                places.append(cells[:, 1] * columns + cells[:, 0])
                kinds.append(np.full(len(dense), self.ids[token] * BASE + token.place + 1))
        found = np.full((2, rows * columns), IGNORED)
        if places:
            counted, counts = np.unique(
                np.stack([np.concatenate(places), np.concatenate(kinds)]), axis=1, return_counts=True
            )
            order = np.argsort(counts)  # the last to be written, the most frequent, stays
            where, kind = counted[:, order]
            found[0, where] = kind // BASE
            found[1, where] = np.where(kind % BASE > 0, kind % BASE - 1, IGNORED)
        return found.reshape(2, rows, columns)


def resampled(stroke: np.ndarray, step: float) -> np.ndarray:
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    if lengths[-1] <= step:
        return stroke[:1]
    steps = np.linspace(0, lengths[-1], int(lengths[-1] / step) + 2)
    return np.stack([np.interp(steps, lengths, stroke[:, axis]) for axis in (0, 1)], 1)


def fitted(drawing: list[np.ndarray], place: np.ndarray, rng: random.Random, upright: bool = False) -> list[np.ndarray]:
    """Another drawing where the old one was, as large as it (by the diagonal, or the height if `upright`), its own proportions kept."""
    points = np.concatenate(drawing)
    low, high = place.min(0), place.max(0)
    old, new = ((np.ptp(ink, 0)[1] if upright else np.hypot(*np.ptp(ink, 0))) for ink in (place, points))
    scale = old / max(new, 1e-6) * rng.uniform(0.85, 1.15)
    middle, origin = (low + high) / 2, (points.min(0) + points.max(0)) / 2
    return [(stroke - origin) * scale + middle for stroke in drawing]


def grown(strokes: list[np.ndarray], growth: float, up: float) -> list[np.ndarray]:
    """A symbol `growth` times as large on the same foot, moved up by `up` of its height."""
    points = np.concatenate(strokes)
    foot = np.array([(points[:, 0].min() + points[:, 0].max()) / 2, points[:, 1].max()])
    shift = np.array([0, up * np.ptp(points[:, 1])])
    return [(stroke - foot) * growth + foot - shift for stroke in strokes]


def moved(ink: Ink, rng: random.Random) -> Ink:
    """Everything that hands do to shapes: slant, width, turn, waves over the whole, each symbol's own change, tremor."""
    seed = np.random.default_rng(rng.getrandbits(32))
    points = np.concatenate([stroke for _, stroke in ink])
    low, extent = points.min(0), np.maximum(np.ptp(points, 0), 1e-6)
    sizes = [max(np.ptp(stroke, 0).max(), 1e-6) for _, stroke in ink]
    size = float(np.median(sizes))
    shear, stretch, turn = rng.gauss(0, 0.12), float(np.exp(rng.gauss(0, 0.12))), rng.gauss(0, 0.025)
    matrix = np.array([[stretch, turn], [-shear, 1.0]])
    waves = (
        [(rng.uniform(0, 6.3), rng.uniform(0.6, 3) * 6.3, rng.gauss(0, 0.08) * size) for _ in range(4)]
        if rng.random() < 0.5
        else []
    )
    tremor = rng.choice([0.0, 0.0, 0.01, 0.025]) * size
    step = rng.choice([1, 1, 1, 2, 3])
    own = rng.random() < 0.4
    changed: Ink = []
    for token, stroke in ink:
        if step > 1 and len(stroke) > 4 * step:  # a mouse gives fewer points than a tablet
            stroke = np.concatenate([stroke[:-1:step], stroke[-1:]])
        if own:
            middle = (stroke.min(0) + stroke.max(0)) / 2
            change = np.eye(2) + seed.normal(0, 0.05, (2, 2))
            stroke = (stroke - middle) @ change + middle + seed.normal(0, 0.03 * size, 2)
        where = (stroke - low) / extent.max()
        for index, (phase, frequency, depth) in enumerate(waves):
            shift = depth * np.sin(frequency * where[:, index % 2] + phase)
            stroke = stroke + np.stack([shift * (index >= 2), shift * (index < 2)], 1)
        if tremor:
            stroke = stroke + seed.normal(0, tremor, stroke.shape)
        changed.append((token, stroke @ matrix))
    return changed


def scribble(rng: random.Random) -> Ink:
    """What is no formula: thick zigzags, tangles and spirals."""
    seed = np.random.default_rng(rng.getrandbits(32))
    strokes = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind, count = rng.randrange(3), rng.randint(25, 120)
        if kind == 0:
            stroke = np.stack([np.linspace(0, rng.uniform(0.5, 4), count), np.where(np.arange(count) % 2, 1.0, 0.0)], 1)
            stroke = stroke + seed.normal(0, 0.12, stroke.shape)
        elif kind == 1:
            stroke = np.cumsum(np.cumsum(seed.normal(0, 1, (count, 2)), 0) * 0.2 + seed.normal(0, 1, (count, 2)), 0)
            stroke = stroke - stroke.mean(0)
            stroke = np.tanh(stroke / (np.abs(stroke).mean(0) + 1e-6)) + seed.normal(0, 0.2, stroke.shape)
        else:
            angle = np.linspace(0, rng.uniform(4, 12) * 6.3, count * 3)
            radius = np.linspace(0.1, 1, len(angle)) * (1 + seed.normal(0, 0.1, len(angle)))
            stroke = np.stack([radius * np.cos(angle), radius * np.sin(angle) * rng.uniform(0.5, 1)], 1)
        strokes.append((NONE, stroke + (rng.uniform(0, 2), rng.uniform(0, 1))))
    return strokes


def struck_out(strokes: list[np.ndarray], rng: random.Random) -> Ink:
    """The beginning of a formula under a dense zigzag."""
    kept = strokes[: rng.randint(2, 8)]
    points = np.concatenate(kept)
    low, extent = points.min(0), np.maximum(np.ptp(points, 0), 0.05 * max(float(np.ptp(points, 0).max()), 1e-6))
    turns = max(8, round(rng.uniform(5, 12) * float(extent[0] / extent[1])))
    seed = np.random.default_rng(rng.getrandbits(32))
    passes = []
    for _ in range(rng.choice((1, 2, 2))):
        zigzag = np.stack([np.linspace(-0.05, 1.05, turns), np.where(np.arange(turns) % 2, 1.05, -0.05)], 1)
        passes.append(low + (zigzag + seed.normal(0, 0.06, zigzag.shape)) * extent)
    return [(NONE, stroke) for stroke in (*kept, *passes)]


def collate(items: list[tuple[np.ndarray, list[int], np.ndarray]]) -> Batch:
    targets = torch.full((len(items), max(len(ids) for _, ids, _ in items) + 1), IGNORED)
    for row, (_, ids, _) in zip(targets, items, strict=True):
        row[: len(ids) + 1] = torch.tensor([*ids, EOS])
    pixels = torch.from_numpy(stacked([picture for picture, _, _ in items]))
    cells = torch.full((len(items), 2, pixels.shape[2] // CELL, pixels.shape[3] // CELL), IGNORED)
    for row, (_, _, found) in zip(cells, items, strict=True):
        row[:, : found.shape[1], : found.shape[2]] = torch.from_numpy(found)
    return Batch(pixels, targets, cells)
