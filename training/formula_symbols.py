"""The tokens that the math checkpoint writes, and a drawing by hand of each.

Most are drawn by CROHME's writers. The few that its formulas lack come from Hershey's stroke fonts (US National Bureau of
Standards, 1967, free to use; the wheel `Hershey-Fonts` is MIT), whose forms are then varied as all others are.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from HersheyFonts import HersheyFonts
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from hwr_core.ink import Strokes
from hwr_core.latex import BEGIN, END
from training.charset import SPECIAL, as_trocr

GREEK = {
    r"\delta": "d",
    r"\epsilon": "e",
    r"\zeta": "f",
    r"\eta": "g",
    r"\xi": "n",
    r"\rho": "q",
    r"\tau": "s",
    r"\chi": "v",
    r"\psi": "w",
    r"\omega": "x",
    r"\Gamma": "C",
    r"\Theta": "H",
    r"\Lambda": "K",
    r"\Xi": "N",
    r"\Phi": "U",
    r"\Psi": "W",
    r"\Omega": "X",
    r"\alpha": "a",
    r"\beta": "b",
    r"\gamma": "c",
    r"\theta": "h",
    r"\lambda": "k",
    r"\mu": "l",
    r"\pi": "p",
    r"\sigma": "r",
    r"\phi": "u",
    r"\Delta": "D",
}  # fmt: skip  letters of the font "greeks"
SIGNS = {
    r"\partial": "m",
    r"\perp": "z",
    r"\parallel": "y",
    r"\cap": "g",
    r"\cup": "e",
    r"\subset": "d",
    r"\propto": "^",
    r"\mp": '"',
    r"\equiv": "@",
    r"\therefore": "~",
    r"\angle": "|",
    r"\circ": "`",
    r"\leftarrow": "k",
    r"\exists": "v",
    r"\in": "h",
}  # fmt: skip  characters of the font "mathupp"
LATIN = {letter: ("rowmans", "mathupp", "scripts", "cursive", "futural") for letter in "DOQUWZJK"}
EXTRA = [
    *LATIN, ":", "*", r"\%", r"\nabla", r"\approx", r"\sim", r"\Rightarrow", r"\prod", *list(GREEK)[:17],
    *(sign for sign in SIGNS if sign not in (r"\exists", r"\in")), r"\overline", r"\vec", r"\hat", r"\dot", BEGIN, END, "&", r"\\",
]  # fmt: skip


def vocabulary(formulas: Iterable[list[str]]) -> list[str]:
    """The tokens of CROHME's formulas, the most frequent first, then `EXTRA`."""
    counts = Counter(token for tokens in formulas for token in tokens)
    found = [token for token, _ in counts.most_common()]
    return found + [token for token in EXTRA if token not in counts]


def build_math_tokenizer(tokens: list[str]) -> PreTrainedTokenizerFast:
    """One id a LaTeX token; text for it has its tokens parted by spaces."""
    vocabulary_ = {token: index for index, token in enumerate(SPECIAL + tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary_, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return as_trocr(tokenizer)


def hershey() -> dict[str, list[Strokes]]:
    """Symbols in units of a capital's height, their centre at the origin."""
    found: dict[str, list[Strokes]] = {token: [_glyph("greeks", letter)] for token, letter in GREEK.items()}
    found |= {token: [_glyph("mathupp", letter)] for token, letter in SIGNS.items()}
    found |= {letter: [_glyph(font, letter) for font in fonts] for letter, fonts in LATIN.items()}
    found[":"] = [_centred([np.array([[0, y], [0.03, y + 0.03]]) for y in (0.0, 0.45)])]
    found["*"] = [_glyph("rowmans", "*")]
    found[r"\%"] = [_glyph("rowmans", "%")]
    found[r"\nabla"] = [_centred([np.array([[0, 0], [0.8, 0], [0.4, 0.9], [0, 0]])])]
    wave = np.stack([np.linspace(0, 0.8, 12), -0.12 * np.sin(np.linspace(0, 2 * np.pi, 12))], 1)
    found[r"\sim"] = [_centred([wave])]
    found[r"\approx"] = [_centred([wave, wave + (0, 0.3)])]
    arrow = [np.array([[0, y], [0.9, y]]) for y in (0.0, 0.25)] + [np.array([[0.7, -0.2], [1.05, 0.125], [0.7, 0.45]])]
    found[r"\Rightarrow"] = [_centred(arrow)]
    found[r"\prod"] = [_centred([np.array([[0, 0], [1, 0]]), np.array([[0.2, 0], [0.2, 1.2]]), np.array([[0.8, 0], [0.8, 1.2]])])]
    return found


def all_drawings(crohme: dict[str, list[Strokes]]) -> dict[str, list[Strokes]]:
    """CROHME's drawings, and Hershey's where it has fewer than thirty of a token."""
    found = {token: list(drawn) for token, drawn in crohme.items()}
    found[r"\cdot"] = found["."]  # CROHME labels both the same
    found["'"] = found.get("'", []) + found[r"\prime"]
    for token, drawn in hershey().items():
        if len(found.get(token, [])) < 30:
            found.setdefault(token, []).extend(drawn * 4)
    return found


def _glyph(font: str, letter: str) -> Strokes:
    fonts = HersheyFonts()
    fonts.load_default_font(font)
    capital = np.concatenate([np.array(list(stroke), float) for stroke in fonts.strokes_for_text("H")])
    strokes = [np.array(list(stroke), float) for stroke in fonts.strokes_for_text(letter)]
    height = np.ptp(capital[:, 1])
    return _centred([stroke / height for stroke in strokes])


def _centred(strokes: Strokes) -> Strokes:
    points = np.concatenate(strokes)
    origin = (points.min(0) + points.max(0)) / 2
    return [(stroke - origin).astype(np.float32) for stroke in strokes]
