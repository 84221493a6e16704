"""Formulas in the forms that other programs take: LaTeX in delimiters, MathML, and Word's own equations (OMML)."""

from collections.abc import Sequence
from typing import Any

from lxml import etree

from hwr_core.decoding.latex import canonical
from hwr_core.errors import HandwritingError

MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
LARGE = set("∑∏∫∬∭∮⋃⋂")  # operators whose limits and body belong together
ACCENTS = {"^": "\u0302", "→": "\u20d7", "¯": "\u0305", "‾": "\u0305", "―": "\u0305", "~": "\u0303", "˙": "\u0307", "¨": "\u0308", "ˆ": "\u0302", "˜": "\u0303"}  # fmt: skip
LIMITS = {"lim", "max", "min", "sup", "inf"}  # what is below them stands under them
BRACKETS = set("()[]{}|‖")
INVISIBLE = {"\u2061", "\u2062", "\u2063"}
EM_SPACE = "\u2003"  # between formulas that stand side by side


def inline(formulas: Sequence[str]) -> str:
    """Formulas as `$…$`, one a line."""
    return "\n".join(f"${formula.strip()}$" for formula in formulas)


def display(formulas: Sequence[str]) -> str:
    r"""Formulas as `\\[…\\]`, one a line."""
    return "\n".join(rf"\[ {formula.strip()} \]" for formula in formulas)


def aligned(formulas: Sequence[str]) -> str:
    """Formulas in one `align*`, at their first equals sign or relation."""
    rows = [_aligned_row(formula.strip()) for formula in formulas]
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def mathml(formula: str) -> str:
    """A formula as MathML.

    Args:
        formula: LaTeX.

    Raises:
        HandwritingError: It is not well formed; the message says why.
    """
    from latex2mathml.converter import convert  # late: it takes a fifth of a second

    canonical(formula)
    try:
        return convert(formula, display="block")
    except Exception as error:  # its errors have no common class
        raise HandwritingError("The formula has a command that MathML does not have.") from error


def omml(formula: str) -> Any:
    """A formula as the element of an equation in Word.

    Args:
        formula: LaTeX.

    Returns:
        An `m:oMath`.

    Raises:
        HandwritingError: It is not well formed; the message says why.
    """
    root = etree.Element(_name("oMath"), nsmap={"m": MATH})
    root.extend(_converted(etree.fromstring(mathml(formula).encode())))
    return root


def _aligned_row(formula: str) -> str:
    depth = 0
    for place, character in enumerate(formula):
        depth += (character == "{") - (character == "}")
        if not depth and (character in "=<>" or formula.startswith((r"\le", r"\ge", r"\approx"), place)) and place:
            if formula.startswith(r"\left", place):
                continue
            return f"{formula[:place]}&{formula[place:]}"
    return f"&{formula}"


def _converted(element: Any) -> list[Any]:
    """The OMML of a MathML element."""
    kind = etree.QName(element).localname
    children = list(element)
    if kind in ("mi", "mn", "mo", "mtext"):
        return _run(element)
    if kind == "mspace":  # only the wide one stands between formulas
        return [_written(EM_SPACE)] if element.get("width") == "1em" else []
    if kind == "mfrac":
        return [_made("f", num=children[0], den=children[1], properties=_bar(element))]
    if kind == "msqrt":
        return [_made("rad", deg=[], e=children, properties=[_value("degHide", "1")])]
    if kind == "mroot":
        return [_made("rad", deg=children[1], e=children[0])]
    if kind in ("munder", "mover", "munderover", "msub", "msup", "msubsup"):
        return [_scripted(kind, children, [])]
    if kind == "mtable":
        return [_matrix(children)]
    return _row(children)


def _row(children: Sequence[Any]) -> list[Any]:
    """A sequence of elements. Brackets that grow enclose their content; an operator with limits takes what follows."""
    if len(children) > 1 and _is_fence(children[0]) and _is_fence(children[-1]):
        ends = [_value("begChr", _text(children[0])), _value("endChr", _text(children[-1]))]
        return [_made("d", e=children[1:-1], properties=ends)]
    made: list[Any] = []
    for place, child in enumerate(children):
        kind = etree.QName(child).localname
        if kind == "mtable":
            before, after = (_bracket(children, place + step) for step in (-1, 1))
            if before or after:
                made = made[:-1] if before else made
                ends = [_value("begChr", before), _value("endChr", after)]
                rest = children[place + (2 if after else 1) :]
                return [*made, _made("d", e=_converted(child), ready=True, properties=ends), *_row(rest)]
        if kind in ("munder", "mover", "munderover", "msub", "msup", "msubsup") and _text(child[0]) in LARGE:
            return [*made, _scripted(kind, list(child), children[place + 1 :])]
        made += _converted(child)
    return made


