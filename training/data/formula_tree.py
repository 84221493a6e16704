"""Canonical LaTeX tokens as a tree, for what has to go through a formula by its structure."""

from collections.abc import Iterator

from hwr_core.decoding.latex import BEGIN, END, TEXT


class Placed(str):
    """A token that knows which of its formula's tokens it is, and keeps that through layout; `place` −1 where nobody knows."""

    place: int

    def __new__(cls, token: str, place: int = -1) -> "Placed":
        placed = super().__new__(cls, token)
        placed.place = place
        return placed


ACCENTS = {r"\overline", r"\vec", r"\hat", r"\dot", r"\tilde", r"\ddot"}


def tree(tokens: Iterator[str], end: str | None = None) -> list:
    """Nested lists: a token, or [token, argument, …] where it takes some; scripts follow as ["^" or "_", argument].

    Raises:
        ValueError: The tokens end where an argument should begin.
    """
    nodes: list = []
    for token in tokens:
        if token == end:
            break
        if token == r"\frac":
            nodes.append([token, _argument(tokens), _argument(tokens)])
        elif token == r"\sqrt":
            first = _next(tokens)
            degree = tree(tokens, "]") if first == "[" else None
            if degree is not None:
                _next(tokens)
            nodes.append([token, tree(tokens, "}"), degree])
        elif token in ACCENTS or token == TEXT:
            nodes.append([token, _argument(tokens)])
        elif token == BEGIN:
            nodes.append([token, *tree(tokens, END)])
        elif token in ("^", "_"):
            nodes.append([token, _argument(tokens)])
        elif token == "{":
            nodes.extend(tree(tokens, "}"))
        else:
            nodes.append(token)
    return nodes


def _argument(tokens: Iterator[str]) -> list:
    _next(tokens)  # the brace
    return tree(tokens, "}")


def _next(tokens: Iterator[str]) -> str:
    # A StopIteration would end the generator that draws formulas, and with it a training run.
    token = next(tokens, None)
    if token is None:
        raise ValueError("The formula ends where an argument should begin.")
    return token
