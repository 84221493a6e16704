r"""LaTeX formulas as token sequences: one canonical form, and whether a sequence is well formed.

The canonical form is CROHME's: every argument and script in braces (`x ^ { 2 }`), the subscript before the superscript,
no font commands, no `\left` and `\right`, no braces that only group, one name of each symbol.
"""

import re
from collections.abc import Iterator

from hwr_core.errors import HandwritingError

_TOKEN = re.compile(r"\\(?:begin|end)\s*\{\s*\w+\*?\s*\}|\\[a-zA-Z]+\*?|\\.|[^\s]", re.DOTALL)
SYNONYMS = {
    r"\lt": "<", r"\gt": ">", r"\le": r"\leq", r"\leqslant": r"\leq", r"\ge": r"\geq", r"\geqslant": r"\geq", r"\ne": r"\neq",
    r"\to": r"\rightarrow", r"\longrightarrow": r"\rightarrow", r"\vert": "|", r"\mid": "|", r"\lvert": "|", r"\rvert": "|",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\ast": "*", r"\dots": r"\ldots", r"\dotsc": r"\ldots",
    r"\dotsb": r"\cdots", r"\varphi": r"\phi", r"\varepsilon": r"\epsilon", r"\vartheta": r"\theta", r"\tfrac": r"\frac",
    r"\dfrac": r"\frac", r"\cfrac": r"\frac", r"\colon": ":",
    r"\bar": r"\overline", r"\widehat": r"\hat", r"\overrightarrow": r"\vec", r"\Sigma": r"\sum", r"\Pi": r"\prod", r"\degree": r"\circ", r"\lnot": r"\neg", r"\cdotp": r"\cdot", "−": "-", "×": r"\times", "÷": r"\div",
}  # fmt: skip
# Commands that change only how it looks: they go, what they hold stays.
FONTS = {
    r"\mathrm", r"\mathbf", r"\mathit", r"\mathsf", r"\mathtt", r"\mathcal", r"\mathbb", r"\mathfrak", r"\mbox", r"\hbox", r"\text",
    r"\textrm", r"\textbf", r"\textit", r"\operatorname", r"\operatorname*", r"\boldsymbol", r"\bm", r"\mathop", r"\mathbin", r"\mathrel",
    r"\mathord", r"\displaystyle", r"\textstyle", r"\scriptstyle", r"\rm", r"\bf", r"\it", r"\cal", r"\sf", r"\tt", r"\boldmath", r"\left", r"\right",
    r"\big", r"\Big", r"\bigg", r"\Bigg", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr", r"\biggl", r"\biggr", r"\middle", r"\mathstrut", r"\nolimits",
}  # fmt: skip
FENCES = {r"\left", r"\right", r"\middle"} | {
    font for font in FONTS if font.casefold().startswith(r"\big")
}  # before a dot, which then is no sign
SPACES = {r"\,", r"\;", r"\:", r"\!", r"\ ", "\\", r"\quad", r"\qquad", "~", "$", r"\[", r"\]", r"\(", r"\)"}
ARGUMENTS = {r"\frac": 2, r"\sqrt": 1, r"\overline": 1, r"\underline": 1, r"\hat": 1, r"\vec": 1, r"\dot": 1, r"\ddot": 1,
             r"\tilde": 1, r"\widetilde": 1, r"\boxed": 1, r"\stackrel": 2, r"\binom": 2}  # fmt: skip
BEGIN, END = r"\begin{matrix}", r"\end{matrix}"
# Matrices by their fences, which are symbols of their own.
FENCED = {
    "matrix": ("", ""),
    "array": ("", ""),
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "vmatrix": ("|", "|"),
    "Bmatrix": (r"\{", r"\}"),
}


class _Tokens:
    """The tokens still to be read."""

    def __init__(self, tokens: list[str]):
        self.tokens, self.at = tokens, 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]


# CROHME's names that are one token, also where their letters were written one by one; other names are their letters.
FUNCTIONS = ("sin", "cos", "tan", "log", "lim")
NAMES = (
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "coth", "exp", "max", "min", "sup", "inf", "det", "dim", "gcd", "lcm", "cot", "sec",
    "csc", "arg", "ln", "lg", "mod", "deg",
)  # fmt: skip
_FUNCTION = re.compile(rf"(?<![\\a-zA-Z])(?:{'|'.join([*FUNCTIONS, *map(' '.join, FUNCTIONS)])})(?![a-zA-Z])")
_GLUED = re.compile(r"\\([lg]t)(?=[a-zA-Z])")


