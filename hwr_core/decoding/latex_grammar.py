r"""The LaTeX tokens that may come next: decoding with this grammar writes only formulas that render.

The language is `latex.canonical`'s: every argument and script is in braces, a subscript comes before the superscript,
and `\begin{matrix}` is closed. It is stricter in three points: no argument or script is empty, all rows of a matrix
have the same length, and a word has at least two letters.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hwr_core.decoding.latex import ARGUMENTS, BEGIN, END, TEXT

# Tokens before a \limits.
LIMITED = frozenset(r"\int \sum \prod \lim \iint \iiint \oint \bigcup \bigcap \bigoplus \bigotimes \coprod".split())
DEPTH = 12  # nested braces, at most: deeper than anyone writes
CACHED_MASKS = 4096  # states whose masks are kept


class Frame(NamedTuple):
    """An open brace, bracket or matrix.

    Attributes:
        closes: the token that closes it.
        then: number of arguments that must follow it.
        script: "^" or "_" if it is a script.
        width: number of `&` in the first row of a matrix; -1 before that row has ended.
        cells: number of `&` in the current row of a matrix.
    """

    closes: str
    then: int = 0
    script: str = ""
    width: int = -1
    cells: int = 0


class State(NamedTuple):
    r"""The state after some tokens.

    Attributes:
        frames: the open braces, brackets and matrices, outermost first.
        last: the last token's kind: "" for none, "thing", "limited" if `\limits` may follow, "_" or "^" for a script,
            "letter" for a word's first letter.
        braces: number of arguments that must still be opened.
        script: "^" or "_" if the argument is a script, `\text` if it is a word.
        degree: whether a `[` may open the degree of a root instead of the argument.
    """

    frames: tuple[Frame, ...] = ()
    last: str = ""
    braces: int = 0
    script: str = ""
    degree: bool = False


START = State()


def advance(state: State, token: str) -> State:
    """The state after one more token, which `Grammar` must allow."""
    frames, last, braces, script, degree = state
    if braces:
        if degree and token == "[":
            return State((*frames, Frame("]", 1)))
        return State((*frames, Frame("}", braces - 1, script)))
    if frames and token == frames[-1].closes:
        frame = frames[-1]
        if frame.then:
            return State(frames[:-1], "", frame.then)
        return State(frames[:-1], frame.script if frame.script in ("_", "^") else "thing")
    if token in ("^", "_"):
        return State(frames, "", 1, token)
    if token in ARGUMENTS:
        return State(frames, "", ARGUMENTS[token], TEXT if token == TEXT else "", degree=token == r"\sqrt")
    if token == BEGIN:
        return State((*frames, Frame(END)))
    if token == "&":
        return State((*frames[:-1], frames[-1]._replace(cells=frames[-1].cells + 1)))
    if token == r"\\":
        return State((*frames[:-1], frames[-1]._replace(width=frames[-1].cells, cells=0)))
    if frames and frames[-1].script == TEXT and not last:
        return State(frames, "letter")
    return State(frames, "limited" if token in LIMITED else "thing")


def to_close(state: State) -> int:
    """The fewest tokens that close everything. An argument takes three: a brace, a symbol, and a brace.

    A word takes one more: it has at least two letters.
    """
    count = 3 * state.braces + (bool(state.braces) and state.script == TEXT)
    if state.frames and state.frames[-1].script == TEXT and state.last != "thing":
        count += 1
    empty = not state.last and not state.braces
    for frame in reversed(state.frames):
        count += empty + 1 + 3 * frame.then
        if frame.closes == END and frame.width > frame.cells:
            count += 2 * (frame.width - frame.cells)
        empty = False
    return count


class Grammar:
    """Decides which tokens of a vocabulary may come next.

    Args:
        tokens: the vocabulary, by token id.
        end: id of the end token.
        special: ids of tokens that are never allowed, unless it is `end`.
    """

    def __init__(self, tokens: Sequence[str], end: int, special: Sequence[int] = ()):
        self.tokens, self.end, self.special = list(tokens), end, set(special)
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self.mask = lru_cache(maxsize=CACHED_MASKS)(self._mask)

    def start(self, rows: int) -> list[State]:
        """The states of `rows` formulas without tokens."""
        return [START] * rows

    def allowed(self, states: Sequence[State], remaining: int) -> np.ndarray:
        """The tokens that may come next.

        Args:
            states: the state of each row.
            remaining: tokens that still have room, the end token included. Everything must be closed by then.

        Returns:
            (rows, vocabulary) bool.
        """
        return np.stack([self.mask(state, remaining if remaining < to_close(state) + 8 else -1) for state in states])

    def advance(self, states: Sequence[State], tokens: Sequence[int]) -> list[State]:
        """The states after one more token id in each row."""
        return [
            state if token == self.end else advance(state, self.tokens[token])
            for state, token in zip(states, tokens, strict=True)
        ]

    def accepts(self, formula: Sequence[str]) -> bool:
        """Whether the canonical tokens of a formula are all in the vocabulary and well formed."""
        state = START
        for token in formula:
            index = self.ids.get(token, self.end)
            if index == self.end or index in self.special or not self._fits(state, token):
                return False
            state = advance(state, token)
        return not state.frames and not state.braces

    def _mask(self, state: State, remaining: int) -> np.ndarray:
        """As `allowed`, (vocabulary,) bool for one state. A `remaining` of -1 means unlimited room."""
        found = np.zeros(len(self.tokens), bool)
        for index, token in enumerate(self.tokens):
            if index == self.end:
                found[index] = not state.frames and not state.braces
            elif index not in self.special and self._fits(state, token):
                found[index] = remaining < 0 or to_close(advance(state, token)) < remaining - 1
        if not found.any():  # no room even to close; it happens only with very few positions
            found[self.end] = True
        return found

    @staticmethod
    def _fits(state: State, token: str) -> bool:
        frames, last, braces, _, degree = state
        if braces:
            return token == "{" or (token == "[" and degree)
        inside = frames[-1] if frames else None
        if inside is not None and inside.script == TEXT:
            return last == "thing" if token == "}" else len(token) == 1 and token.isalpha()
        if inside is not None and token == inside.closes:
            return bool(last) and (inside.closes != END or inside.width <= inside.cells)
        if token in ("{", "}", END):
            return False
        if token in ("&", r"\\"):
            if inside is None or inside.closes != END or not last:
                return False
            return inside.width < 0 or (inside.cells < inside.width if token == "&" else inside.cells == inside.width)
        if token in ("^", "_"):
            return last in ("thing", "limited") or (token == "^" and last == "_")
        if token == r"\limits":
            return last == "limited"
        return len(frames) < DEPTH or not (token in ARGUMENTS or token == BEGIN)
