"""The tokens that the math checkpoint writes, and drawings of digits and rare signs.

The rare signs, in `hershey.json`, come from A. V. Hershey's stroke fonts (US National Bureau of Standards, 1967, free
to use; taken from the wheel of `Hershey-Fonts` 2.1.0, MIT): their points, y downwards, capitals 21 high. They are
varied as all others are. The digits come from Pen-Based Digits.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from hwr_core.decoding.latex import BEGIN, END, TEXT
from hwr_core.ink.strokes import Strokes
from training.data.charset import SPECIAL, as_trocr
from training.data.datasets import DATA

CAPITAL = 21  # the height of a capital in `hershey.json`
# Beside CROHME's.
EXTRA = (
    "D O Q U W Z J K : * \\% \\delta \\epsilon \\zeta \\eta \\xi \\rho \\tau \\chi \\psi \\omega \\Gamma \\Theta \\Lambda \\Xi \\Phi \\Psi \\Omega "
    "\\partial \\nabla \\perp \\parallel \\cap \\cup \\subset \\propto \\mp \\equiv \\therefore \\angle \\circ \\leftarrow \\approx \\sim \\Rightarrow "
    "\\prod \\overline \\vec \\hat \\dot"
).split() + [BEGIN, END, "&", r"\\"]
# What the second version has beside the first: at the end, so that the first one's rows keep their places.
SECOND = [TEXT] + (
    r"\nu \kappa \iota \iint \iiint \oint \uparrow \downarrow \leftrightarrow \Leftrightarrow \Leftarrow \mapsto \rightleftharpoons \nearrow \searrow "
    r"\langle \rangle \lfloor \rfloor \lceil \rceil \| \wedge \vee \neg \notin \subseteq \supset \supseteq \subsetneq \emptyset \setminus \vdash \models "
    r"\because \ll \gg \cong \simeq \prec \succ \oplus \otimes \odot \star \bullet \dagger \bigcup \bigcap \bigoplus \bigotimes \triangle \square \hbar "
    r"\ell \Re \Im \aleph \# \$ ; ? \vdots \ddots \tilde \ddot \mathbb{N} \mathbb{Z} \mathbb{Q} \mathbb{R} \mathbb{C} \mathbb{P} \mathbb{E} "
    r"\mathbb{F} \mathbb{H} \mathbb{K} \mathbb{D} \mathbb{1} \nexists \nmid \top \triangleq \checkmark"
).split()  # fmt: skip


def vocabulary(formulas: Iterable[list[str]]) -> list[str]:
    """The tokens of CROHME's formulas, the most frequent first, then `EXTRA`."""
    counts = Counter(token for tokens in formulas for token in tokens)
    found = [token for token, _ in counts.most_common()]
    return found + [token for token in EXTRA + SECOND if token not in counts]


def build_math_tokenizer(tokens: list[str]) -> PreTrainedTokenizerFast:
    """One id a LaTeX token; text for it has its tokens parted by spaces."""
    vocabulary_ = {token: index for index, token in enumerate(SPECIAL + tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary_, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return as_trocr(tokenizer)


def hershey() -> dict[str, list[Strokes]]:
    """Symbols in units of a capital's height, their centre at the origin."""
    drawn = json.loads(Path(__file__).with_name("hershey.json").read_text(encoding="utf-8"))
    found = {
        token: [_centred([np.array(stroke) / CAPITAL for stroke in strokes]) for strokes in kinds]
        for token, kinds in drawn.items()
    }
    found[":"] = [_centred([np.array([[0, y], [0.03, y + 0.03]]) for y in (0.0, 0.45)])]
    found[r"\nabla"] = [_centred([np.array([[0, 0], [0.8, 0], [0.4, 0.9], [0, 0]])])]
    wave = np.stack([np.linspace(0, 0.8, 12), -0.12 * np.sin(np.linspace(0, 2 * np.pi, 12))], 1)
    found[r"\sim"] = [_centred([wave])]
    found[r"\approx"] = [_centred([wave, wave + (0, 0.3)])]
    arrow = [np.array([[0, y], [0.9, y]]) for y in (0.0, 0.25)] + [np.array([[0.7, -0.2], [1.05, 0.125], [0.7, 0.45]])]
    found[r"\Rightarrow"] = [_centred(arrow)]
    found[r"\prod"] = [
        _centred([np.array([[0, 0], [1, 0]]), np.array([[0.2, 0], [0.2, 1.2]]), np.array([[0.8, 0], [0.8, 1.2]])])
    ]
    return found


def pen_digits(each: int, folder: Path = DATA, seed: int = 1) -> dict[str, list[Strokes]]:
    """Of every digit `each` drawings by the writers of Pen-Based Digits, 1 high, their centre at the origin."""
    found: dict[str, list[Strokes]] = {}
    with gzip.open(folder / "pendigits.jsonl.gz", "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            strokes = [np.array(stroke, np.float32).reshape(-1, 2) for stroke in record["strokes"]]
            height = float(np.ptp(np.concatenate(strokes)[:, 1]))
            if height > 0:
                found.setdefault(str(record["label"]), []).append(_centred([stroke / height for stroke in strokes]))
    rng = random.Random(seed)
    return {digit: rng.sample(drawn, min(each, len(drawn))) for digit, drawn in found.items()}


def _centred(strokes: Strokes) -> Strokes:
    points = np.concatenate(strokes)
    origin = (points.min(0) + points.max(0)) / 2
    return [(stroke - origin).astype(np.float32) for stroke in strokes]