def _scripted(kind: str, parts: list[Any], body: Sequence[Any]) -> Any:
    """A base with what stands above or below it, or right of it.

    Args:
        kind: The MathML element.
        parts: The base, what is below it, what is above it; in this order.
        body: What follows an operator with limits.
    """
    base, scripts = parts[0], parts[1:]
    low = scripts[0] if kind in ("munder", "munderover", "msub", "msubsup") else None
    high = scripts[-1] if kind in ("mover", "munderover", "msup", "msubsup") else None
    if _text(base) in LARGE:
        place = "undOvr" if kind.startswith(("munder", "mover")) or _text(base) in "∑∏⋃⋂" else "subSup"
        hidden = [_value(name, "1") for name, part in (("subHide", low), ("supHide", high)) if part is None]
        properties = [_value("chr", _text(base)), _value("limLoc", place), *hidden]
        return _made("nary", sub=low, sup=high, e=list(body), properties=properties)
    if kind == "msub" and _text(base) in LIMITS:
        kind = "munder"
    if kind == "mover" and _text(scripts[0]) in ACCENTS:
        return _made("acc", e=base, properties=[_value("chr", ACCENTS[_text(scripts[0])])])
    if kind in ("munder", "munderover", "mover"):
        made = _made("limLow", e=base, lim=low) if low is not None else None
        if high is None:
            return made
        return _made("limUpp", e=base if made is None else [made], lim=high, ready=made is not None)
    if kind == "msubsup":
        return _made("sSubSup", e=base, sub=low, sup=high)
    return _made("sSub", e=base, sub=low) if low is not None else _made("sSup", e=base, sup=high)


def _matrix(rows: Sequence[Any]) -> Any:
    matrix = etree.Element(_name("m"))
    for row in rows:
        made = etree.SubElement(matrix, _name("mr"))
        for cell in row:
            etree.SubElement(made, _name("e")).extend(_row(list(cell)))
    return matrix


def _run(element: Any) -> list[Any]:
    text = _text(element)
    if not text or text in INVISIBLE:
        return []
    # Names of functions are upright.
    return [_written(text, upright=etree.QName(element).localname == "mtext" or (text.isalpha() and len(text) > 1))]


def _written(text: str, upright: bool = False) -> Any:
    """A run of text."""
    run = etree.Element(_name("r"))
    if upright:
        etree.SubElement(run, _name("rPr")).append(_value("sty", "p"))
    etree.SubElement(run, _name("t")).text = text
    return run


def _made(name: str, properties: Sequence[Any] = (), ready: bool = False, **parts: Any) -> Any:
    """An OMML element with its properties and its parts.

    Args:
        name: Its name, without the prefix.
        properties: Its properties.
        ready: Whether lists among the parts are OMML already.
        parts: By their names: a MathML element, a list of them, or None for an empty part.
    """
    made = etree.Element(_name(name))
    if properties:
        etree.SubElement(made, _name(f"{name}Pr")).extend(properties)
    for part, content in parts.items():
        place = etree.SubElement(made, _name(part))
        if isinstance(content, list):
            place.extend(content if ready else _row(content))
        elif content is not None:
            place.extend(_converted(content))
    return made


def _bar(fraction: Any) -> list[Any]:
    return [_value("type", "noBar")] if str(fraction.get("linethickness", "1")).startswith("0") else []


def _bracket(children: Sequence[Any], place: int) -> str:
    """The bracket at a place of a sequence; empty if there is none."""
    text = _text(children[place]) if 0 <= place < len(children) else ""
    return text if text in BRACKETS else ""


def _is_fence(element: Any) -> bool:
    return etree.QName(element).localname == "mo" and element.get("fence") == "true"


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip() if etree.QName(element).localname in ("mo", "mi", "mn", "mtext") else ""


def _value(name: str, value: str) -> Any:
    made = etree.Element(_name(name))
    made.set(_name("val"), value)
    return made


def _name(name: str) -> str:
    return f"{{{MATH}}}{name}"
