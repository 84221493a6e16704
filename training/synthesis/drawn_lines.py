"""New lines out of the data: words of one writer recombined, characters composed into texts, fonts rendered."""

import io
import random
import unicodedata

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.morphology import skeletonize

from hwr_core.ink.strokes import Strokes
from training.data.charset import CHARACTERS, STRUCK
from training.data.datasets import InkLine
from training.synthesis import signs, struck

# Shares of the lines in fonts with their letters apart, drawn with one pen, and, of those in capitals, in small ones.
TRACKED, MONOLINE, SMALL_CAPITALS = 0.3, 0.35, 0.5
X_HEIGHT = set("acemnorsuvwxz")
DESCENDING = set("gpqy")
LOW = {".": 0.06, ",": 0.2}
MIDDLE = {"-": 0.0, "+": 0.5, "=": 0.3, "×": 0.45, "÷": 0.6, "<": 0.5, ">": 0.5, "±": 0.6, "→": 0.3, "∞": 0.4, "π": 0.6}


def split_words(line: InkLine) -> list[tuple[str, Strokes]] | None:
    """The line's words and their strokes, told apart by its widest gaps; None where the gaps do not tell clearly."""
    words = line.text.split(" ")
    spans = sorted((float(s[:, 0].min()), float(s[:, 0].max()), index) for index, s in enumerate(line.strokes))
    reach, gaps = spans[0][1], []
    for position, (left, right, _) in enumerate(spans[1:], 1):
        gaps.append((left - reach, position))
        reach = max(reach, right)
    gaps.sort(reverse=True)
    cuts, rest = gaps[: len(words) - 1], gaps[len(words) - 1 :]
    if (
        len(cuts) < len(words) - 1
        or (cuts and rest and cuts[-1][0] < 1.4 * max(rest[0][0], 0))
        or (cuts and cuts[-1][0] <= 0)
    ):
        return None
    edges = [0, *sorted(position for _, position in cuts), len(spans)]
    return [
        (word, [line.strokes[index] for _, _, index in spans[start:end]])
        for word, start, end in zip(words, edges[:-1], edges[1:], strict=True)
    ]


class WordPool:
    """The words of each writer's well-spaced lines, to be put into new lines."""

    def __init__(self, lines: list[InkLine]):
        self.writers: dict[str, list[tuple[str, Strokes]]] = {}
        for line in lines:
            if line.writer is not None and (words := split_words(line)):
                baseline = np.median(np.concatenate(line.strokes)[:, 1])
                moved = [(word, [stroke - (0, baseline) for stroke in strokes]) for word, strokes in words]
                self.writers.setdefault(line.writer, []).extend(moved)
        self.names = sorted(name for name, words in self.writers.items() if len(words) >= 20)

    def compose(self, rng: random.Random, count: int) -> tuple[str, Strokes]:
        """`count` words by one writer, side by side; now and then one is struck out."""
        chosen = rng.choices(self.writers[rng.choice(self.names)], k=count)
        if rng.random() < struck.SHARE:
            place = rng.randrange(count)
            word, strokes = chosen[place]
            if len(word) >= struck.LEAST_LETTERS:
                chosen[place] = word + STRUCK, struck.struck_strokes(strokes, rng)
        height = np.median([np.ptp(np.concatenate(strokes)[:, 1]) for _, strokes in chosen])
        return " ".join(word for word, _ in chosen), set_side_by_side([s for _, s in chosen], height, rng, (0.35, 1.0))


def set_side_by_side(groups: list[Strokes], height: float, rng: random.Random, gap: tuple[float, float]) -> Strokes:
    """Strokes of the groups moved into one row, `gap` (in shares of `height`) between them."""
    row: Strokes = []
    x = 0.0
    for strokes in groups:
        left = min(float(stroke[:, 0].min()) for stroke in strokes)
        right = max(float(stroke[:, 0].max()) for stroke in strokes)
        row.extend(stroke + (x - left, 0) for stroke in strokes)
        x += right - left + height * rng.uniform(*gap)
    return row


