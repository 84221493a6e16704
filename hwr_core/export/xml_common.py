"""Shared by ALTO, PAGE, hOCR and Word: elements, text that XML can hold, boxes, and corners."""

from collections.abc import Sequence

from lxml import etree

from hwr_core.layout.words import baseline_of
from hwr_core.reading import Box, Line, PageId, Point


def root_element(namespace: str, tag: str, **attributes: str) -> etree._Element:
    """The root of an XML document whose elements are all in one namespace."""
    return etree.Element(f"{{{namespace}}}{tag}", attributes, nsmap={None: namespace})


def add_element(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    """Adds an element, in its parent's namespace, and returns it."""
    return etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}", attributes)


def xml_bytes(root: etree._Element) -> bytes:
    """The document as indented XML in UTF-8."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def xml_text(text: PageId | str) -> str:
    """The text, or a page's title, without the characters that XML 1.0 cannot hold."""
    return "".join(character for character in str(text) if _is_xml(character))


def _is_xml(character: str) -> bool:
    if character in "\t\n\r":
        return True
    return character >= " " and not "\ud800" <= character <= "\udfff" and character not in "\ufffe\uffff"


def enclosing_box(boxes: Sequence[Box]) -> Box:
    """The smallest box around at least one box."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def polygon_points(corners: Sequence[Point]) -> str:
    """The corners as ALTO and PAGE write them: `x,y` pairs, separated by spaces, none of them negative."""
    return " ".join(f"{max(0, x)},{max(0, y)}" for x, y in corners)


def baseline_points(line: Line) -> str:
    """The baseline of a line as ALTO and PAGE write it: two points at least a pixel apart, as readers require."""
    (left, top), (right, bottom) = baseline_of(line)
    return polygon_points(((left, top), (right + ((left, top) == (right, bottom)), bottom)))
