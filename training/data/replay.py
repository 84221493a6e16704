"""General lines, which keep a checkpoint from forgetting other hands while it learns one.

With the training data at hand (`HWR_DATA`) they are lines of many writers. Without, they are drawn with the alphabet of
`hwr_core.ink.handprint`, and their texts are invented by the checkpoint's language model.
"""

import random
from collections.abc import Callable, Sequence

import numpy as np

from hwr_core.decoding.language_model import LanguageModel
from hwr_core.ink.handprint import GLYPHS, write
from training.data import datasets as data
from training.data.pictures import decoded
from training.synthesis.augment import draw_varied

LENGTHS = 12, 45  # characters of an invented line
STYLES = 0.15, 0.012  # standard deviations of the slant, and of the letters' places

Sample = tuple[np.ndarray, str]  # grey picture of a line, dark on light, and its text


def general_lines(language_model: LanguageModel | None, tokens: Sequence[str]) -> Callable[[random.Random], Sample]:
    """Returns a function that makes a general line.

    Args:
        language_model: The checkpoint's.
        tokens: Its tokens, in the order of their ids.
    """
    if (data.DATA / "iam_ondb.jsonl.gz").is_file():
        return _of_writers()
    return lambda rng: drawn(invented(language_model, tokens, rng), rng)


def _of_writers() -> Callable[[random.Random], Sample]:
    ink, scans = data.iam_ondb("train"), data.scans("copiste", "train")

    def line(rng: random.Random) -> Sample:
        if rng.random() < 0.5:
            drawn = rng.choice(ink)
            return draw_varied(drawn.strokes, rng), drawn.text
        scan = rng.choice(scans)
        return decoded(scan.jpeg), scan.text

    return line


def invented(language_model: LanguageModel | None, tokens: Sequence[str], rng: random.Random) -> str:
    """A text that the language model finds likely, of the characters of `GLYPHS`; random letters without a model."""
    wanted = rng.randint(*LENGTHS)
    ids = np.array([index for index, token in enumerate(tokens) if token in GLYPHS or token == " "])
    weights = np.full(len(ids), 1 / len(ids))
    if language_model is not None:
        language_model = language_model.for_lines([rng.randrange(len(language_model.languages))])
    context = language_model.start(1) if language_model is not None else None
    text = ""
    while len(text) < wanted or text.endswith(" "):
        if language_model is not None and context is not None:
            log_p = language_model.score(context, ids[None])[0].astype(np.float64)
            weights = np.exp(log_p - log_p.max())
        chosen = int(ids[rng.choices(range(len(ids)), weights.tolist())[0]])
        text += tokens[chosen]
        if language_model is not None and context is not None:
            context = language_model.advance(context, np.array([chosen]))
    return " ".join(text.split()) or "a"


def drawn(text: str, rng: random.Random) -> Sample:
    """A text in the drawn alphabet, slanted and unsteady by chance."""
    slant, unsteadiness = rng.gauss(0, STYLES[0]), abs(rng.gauss(0, STYLES[1]))
    return draw_varied(write(text, slant=slant, unsteadiness=unsteadiness, seed=rng.getrandbits(32)), rng), text
