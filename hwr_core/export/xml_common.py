"""What ALTO, PAGE, hOCR and Word share: text that XML can hold, boxes, and corners."""

from collections.abc import Sequence

from hwr_core.reading import Box, PageId, Point


def xml_text(text: PageId | str) -> str:
    """The text, or a page's title, without the characters that XML 1.0 cannot hold."""
    return "".join(character for character in str(text) if _is_xml(character))


def _is_xml(character: str) -> bool:
    if character in "\t\n\r":
        return True
    return character >= " " and not "\ud800" <= character <= "\udfff" and character not in "\ufffe\uffff"


def enclosing_box(boxes: Sequence[Box]) -> Box:
    """The smallest box round `boxes`, of which there must be at least one."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def polygon_points(corners: Sequence[Point]) -> str:
    """The corners as ALTO and PAGE write them: `x,y` pairs, separated by spaces."""
    return " ".join(f"{x},{y}" for x, y in corners)
