r"""What a formula's reading left out: symbols that the encoder's head sees in the ink and the LaTeX does not have.

The head names the symbol of each cell of features. It tells nothing of how symbols stand to one another, but it does not stop
early either: of formulas whose last four symbols were cut from the text, it missed at least two in nine of ten.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwr_core.decoding.unused_ink import matched_in

LIKELY_SYMBOL = 0.5  # probability that the head must give a cell's symbol
LEAST_CELLS = 2  # of a symbol: fewer are the edge of another
LEAST_LACKING = 2  # symbols that the head sees and the text lacks, from which they count as unread
STRUCTURE = frozenset(r"{ } ^ _ & \\ \limits \text".split())  # tokens without ink of their own


@dataclass(frozen=True)
class SeenSymbol:
    """A symbol that the encoder's head sees: its token id, and from where to where it stands, 0–1 of the picture's width."""

    token: int
    left: float
    right: float


def seen_symbols(logits: np.ndarray, picture: np.ndarray) -> list[SeenSymbol]:
    """The symbols in a picture, from the left: neighbouring cells of one symbol together.

    Args:
        logits: (rows, columns, vocabulary) float, the head's output.
        picture: (height, width) float, the encoder's input: negative for ink, positive for paper, 0 for padding. Its sides are
            the same multiple of the rows and the columns.
    """
    rows, columns, _ = logits.shape
    # The head was not trained on cells without ink.
    inked = (picture < 0).reshape(rows, picture.shape[0] // rows, columns, picture.shape[1] // columns).any((1, 3))
    best = logits.argmax(2)
    odds = np.exp(logits - logits.max(2, keepdims=True)).sum(2)  # of the most probable one: 1 to odds
    open_cells = set(zip(*np.nonzero(inked & (odds < 1 / LIKELY_SYMBOL)), strict=True))
    found = []
    while open_cells:
        first = open_cells.pop()
        piece, ahead = [first], deque([first])
        while ahead:
            row, column = ahead.popleft()
            for near in [(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)]:
                if near in open_cells and best[near] == best[first]:
                    open_cells.remove(near)
                    piece.append(near)
                    ahead.append(near)
        if len(piece) >= LEAST_CELLS:
            places = [int(column) for _, column in piece]
            found.append(SeenSymbol(int(best[first]), min(places) / columns, (max(places) + 1) / columns))
    return sorted(found, key=lambda symbol: symbol.left)


def unread_stretches(
    seen: Sequence[SeenSymbol], tokens: Sequence[int], names: Sequence[str]
) -> tuple[tuple[float, float], ...]:
    r"""The stretches of a formula whose symbols its LaTeX lacks, each from and to in 0–1 of the picture's width.

    Args:
        seen: What the head sees, from the left.
        tokens: Those of the reading.
        names: The LaTeX of each token id.
    """
    written = [token for token in tokens if has_ink(names[token])]
    # The letters of a name such as \sin may stand apart: it counts once.
    alone = [symbol for place, symbol in enumerate(seen) if not _goes_on(seen[:place], symbol, names)]
    there, given = Counter(symbol.token for symbol in alone), Counter(written)
    if min((there - given).total(), len(alone) - len(written)) < LEAST_LACKING:
        return ()
    known = matched_in([symbol.token for symbol in alone], written)
    lacking = [symbol for symbol, is_known in zip(alone, known, strict=True) if not is_known]
    stretches: list[tuple[float, float]] = []
    for symbol in lacking:
        if stretches and symbol.left <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], max(stretches[-1][1], symbol.right)
        else:
            stretches.append((symbol.left, symbol.right))
    return tuple(stretches)


def has_ink(name: str) -> bool:
    """Whether a token of LaTeX stands for ink of its own."""
    return name not in STRUCTURE and not name.startswith(("\\begin", "\\end"))


def _goes_on(before: Sequence[SeenSymbol], symbol: SeenSymbol, names: Sequence[str]) -> bool:
    return names[symbol.token][:1] == "\\" and any(earlier.token == symbol.token for earlier in before)
