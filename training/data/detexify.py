"""Detexify's handwritten symbols, each by the token that the math checkpoint writes for it.

Every sample was scaled to the same box, so that its size says nothing: it gets the size that its class has in a formula.
"""

import gzip
import json
from pathlib import Path

import numpy as np

from hwr_core.decoding.latex import canonical
from hwr_core.errors import HandwritingError
from hwr_core.ink.strokes import Strokes
from training.data.datasets import DATA

KEPT = 20  # every twentieth sample is for validation
# The longer side of symbols that neither CROHME's writers nor Hershey's fonts drew, digits 1 high.
SIZES = {
    0.3: r"\bullet",
    0.65: r"\iota \star \neg",
    0.75: r"\nu \kappa ; \odot \oplus \otimes \wedge \vee \prec \succ \simeq",
    0.85: r"\subseteq \supset \supseteq \subsetneq \cong \ll \gg \top \asymp \mp \propto \equiv",
    1.0: r"\notin \vdash \models \square \triangle \ell \hbar \Re \Im \aleph \nexists \exists \forall \because \triangleq \vdots \ddots \checkmark "
    r"? \# \nearrow \searrow \emptyset \mathbb{N} \mathbb{Z} \mathbb{Q} \mathbb{R} \mathbb{C} \mathbb{P} \mathbb{E} \mathbb{F} \mathbb{H} \mathbb{K} "
    r"\mathbb{D} \mathbb{1}",
    1.2: r"\uparrow \downarrow \leftrightarrow \Leftrightarrow \Leftarrow \Rightarrow \mapsto \rightleftharpoons \dagger \setminus \nmid \$",
    1.4: r"\langle \rangle \lfloor \rfloor \lceil \rceil \|",
    1.7: r"\bigcup \bigcap \bigoplus \bigotimes",
    2.2: r"\iint \iiint \oint \int",
}  # fmt: skip
SIZE = {token: size for size, tokens in SIZES.items() for token in tokens.split()}
FLOURISHED = (
    r"\mathcal",
    r"\mathbb",
)  # of these, letters that are no signs of their own: another form of the plain letter


def detexify(split: str, folder: Path = DATA) -> list[tuple[str, bool, Strokes]]:
    """(token, whether it is a flourished form of a letter, strokes from 0 to 1), of `split` train or val."""
    found: list[tuple[str, bool, list[np.ndarray]]] = []
    tokens: dict[str, str | None] = {}
    with gzip.open(folder / "detexify.jsonl.gz", "rt", encoding="utf-8") as file:
        for index, record in enumerate(map(json.loads, file)):
            label = record["label"]
            if label not in tokens:
                tokens[label] = token_of(label)
            token = tokens[label]
            if token is None or (index % KEPT == KEPT - 1) != (split == "val"):
                continue
            strokes = [np.array(stroke, np.float32).reshape(-1, 2) / 1000 for stroke in record["strokes"]]
            found.append((token, label.startswith(FLOURISHED) and not token.startswith(FLOURISHED), strokes))
    return found


def token_of(label: str) -> str | None:
    """The one token that a label stands for; None where it is none, or one with arguments."""
    try:
        tokens = canonical(label)
    except HandwritingError:
        return None
    return tokens[0] if len(tokens) == 1 else None


def sized(samples: list[tuple[str, bool, Strokes]], known: dict[str, list[Strokes]]) -> dict[str, list[Strokes]]:
    """Drawings as large as the class is in formulas: the median diagonal of `known` drawings, or the side that `SIZE` says.

    Classes that neither tells of are left out. Of flourished letters there are at most an eighth as many as plain ones.
    """
    found: dict[str, list[Strokes]] = {}
    diagonals = {
        token: float(np.median([np.hypot(*_extent(drawing)) for drawing in drawings]))
        for token, drawings in known.items()
    }
    flourished: dict[str, int] = {}
    for token, is_flourished, strokes in samples:
        if is_flourished:
            flourished[token] = flourished.get(token, 0) + 1
            if token not in known or flourished[token] > len(known[token]) / 8:
                continue
        extent = _extent(strokes)
        if token in SIZE:
            scale = SIZE[token] / max(float(extent.max()), 1e-6)
        elif token in diagonals:
            scale = diagonals[token] / max(float(np.hypot(*extent)), 1e-6)
        else:
            continue
        points = np.concatenate(strokes)
        origin = (points.min(0) + points.max(0)) / 2
        found.setdefault(token, []).append([((stroke - origin) * scale).astype(np.float32) for stroke in strokes])
    return found


def _extent(strokes: Strokes) -> np.ndarray:
    return np.ptp(np.concatenate(strokes), axis=0)
