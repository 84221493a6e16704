r"""Whether readings from the left are of formulas that stand apart, or of parts of one formula.

White that runs from top to bottom of a picture parts what is written: two equations, an equation and its label, an
exercise's number and what is to be solved. Hands leave such white around a sign of equality too, and matrices have it between
their columns. So the parts are read, and their readings tell whether they stand by themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from hwr_core.decoding.latex import BEGIN, canonical
from hwr_core.errors import HandwritingError
from hwr_core.reading import Alternative, Reading

SURE_WHITE = 2.0  # of a symbol's height: from here on one of two formulas need not be an equation
WIDEST_WHITE = 3.0  # of a symbol's height: from here on neither need be one
NUMBER_WHITE = 0.7  # of a symbol's height: white after a number that may begin a formula, as `2.`, `2:` or `(a)`
LIKELY = 0.05  # probability that another reading must have to be taken for an exercise's number

RELATIONS = frozenset(
    r"= < > \leq \geq \neq \approx \equiv \sim \rightarrow \leftarrow \in \subset \subseteq \propto \cong".split()
)
SIGNS = frozenset("+-")  # before a number, or between two
OPERATORS = frozenset(r"\pm \mp \times \cdot \div / * \circ \cup \cap \wedge \vee ^ _ \limits \ldots \cdots".split())
GOING_ON = RELATIONS | OPERATORS  # what stands within a formula
PREFIXES = frozenset(r"\sum \prod \int \iint \oint \lim \sin \cos \tan \log \partial \nabla".split())  # more follows
STEPS = frozenset(r"+ - \times \cdot \div : / \sqrt".split())  # what is done to both sides of an equation
OPENING, CLOSING = frozenset(["(", "[", r"\{"]), frozenset([")", "]", r"\}"])
_NUMBER = re.compile(r"\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[).]|\d{1,2}:")
_START = re.compile(r"\(?(?:\d{1,2}|[a-h])(?=[_^.:)]|\\cdot|$)")
_USUAL = re.compile(r"\(?(?:\d{1,2}|[a-hA-H]|[ivx]{1,4}).")
_LABEL = re.compile(r"\((?:\d{1,2}|[a-zA-Z]|[ivx]{1,4}|\*+)\)")


def formulas_apart(
    readings: Sequence[Reading], whites: Sequence[float], unbracketed: bool = False, end: str = ""
) -> list[Reading] | None:
    """The readings of formulas that stand apart.

    Args:
        readings: Of the parts of a picture, from the left; two or more.
        whites: The white before each part in heights of a symbol; the first is not looked at.
        unbracketed: Whether the first part's ink has no opening bracket, whatever its reading says.
        end: The shape that the first part ends with, if it looks like an exercise's number: `)`, `.`, `:` or empty.

    Returns:
        The readings, with another one of an exercise's number where that is likely, and a step's bar that was read as 1. None:
        they are parts of one formula.
    """
    if not all(reading.text and reading.complete for reading in readings):
        return None
    tokens = [_tokens(reading.text) for reading in readings]
    number = _number(readings[0], whites[1], unbracketed, end)
    if number is not None and tokens[1] and tokens[1][0] not in GOING_ON:
        if len(readings) == 2:
            return [number, readings[1]]
        rest = _apart(readings[1:], tokens[1:], whites[1:])
        return None if rest is None else [number, *rest]
    return _apart(readings, tokens, whites)


def is_number(text: str) -> bool:
    """Whether a text is the number of an exercise: `a)`, `(2)`, `3.`"""
    return bool(_NUMBER.fullmatch(text))


def _tokens(text: str) -> list[str]:
    try:
        return canonical(text)
    except HandwritingError:
        return []


def _number(reading: Reading, white: float, unbracketed: bool, end: str) -> Reading | None:
    """The reading as the number of an exercise: `a)`, `(2)`, `3.`; None where it is none."""
    texts = {reading.text: 1.0} | {other.text: other.score for other in reading.alternatives if other.score >= LIKELY}
    whole = {text: score for text, score in texts.items() if _NUMBER.fullmatch(text) and text.endswith(end)}
    if not whole and end == "." and (start := _START.match(reading.text)):
        whole = {start[0] + end: reading.confidence}  # its dot was read as a script
    if not whole:
        return None
    # The first letters of the alphabet number exercises; a `z` is rather a 2 or 3.
    text = next(filter(_USUAL.fullmatch, whole), next(iter(whole)))
    text = next(filter(text.lower().__eq__, whole), text)  # and small letters rather than capitals of their shape
    score = min(reading.confidence, whole[text])
    if unbracketed:
        text = text.removeprefix("(")
    if white < NUMBER_WHITE and (text.startswith("(") or not text.endswith(")")):
        return None
    return reading if text == reading.text else _instead(reading, text, score)


def _apart(readings: Sequence[Reading], tokens: Sequence[list[str]], whites: Sequence[float]) -> list[Reading] | None:
    """The readings of neighbours that all stand by themselves; None where some do not."""
    if not all(map(_stands_alone, tokens)):
        return None
    found = [readings[0]]
    for left, right, white, reading in zip(tokens, tokens[1:], whites[1:], readings[1:], strict=False):
        if not _are_two(left, right, white):
            return None
        found.append(_with_bar(reading) if _is_step(left, right) else reading)
    return found


def _are_two(left: list[str], right: list[str], white: float) -> bool:
    """Whether two neighbours stand by themselves, as far as their tokens and the white between them tell."""
    last = _last(left)
    if last in GOING_ON or last in SIGNS or last in PREFIXES or right[0] in GOING_ON:
        return False
    equations = (not RELATIONS.isdisjoint(left)) + (not RELATIONS.isdisjoint(right))
    if right[0] in SIGNS:
        return equations == 2
    label = bool(_LABEL.fullmatch("".join(right)))
    enough = (WIDEST_WHITE, SURE_WHITE, 0.0)[equations]
    return label or _is_step(left, right) or white >= enough


def _is_step(left: list[str], right: list[str]) -> bool:
    """Whether the right one says what is done to both sides of the left one next, as `| - 7`. The bar looks like a 1."""
    return (
        bool(RELATIONS & set(left))
        and not RELATIONS & set(right)
        and right[0] in ("|", "1")
        and not STEPS.isdisjoint(right[1:2])
    )


def _with_bar(reading: Reading) -> Reading:
    """The reading of a step with its bar."""
    return reading if reading.text.startswith("|") else _instead(reading, "|" + reading.text[1:], reading.confidence)


def _instead(reading: Reading, text: str, confidence: float) -> Reading:
    """The reading with another text; what was read stays on offer."""
    others = [
        Alternative(reading.text, reading.confidence),
        *(other for other in reading.alternatives if other.text != text),
    ]
    same = len(text) == len(reading.text) and confidence == reading.confidence
    confidences = reading.character_confidences if same else (confidence,) * len(text)
    kept = tuple(others[: max(1, len(reading.alternatives))])
    return replace(reading, text=text, confidence=confidence, character_confidences=confidences, alternatives=kept)


def _last(tokens: list[str]) -> str:
    """The last token without its scripts."""
    end = len(tokens)
    while end and tokens[end - 1] == "}":
        depth, start = 0, end
        while start and (depth or start == end):
            start -= 1
            depth += (tokens[start] == "}") - (tokens[start] == "{")
        if not start or tokens[start - 1] not in ("^", "_"):
            break
        end = start - 1
    return tokens[end - 1] if end else ""


def _stands_alone(tokens: list[str]) -> bool:
    """Whether a part may be a formula by itself. A matrix has white between its columns, so its parts have rows."""
    return len(tokens) > 1 and BEGIN not in tokens and _is_balanced(tokens)


def _is_balanced(tokens: list[str]) -> bool:
    """Whether every bracket has its other half."""
    depth = 0
    for token in tokens:
        depth += (token in OPENING) - (token in CLOSING)
        if depth < 0:
            return False
    return depth == 0
