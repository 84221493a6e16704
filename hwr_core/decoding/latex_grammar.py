r"""Which LaTeX token may follow: decoding that asks it writes nothing that does not render.

The language is that of `latex.canonical`, every argument and script in braces, a subscript before the superscript, `\begin{matrix}` closed;
and stricter: no argument or script is empty, and a matrix's rows are of one length.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hwr_core.decoding.latex import ARGUMENTS, BEGIN, END

LIMITED = {r"\int", r"\sum", r"\prod", r"\lim"}  # what \limits may follow
DEPTH = 12  # of braces in one another: deeper than anyone writes


class Frame(NamedTuple):
    """Something open. `closes` is the token that ends it, `then` how many more braces must follow it; a matrix has `width`,
    the `&` of its first row once that is over, and `cells`, those of the row in hand."""

    closes: str
    then: int = 0
    script: str = ""  # the kind, where it is one
    width: int = -1
    cells: int = 0


class State(NamedTuple):
    """After some tokens. `last` is what the next may be a script of: "" nothing, "thing", "limited" (\\limits may come), "_"
    or "^" after such a script. `braces` still have to be opened, `script` names what for; `degree`: a `[` may come instead."""

    frames: tuple[Frame, ...] = ()
    last: str = ""
    braces: int = 0
    script: str = ""
    degree: bool = False


START = State()


def advance(state: State, token: str) -> State:
    """The state after one more token, which must be one that `Grammar` allows."""
    frames, _, braces, script, degree = state
    if braces:
        if degree and token == "[":
            return State((*frames, Frame("]", 1)))
        return State((*frames, Frame("}", braces - 1, script)))
    if frames and token == frames[-1].closes:
        frame = frames[-1]
        if frame.then:
            return State(frames[:-1], "", frame.then)
        return State(frames[:-1], frame.script or "thing")
    if token in ("^", "_"):
        return State(frames, "", 1, token)
    if token in ARGUMENTS:
        return State(frames, "", ARGUMENTS[token], degree=token == r"\sqrt")
    if token == BEGIN:
        return State((*frames, Frame(END)))
    if token == "&":
        return State((*frames[:-1], frames[-1]._replace(cells=frames[-1].cells + 1)))
    if token == r"\\":
        return State((*frames[:-1], frames[-1]._replace(width=frames[-1].cells, cells=0)))
    return State(frames, "limited" if token in LIMITED else "thing")


def to_close(state: State) -> int:
    """The fewest tokens after which everything is closed; an argument takes a brace, something, and a brace."""
    count = 3 * state.braces
    empty = not state.last and not state.braces
    for frame in reversed(state.frames):
        count += empty + 1 + 3 * frame.then
        if frame.closes == END and frame.width > frame.cells:
            count += 2 * (frame.width - frame.cells)
        empty = False
    return count


class Grammar:
    """What a decoder whose token ids stand for `tokens` may write next; `end` is the id that ends a formula.

    Tokens of LaTeX's syntax that the vocabulary lacks are never asked for; `special` ids other than `end` never allowed.
    """

    def __init__(self, tokens: Sequence[str], end: int, special: Sequence[int] = ()):
        self.tokens, self.end, self.special = list(tokens), end, set(special)
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self.mask = lru_cache(maxsize=4096)(self._mask)

    def start(self, rows: int) -> list[State]:
        return [START] * rows

    def allowed(self, states: Sequence[State], remaining: int) -> np.ndarray:
        """(rows, vocabulary) bool: what may follow where `remaining` tokens, the end's among them, still have a place."""
        return np.stack([self.mask(state, remaining if remaining < to_close(state) + 8 else -1) for state in states])

    def advance(self, states: Sequence[State], tokens: Sequence[int]) -> list[State]:
        return [
            state if token == self.end else advance(state, self.tokens[token])
            for state, token in zip(states, tokens, strict=True)
        ]

    def accepts(self, formula: Sequence[str]) -> bool:
        """Whether canonical tokens are well formed and of this vocabulary."""
        state = START
        for token in formula:
            if token not in self.ids or self.ids[token] == self.end or not self.mask(state, -1)[self.ids[token]]:
                return False
            state = advance(state, token)
        return bool(self.mask(state, -1)[self.end])

    def _mask(self, state: State, remaining: int) -> np.ndarray:
        """`remaining` −1 where there is room for anything."""
        found = np.zeros(len(self.tokens), bool)
        for index, token in enumerate(self.tokens):
            if index == self.end:
                found[index] = not state.frames and not state.braces
            elif index not in self.special and self._fits(state, token):
                found[index] = remaining < 0 or to_close(advance(state, token)) < remaining - 1
        if not found.any():  # no room left even for closing: never where the positions are more than a few
            found[self.end] = True
        return found

    @staticmethod
    def _fits(state: State, token: str) -> bool:
        frames, last, braces, _, degree = state
        if braces:
            return token == "{" or (token == "[" and degree)
        inside = frames[-1] if frames else None
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