class Glyphs:
    """Handprint: texts composed of single characters by CROHME's writers, and of drawn signs, at the heights and on the baseline that print has."""

    def __init__(self, symbols: dict[str, list[Strokes]]):
        self.symbols = {label: shapes for label, shapes in symbols.items() if label in CHARACTERS}
        self.known: dict[str, bool] = {" ": True}

    def can_write(self, text: str) -> bool:
        return all(self.has(character) for character in set(text))

    def has(self, character: str) -> bool:
        if character not in self.known:
            base, *marks = unicodedata.normalize("NFD", character)
            drawn = base in self.symbols or signs.can_draw(base)
            self.known[character] = drawn and character in CHARACTERS and signs.MARKS.issuperset(marks)
        return self.known[character]

    def compose(self, text: str, rng: random.Random, apart: float = 0.0) -> Strokes:
        """`text` in strokes, a capital being one unit high, on the baseline y = 0; its letters so far apart, beside their usual distance."""
        chosen: dict[str, Strokes] = {}  # one writer repeats a shape, more or less
        tightness = rng.uniform(0.08, 0.3) if rng.random() < 0.7 else rng.uniform(0.3, 0.55)
        row: Strokes = []
        x = 0.0
        x_height = rng.uniform(0.5, 0.7)
        for character in text:
            if character == " ":
                x += rng.uniform(0.45, 0.9) + 1.5 * tightness + 1.4 * apart
                continue
            if character not in chosen or rng.random() < 0.2:
                chosen[character] = self.letter(character, x_height, rng)
            strokes = chosen[character]
            row.extend(stroke + (x, 0) for stroke in strokes)
            x += (
                max(0.05, signs.right_of(strokes)) + tightness * rng.uniform(0.5, 1.6) + apart * rng.uniform(0.85, 1.15)
            )
        return row

    def letter(self, character: str, x_height: float, rng: random.Random) -> Strokes:
        """One character with its accents, from x = 0 on."""
        base, *marks = unicodedata.normalize("NFD", character)
        drawn = (
            signs.sign(base, self.figures, rng)
            if base not in self.symbols or (signs.can_draw(base) and rng.random() < 0.5)
            else None
        )
        if drawn is None:
            shape = rng.choice(self.symbols[base])
            if marks and base in "ij":
                shape = undotted(shape)
            drawn, _ = self.place(base, shape, x_height, rng)
        width = signs.right_of(drawn)
        top = min(float(stroke[:, 1].min()) for stroke in drawn)
        return drawn + [stroke for mark in marks for stroke in signs.accent(mark, width / 2, top, rng)]

    def figures(self, text: str, rng: random.Random) -> Strokes:
        """Digits or letters without anything round them, from x = 0 on."""
        row, x = [], 0.0
        for character in text:
            strokes, width = self.place(character, rng.choice(self.symbols[character]), 0.6, rng)
            row += [stroke + (x, 0) for stroke in strokes]
            x += width + 0.1
        return row

    @staticmethod
    def place(character: str, shape: Strokes, x_height: float, rng: random.Random) -> tuple[Strokes, float]:
        points = np.concatenate(shape)
        low, size = points.min(0), np.maximum(np.ptp(points, 0), 1e-3)
        bottom = 0.0
        if character in X_HEIGHT:
            height = x_height
        elif character in DESCENDING:
            height, bottom = x_height + 0.4, 0.4
        elif character in LOW:
            height, bottom = LOW[character], 0.08
        elif character in MIDDLE:
            height = MIDDLE[character] * rng.uniform(0.8, 1.2)
            bottom = -0.4 + height / 2
        else:
            height = rng.uniform(0.9, 1.1)
            bottom = 0.3 if character in "j" else 0.0
        scale = rng.uniform(0.35, 0.6) / size[0] if character in "-→" else height * rng.uniform(0.93, 1.07) / size[1]
        scale = min(scale, 1.6 / size[0])
        bottom += rng.uniform(-0.05, 0.05)
        moved = [(stroke - (low[0], low[1] + size[1])) * scale + (0, bottom) for stroke in shape]
        return moved, float(size[0] * scale)