def canonical(formula: str) -> list[str]:
    """The canonical tokens of a formula; `HandwritingError` with what is wrong where it is not well formed."""
    formula = _FUNCTION.sub(lambda match: f"\\{match[0].replace(' ', '')} ", _GLUED.sub(r"\\\1 ", formula))
    tokens = _Tokens([token for token in _TOKEN.findall(formula) if token not in SPACES])
    try:
        found = list(_sequence(tokens))
    except RecursionError:
        raise HandwritingError("The formula has too much in one another.") from None
    if tokens.next is not None:
        raise HandwritingError(f"The formula has a {tokens.next} that nothing opens.")
    return found


def _sequence(tokens: _Tokens, end: str | None = None) -> Iterator[str]:
    """Everything up to `end`, which is taken, or to what closes something else."""
    while tokens.next is not None and tokens.next != "}":
        if tokens.next == end:
            break
        yield from _scripted(tokens)
    if end is not None:
        if tokens.next != end:
            raise HandwritingError(f"The formula lacks a {end}.")
        tokens.take()


def _scripted(tokens: _Tokens) -> Iterator[str]:
    """One thing with its scripts, the subscript first; primes are a superscript as they are written."""
    yield from _thing(tokens) if tokens.next not in ("^", "_") else ()
    if tokens.next == r"\limits":
        yield tokens.take()
    scripts: dict[str, list[str]] = {}
    while tokens.next in ("^", "_"):
        kind = tokens.take()
        if kind in scripts:
            raise HandwritingError(f"The formula has two {kind} in one place.")
        scripts[kind] = list(_argument(tokens, kind))
    for kind in ("_", "^"):
        if scripts.get(kind):
            yield from (kind, "{", *scripts[kind], "}")


def _thing(tokens: _Tokens) -> Iterator[str]:
    token = tokens.take()
    token = SYNONYMS.get(token, token)
    if token == "{":
        yield from _sequence(tokens, "}")
    elif token in FONTS:
        if token in FENCES and tokens.next == ".":
            tokens.take()
    elif token.startswith(r"\end"):
        raise HandwritingError(f"The formula has a {token} that nothing opens.")
    elif token.startswith(r"\begin"):
        yield from _matrix(tokens, token)
    elif token == r"\sqrt" and tokens.next == "[":
        tokens.take()
        yield from (token, "[", *_sequence(tokens, "]"), "]", "{", *_argument(tokens, token), "}")
    elif token[1:].rstrip("*") in NAMES:
        yield from token[1:].rstrip("*")
    elif token in ARGUMENTS:
        yield token
        for _ in range(ARGUMENTS[token]):
            yield from ("{", *_argument(tokens, token), "}")
    else:
        yield token


def _matrix(tokens: _Tokens, begin: str) -> Iterator[str]:
    name = begin[begin.index("{") + 1 : -1].strip()
    if name not in FENCED:
        raise HandwritingError(f"The formula has a {name}, which is no matrix.")
    if name == "array" and tokens.next == "{":
        list(_argument(tokens, begin))  # how its columns are aligned
    rows: list[list[list[str]]] = [[[]]]
    while True:
        if tokens.next is None or tokens.next == "}":
            raise HandwritingError(f"The formula lacks an \\end{{{name}}}.")
        if tokens.next == "&":
            tokens.take()
            rows[-1].append([])
        elif tokens.next == r"\\":
            tokens.take()
            rows.append([[]])
        elif tokens.next.startswith(r"\end"):
            if tokens.take()[4:].strip("{ }") != name:
                raise HandwritingError(f"The formula lacks an \\end{{{name}}}.")
            break
        else:
            rows[-1][-1] += _scripted(tokens)
    if rows[-1] == [[]]:  # after a last line break
        rows.pop()
    opening, closing = FENCED[name]
    yield from (opening,) if opening else ()
    yield BEGIN
    for number, row in enumerate(rows):
        yield from (r"\\",) if number else ()
        for column, cell in enumerate(row):
            yield from (*("&",) * (column > 0), *cell)
    yield END
    yield from (closing,) if closing else ()


def pieces(tokens: list[str]) -> list[str]:
    r"""What to write for each canonical token, so that they can be joined: a command before a letter ends in a space."""
    following = [*tokens[1:], ""][: len(tokens)]
    return [
        token + " " * (token[0] == "\\" and token[-1].isalpha() and after[:1].isalpha())
        for token, after in zip(tokens, following, strict=True)
    ]


def _argument(tokens: _Tokens, of: str) -> Iterator[str]:
    """A group's content, or the one thing that stands without braces; a font command's group counts as a group."""
    while tokens.next in FONTS:
        tokens.take()
    if tokens.next is None or tokens.next in ("}", "^", "_"):
        raise HandwritingError(f"The formula has a {of} without its argument.")
    if tokens.next == "{":
        tokens.take()
        yield from _sequence(tokens, "}")
    else:
        yield from _thing(tokens)
