"""What the XML, HTML and Word formats share: text that XML can hold, boxes and corners."""

from hwr_core.reading import Box, Point


def enclosing_box(boxes: list[Box]) -> Box:
    """The box round `boxes`."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def polygon_points(corners: tuple[Point, ...]) -> str:
    """The corners as ALTO and PAGE write them: `x,y` pairs with spaces between."""
    return " ".join(f"{x},{y}" for x, y in corners)


def xml_text(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )
