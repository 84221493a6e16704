r"""LaTeX formulas as token sequences in one canonical form.

The canonical form is CROHME's. Every argument and script is in braces (`x ^ { 2 }`), the subscript before the
superscript. There are no font commands, no `\left` and `\right`, and no braces that only group. Each symbol has one
name. Words among the symbols are `\text` with their letters (`\text { o r }`). Blackboard letters are one token
(`\mathbb{R}`).
"""

import re
from collections.abc import Iterator

from hwr_core.errors import HandwritingError

_TOKEN = re.compile(r"\\(?:begin|end|mathbb)\s*\{\s*\w+\*?\s*\}|\\mathbb\s*[A-Z]|\\[a-zA-Z]+\*?|\\.|[^\s]", re.DOTALL)
# Other names of a symbol, and its canonical name.
SYNONYMS = {
    r"\lt": "<", r"\gt": ">", r"\le": r"\leq", r"\leqslant": r"\leq", r"\ge": r"\geq", r"\geqslant": r"\geq", r"\ne": r"\neq",
    r"\to": r"\rightarrow", r"\longrightarrow": r"\rightarrow", r"\vert": "|", r"\mid": "|", r"\lvert": "|", r"\rvert": "|",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\ast": "*", r"\dots": r"\ldots", r"\dotsc": r"\ldots",
    r"\dotsb": r"\cdots", r"\varphi": r"\phi", r"\varepsilon": r"\epsilon", r"\vartheta": r"\theta", r"\tfrac": r"\frac",
    r"\dfrac": r"\frac", r"\cfrac": r"\frac", r"\colon": ":",
    r"\bar": r"\overline", r"\widehat": r"\hat", r"\widetilde": r"\tilde", r"\overrightarrow": r"\vec", r"\Longrightarrow": r"\Rightarrow",
    r"\implies": r"\Rightarrow", r"\iff": r"\Leftrightarrow", r"\Longleftrightarrow": r"\Leftrightarrow", r"\Longleftarrow": r"\Leftarrow",
    r"\longleftrightarrow": r"\leftrightarrow", r"\longleftarrow": r"\leftarrow", r"\gets": r"\leftarrow", r"\longmapsto": r"\mapsto",
    r"\varnothing": r"\emptyset", r"\land": r"\wedge", r"\lor": r"\vee", r"\backslash": r"\setminus", r"\smallsetminus": r"\setminus",
    r"\lVert": r"\|", r"\rVert": r"\|", r"\Vert": r"\|", r"\bot": r"\perp", r"\dag": r"\dagger", r"\hslash": r"\hbar", r"\vartriangle": r"\triangle",
    r"\bigtriangleup": r"\triangle", r"\Box": r"\square", r"\measuredangle": r"\angle", r"\sphericalangle": r"\angle", r"\leqq": r"\leq", r"\geqq": r"\geq",
    r"\subsetneqq": r"\subsetneq", r"\varrho": r"\rho", r"\varsigma": r"\sigma", r"\varpropto": r"\propto", r"\thicksim": r"\sim", r"\thickapprox": r"\approx",
    r"\dotsm": r"\cdots", r"\dotsi": r"\cdots", r"\dotso": r"\ldots", r"\mathdollar": r"\$", r"\bmod": r"\mod", r"\Sigma": r"\sum", r"\Pi": r"\prod", r"\degree": r"\circ", r"\lnot": r"\neg", r"\cdotp": r"\cdot", "−": "-", "×": r"\times", "÷": r"\div",
}  # fmt: skip
# Commands that change only the look. They are removed, and their arguments stay.
FONTS = {
    r"\mathrm", r"\mathbf", r"\mathit", r"\mathsf", r"\mathtt", r"\mathcal", r"\mathbb", r"\mathfrak", r"\mbox", r"\hbox", r"\boxed",
    r"\textrm", r"\textbf", r"\textit", r"\operatorname", r"\operatorname*", r"\boldsymbol", r"\bm", r"\mathop", r"\mathbin", r"\mathrel",
    r"\mathord", r"\displaystyle", r"\textstyle", r"\scriptstyle", r"\rm", r"\bf", r"\it", r"\cal", r"\sf", r"\tt", r"\boldmath", r"\left", r"\right",
    r"\big", r"\Big", r"\bigg", r"\Bigg", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr", r"\biggl", r"\biggr", r"\middle", r"\mathstrut", r"\nolimits",
}  # fmt: skip
# Commands that take a fence. A dot after one of them is an empty fence, not a symbol.
FENCES = {r"\left", r"\right", r"\middle"} | {font for font in FONTS if font.casefold().startswith(r"\big")}
SPACES = {r"\,", r"\;", r"\:", r"\!", r"\ ", "\\", r"\quad", r"\qquad", "~", "$", r"\[", r"\]", r"\(", r"\)"}
# Commands with arguments, and how many.
ARGUMENTS = {r"\frac": 2, r"\sqrt": 1, r"\overline": 1, r"\underline": 1, r"\hat": 1, r"\vec": 1, r"\dot": 1, r"\ddot": 1,
             r"\tilde": 1, r"\stackrel": 2, r"\binom": 2, r"\dbinom": 2, r"\text": 1}  # fmt: skip
# Blackboard letters (\mathbb) that are symbols of their own; other letters lose the \mathbb.
BLACKBOARD = frozenset("NZQRCPEFHKD1")
BEGIN = r"\begin{matrix}"  # the only environment of the canonical form
END = r"\end{matrix}"
# Environments that become a matrix, with the symbols before and after it.
FENCED = {
    "matrix": ("", ""),
    "array": ("", ""),
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "vmatrix": ("|", "|"),
    "Bmatrix": (r"\{", r"\}"),
    "Vmatrix": (r"\|", r"\|"),
    "cases": (r"\{", ""),
}


class _Tokens:
    """The tokens of a formula, and how many of them were taken."""

    def __init__(self, tokens: list[str]):
        self.tokens, self.at = tokens, 0

    @property
    def next(self) -> str | None:
        """The next token; None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        """The next token, which is taken."""
        self.at += 1
        return self.tokens[self.at - 1]

    def word(self) -> list[str]:
        r"""Takes a `\text` that holds one word, and returns its letters. Takes nothing, and returns [], otherwise."""
        end = self.at + 2
        while end < len(self.tokens) and len(self.tokens[end]) == 1 and self.tokens[end].isalpha():
            end += 1
        letters = self.tokens[self.at + 2 : end]
        if self.tokens[self.at : self.at + 2] != [TEXT, "{"] or self.tokens[end : end + 1] != ["}"] or len(letters) < 2:
            return []
        self.at = end + 1
        return letters


# Names of functions that are one token in CROHME, even if they were written letter by letter.
FUNCTIONS = ("sin", "cos", "tan", "log", "lim")
# Names of functions that become one token for each letter.
NAMES = (
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "coth", "exp", "max", "min", "sup", "inf", "det", "dim", "gcd", "lcm", "cot", "sec",
    "csc", "arg", "ln", "lg", "mod", "deg",
)  # fmt: skip
# Units, whose letters are symbols too.
UNITS = frozenset("mm cm dm km mg kg ml cl dl kJ kW kN Hz Pa mol rad".split())
TEXT = r"\text"
_TEXT = re.compile(r"\\text(?:rm|bf|it|up|normal)?\s*\{([^{}\\$]*)\}")
_WORDS = re.compile(r"[^\W\d_]+|\S")
_FUNCTION = re.compile(rf"(?<![\\a-zA-Z])(?:{'|'.join([*FUNCTIONS, *map(' '.join, FUNCTIONS)])})(?![a-zA-Z])")
NEGATED = {"=": r"\neq ", r"\in": r"\notin ", r"\exists": r"\nexists ", r"\mid": r"\nmid "}
_NOT = re.compile(r"\\not\s*(=|\\(?:in|exists|mid)(?![a-zA-Z]))")
_GLUED = re.compile(r"\\([lg]t)(?=[a-zA-Z])")


def canonical(formula: str) -> list[str]:
    """The canonical tokens of a formula.

    Args:
        formula: LaTeX, without or with `$`.

    Raises:
        HandwritingError: the formula is not well formed; the message says why.
    """
    formula = _NOT.sub(lambda match: NEGATED[match[1]], _TEXT.sub(_words, _GLUED.sub(r"\\\1 ", formula)))
    formula = _FUNCTION.sub(lambda match: f"\\{match[0].replace(' ', '')} ", formula)
    tokens = _Tokens([token for token in _TOKEN.findall(formula) if token not in SPACES])
    try:
        found = list(_sequence(tokens))
    except RecursionError:
        raise HandwritingError("The formula is nested too deeply.") from None
    if tokens.next is not None:
        raise HandwritingError(f"The formula has a {tokens.next} without its beginning.")
    return found


def _words(match: re.Match) -> str:
    r"""The content of a `\text{…}`: each word of two letters or more in a `\text` of its own, the rest unchanged."""
    content = match[1].split()
    if all(len(piece) == 1 for piece in content):
        content = ["".join(content)]  # the letters of a canonical word
    return "".join(_as_text(word) + " " for piece in content for word in _WORDS.findall(piece)) or " "


def _as_text(word: str) -> str:
    if len(word) < 2:
        return word
    return f"{{{word}}}" if word in UNITS.union(FUNCTIONS, NAMES) else f"{TEXT}{{{word}}}"


def _sequence(tokens: _Tokens, end: str | None = None) -> Iterator[str]:
    """The tokens up to `end`, which is taken too; without `end`, up to the formula's end or a closing brace."""
    while tokens.next is not None and tokens.next != "}":
        if tokens.next == end:
            break
        yield from _scripted(tokens)
    if end is not None:
        if tokens.next != end:
            raise HandwritingError(f"The formula has no closing {end}.")
        tokens.take()


