"""Formulas in delimiters, as MathML and as Word's equations."""

import io
import zipfile

import pytest
from lxml import etree
from PIL import Image

from hwr_core.errors import HandwritingError
from hwr_core.export import export
from hwr_core.export.formulas import MATH, aligned, display, inline, mathml, omml
from hwr_core.reading import Line, Page, Reading

QUADRATIC = r"x=\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}"


def shape(latex: str) -> str:
    """The OMML without prefixes, runs and texts' tags."""
    text = etree.tostring(omml(latex), encoding="unicode").replace(f' xmlns:m="{MATH}"', "").replace("m:", "")
    for tag in ("r", "t"):
        text = text.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    return text.removeprefix("<oMath>").removesuffix("</oMath>")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\frac{1}{2}", "<f><num>1</num><den>2</den></f>"),
        (r"\sqrt{x}", '<rad><radPr><degHide val="1"/></radPr><deg/><e>x</e></rad>'),
        (r"\sqrt[3]{x}", "<rad><deg>3</deg><e>x</e></rad>"),
        ("x_{1}^{2}", "<sSubSup><e>x</e><sub>1</sub><sup>2</sup></sSubSup>"),
        (
            r"\sum_{i=1}^{n}i",
            '<nary><naryPr><chr val="∑"/><limLoc val="undOvr"/></naryPr><sub>i=1</sub><sup>n</sup><e>i</e></nary>',
        ),
        (r"\vec{v}", '<acc><accPr><chr val="\u20d7"/></accPr><e>v</e></acc>'),
        (
            r"\left(x\right)",
            '<d><dPr><begChr val="("/><endChr val=")"/></dPr><e>x</e></d>',
        ),
        (
            r"\begin{pmatrix}1&2\end{pmatrix}",
            '<d><dPr><begChr val="("/><endChr val=")"/></dPr><e><m><mr><e>1</e><e>2</e></mr></m></e></d>',
        ),
    ],
)
def test_a_construct_becomes_words_own(latex, expected):
    assert shape(latex) == expected


def test_formulas_side_by_side_stay_apart():
    assert shape(r"2x=12\quad x=6") == "2x=12\u2003x=6"
    assert 'width="1em"' in mathml(r"a)\quad x")
    assert aligned([r"a)\quad x=6"]).splitlines()[1] == r"a)\quad x&=6"


def test_a_limit_stands_below_its_name():
    assert "<limLow>" in shape(r"\lim_{x\to0}x") and "→" in shape(r"\lim_{x\to0}x")


def test_delimiters_and_alignment():
    assert inline(["x", "y "]) == "$x$\n$y$" and display(["x"]) == r"\[ x \]"
    assert aligned(["x=1", r"\frac{a=1}{2}>y", "2"]).splitlines()[1:-1] == [
        r"x&=1 \\",
        r"\frac{a=1}{2}&>y \\",
        "&2",
    ]


def test_mathml_is_well_formed_and_broken_latex_is_told():
    assert etree.fromstring(mathml(QUADRATIC).encode()).tag.endswith("math")
    with pytest.raises(HandwritingError, match="no closing }"):
        mathml(r"\frac{1}{")


def test_word_gets_equations_between_the_text_and_latex_where_it_is_broken():
    def line(text: str, top: int, formula: bool) -> Line:
        reading = Reading(text, 0.9, (0.9,) * len(text), formula=formula)
        return Line((0, top, 90, top + 20), Image.new("L", (9, 9)), reading, formula=formula)

    lines = (line("so", 0, False), line(QUADRATIC, 30, True), line(r"\frac{1}{", 60, True), line("end", 90, False))
    packed = zipfile.ZipFile(io.BytesIO(export({"page": Page(lines, (100, 100))}, "docx")))
    document = packed.read("word/document.xml").decode()
    assert document.count("<m:oMath") == 1 and "<m:f>" in document and r"\frac{1}{" in document
    assert document.index("so") < document.index("<m:f>") < document.index(r"\frac{1}{") < document.index("end")
