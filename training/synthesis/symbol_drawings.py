"""Drawings by hand of every token that the math checkpoint writes, of all sources together.

Most are drawn by CROHME's writers, signs by those of Detexify too, digits by those of Pen-Based Digits. Characters of
which CROHME has few come from handwriting fonts too.
"""

from hwr_core.ink.strokes import Strokes
from training.data.datasets import fonts
from training.data.detexify import detexify, sized
from training.data.formula_symbols import hershey, pen_digits
from training.synthesis.font_strokes import glyphs
from training.synthesis.formula_layout import UNDRAWN

FROM_FONTS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%&*:;?!#$+=/()[]<>"
ENOUGH = 400  # drawings of a character by CROHME's writers with which fonts add a few only


def all_drawings(crohme: dict[str, list[Strokes]]) -> dict[str, list[Strokes]]:
    """CROHME's drawings, Detexify's, the fonts', Pen-Based Digits', and Hershey's where there are fewer than thirty of a token."""
    found = {token: list(drawn) for token, drawn in crohme.items()}
    found[r"\cdot"] = list(found["."])  # CROHME labels both the same
    found["'"] = found.get("'", []) + found[r"\prime"]
    known = hershey()
    for token, drawn in sized(
        detexify("train"), {**known, **{t: d for t, d in crohme.items() if len(d) >= 10}}
    ).items():
        if token not in UNDRAWN:
            found.setdefault(token, []).extend(drawn)
    for character, drawn in glyphs(fonts(), FROM_FONTS, 60).items():
        token = "\\" + character if character in "%#$" else character
        if token != "&":
            own = found.setdefault(token, [])
            own.extend(drawn if len(own) < ENOUGH else drawn[:25])
    for digit, drawn in pen_digits(60).items():
        found[digit].extend(drawn)
    for token, drawn in known.items():
        if len(found.get(token, [])) < 30:
            found.setdefault(token, []).extend(drawn * 4)
    return found