def _scripted(tokens: _Tokens) -> Iterator[str]:
    """A symbol, command or group, with its scripts."""
    yield from _thing(tokens) if tokens.next not in ("^", "_") else ()
    if tokens.next == r"\limits":
        yield tokens.take()
    scripts: dict[str, list[str]] = {}
    while tokens.next in ("^", "_"):
        kind = tokens.take()
        if kind in scripts:
            raise HandwritingError(f"The formula has two {kind} at one symbol.")
        scripts[kind] = list(_argument(tokens, kind))
    for kind in ("_", "^"):
        if scripts.get(kind):
            yield from (kind, "{", *scripts[kind], "}")


def _thing(tokens: _Tokens) -> Iterator[str]:
    """A symbol, command or group, without scripts."""
    if letters := tokens.word():
        yield from (TEXT, "{", *letters, "}")
        return
    token = tokens.take()
    token = SYNONYMS.get(token, token)
    if token == "{":
        yield from _sequence(tokens, "}")
    elif token in FONTS or token == TEXT:
        if token in FENCES and tokens.next == ".":
            tokens.take()
    elif token.startswith(r"\end"):
        raise HandwritingError(f"The formula has a {token} without its beginning.")
    elif token.startswith(r"\begin"):
        yield from _matrix(tokens, token)
    elif token.startswith(r"\mathbb"):
        letter = token.removeprefix(r"\mathbb").strip("{} ")
        yield from (rf"\mathbb{{{letter}}}",) if letter in BLACKBOARD else letter
    elif token in (r"\binom", r"\dbinom"):  # it looks like a column in parentheses
        above = list(_argument(tokens, token))
        yield from ("(", BEGIN, *above, r"\\", *_argument(tokens, token), END, ")")
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
        raise HandwritingError(f"The formula has an environment {name}, which is not supported: use a matrix.")
    if name == "array" and tokens.next == "{":
        list(_argument(tokens, begin))  # the alignment of its columns
    rows: list[list[list[str]]] = [[[]]]
    while True:
        if tokens.next is None or tokens.next == "}":
            raise HandwritingError(f"The formula has no \\end{{{name}}}.")
        if tokens.next == "&":
            tokens.take()
            rows[-1].append([])
        elif tokens.next == r"\\":
            tokens.take()
            rows.append([[]])
        elif tokens.next.startswith(r"\end"):
            if tokens.take()[4:].strip("{ }") != name:
                raise HandwritingError(f"The formula has no \\end{{{name}}}.")
            break
        else:
            rows[-1][-1] += _scripted(tokens)
    if rows[-1] == [[]]:  # the row after a trailing line break
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


# Tokens after or before which a word needs no space.
_OPENING = ("{", "(", "[", "&", r"\\", BEGIN, TEXT)
_CLOSING = ("}", ")", "]", "&", r"\\", END, ",", ".", r"\text")


def pieces(tokens: list[str]) -> list[str]:
    r"""The text of each canonical token, so that joining them gives LaTeX.

    A command before a letter gets a space. A word has a space on either side, inside its braces. A matrix and its
    fences become one environment.
    """
    following = [*tokens[1:], ""][: len(tokens)]
    found = [
        token + " " * (token[0] == "\\" and token[-1].isalpha() and after[:1].isalpha())
        for token, after in zip(tokens, following, strict=True)
    ]
    for start, token in enumerate(tokens):
        if token == TEXT and "}" in tokens[start:]:
            closing = tokens.index("}", start)
            found[start + 1] = "{ " if start and tokens[start - 1] not in _OPENING else "{"
            found[closing] = " }" if closing + 1 < len(tokens) and tokens[closing + 1] not in _CLOSING else "}"
        elif token == BEGIN and (end := _end_of_matrix(tokens, start)):
            before, after = tokens[start - 1] if start else "", following[end]
            name = next((name for name, fences in FENCED.items() if fences == (before, after) and all(fences)), None)
            if name:
                found[end + 1] = ""
            elif before == r"\{":
                name = "cases"
            if name:
                found[start - 1], found[start], found[end] = "", rf"\begin{{{name}}}", rf"\end{{{name}}}"
    return found


def _end_of_matrix(tokens: list[str], start: int) -> int | None:
    """The place of the token that closes the matrix opened at `start`; None if it is not closed."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += (tokens[index] == BEGIN) - (tokens[index] == END)
        if depth == 0:
            return index
    return None


def _argument(tokens: _Tokens, of: str) -> Iterator[str]:
    """The argument of the command `of`: a group's content, or a single symbol or command without braces."""
    if letters := tokens.word():
        yield from (TEXT, "{", *letters, "}")
        return
    while tokens.next in FONTS or tokens.next == TEXT:
        tokens.take()
    if tokens.next is None or tokens.next in ("}", "^", "_"):
        raise HandwritingError(f"The formula has a {of} without an argument.")
    if tokens.next == "{":
        tokens.take()
        yield from _sequence(tokens, "}")
    else:
        yield from _thing(tokens)