def undotted(shape: Strokes) -> Strokes:
    """An i or a j without its dot, which is the smaller of two strokes."""
    extents = [float(np.ptp(stroke, 0).max()) for stroke in shape]
    return [stroke for stroke, extent in zip(shape, extents, strict=True) if extent > 0.35 * max(extents)]


class FontWriter:
    """Renders texts in the fonts that have all of their characters."""

    def __init__(self, fonts: dict[str, bytes], monoline: float = MONOLINE):
        self.files, self.monoline = fonts, monoline
        self.names = sorted(fonts)
        self.loaded: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}
        self.known: dict[tuple[str, str], bool] = {}
        self.writers: dict[str, frozenset[str]] = {}

    def font(self, name: str, size: int) -> ImageFont.FreeTypeFont:
        if (name, size) not in self.loaded:
            self.loaded[name, size] = ImageFont.truetype(io.BytesIO(self.files[name]), size)
        return self.loaded[name, size]

    def having(self, character: str) -> frozenset[str]:
        """The fonts that can write it."""
        if character not in self.writers:
            self.writers[character] = frozenset(name for name in self.names if self.has(name, character))
        return self.writers[character]

    def has(self, name: str, character: str) -> bool:
        """A missing character is drawn as the same box as a code point that no font has."""
        if (name, character) not in self.known:
            font = self.font(name, 24)
            glyph, missing = (font.getmask(c) for c in (character, "\uffff"))
            self.known[name, character] = character == " " or (bytes(glyph) != bytes(missing) and any(bytes(glyph)))
        return self.known[name, character]

    def render(self, text: str, rng: random.Random, apart: float = 0.0) -> np.ndarray | None:
        """Grey uint8, black on white, about 64 pixels high; None where no font has all of the text."""
        able = frozenset.intersection(*(self.having(character) for character in set(text)))
        if not able:
            return None
        name = rng.choice(sorted(able))
        small = self.font(name, rng.choice([36, 38, 40])) if text.isupper() and rng.random() < SMALL_CAPITALS else None
        image = set_in_type(text, self.font(name, 48), small, rng, apart)
        return monoline(image, rng) if image is not None and rng.random() < self.monoline else image


def set_in_type(
    text: str,
    font: ImageFont.FreeTypeFont,
    small: ImageFont.FreeTypeFont | None,
    rng: random.Random,
    apart: float = 0.0,
) -> np.ndarray | None:
    """The text in one font, its letters sometimes a little or, by `apart` of a letter's size, far apart; all but the first letter of a word
    in `small`, where it is given.

    None where the text is empty in that font or far too long.
    """
    left, top, right, bottom = font.getbbox(text)
    if right - left < 3 or bottom - top < 3 or right - left > 4000:
        return None
    tracking = font.size * rng.uniform(-0.04, 0.28) if rng.random() < TRACKED else 0.0
    tracking = font.size * apart or tracking
    width = right - left + round(max(0.0, tracking) * len(text) + 1.2 * font.size * apart * text.count(" ")) + 16
    image = Image.new("L", (int(width), int(bottom - top) + 16), 255)
    pen, x, baseline = ImageDraw.Draw(image), 8.0 - left, 8 - top + font.getmetrics()[0]
    for index, piece in enumerate(text if tracking or small else [text]):
        of_piece = small if small and index and text[index - 1] != " " else font
        pen.text((x, baseline), piece, fill=0, font=of_piece, anchor="ls")
        x += of_piece.getlength(piece) + tracking + (font.size * apart * 1.2 if piece == " " else 0.0)
    return np.asarray(image)[:, : min(width, round(x) + 16)]


def monoline(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """The middle lines of the strokes, drawn with one pen: what a mouse or a ballpoint makes of those shapes."""
    middles = skeletonize(cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR) < 170).astype(np.uint8)
    size = rng.choice([3, 4, 5, 6, 7, 8, 9])
    lines = cv2.dilate(middles, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return cv2.resize(255 - 255 * lines, grey.shape[::-1], interpolation=cv2.INTER_AREA)
