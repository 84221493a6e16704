"""A page as PAGE XML of 2019-07-15 (Pletschacher and Antonacopoulos 2010): text lines and formulas with outlines."""

from datetime import UTC, datetime

from lxml import etree

from hwr_core.export.xml_common import (
    add_element,
    baseline_points,
    enclosing_box,
    polygon_points,
    root_element,
    xml_bytes,
    xml_text,
)
from hwr_core.layout.words import words_of
from hwr_core.reading import Line, Page, PageId, Point, box_corners

PAGE_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


def to_page_xml(name: PageId | str, page: Page) -> bytes:
    """Writes a page as PAGE XML in UTF-8, with all positions in pixels.

    A line's alternatives are further `TextEquiv` elements; `index` gives their order. A formula is a line with
    `structure {type:formula;}` in `custom`. Ink that no text stands for is an `UnknownRegion` with
    `structure {type:unread;}`.

    Args:
        name: the page's identity, or the name of its picture.
        page: the page.
    """
    root = root_element(PAGE_NAMESPACE, "PcGts")
    metadata = add_element(root, "Metadata")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for tag, text in (("Creator", "Handwriting Recognition"), ("Created", now), ("LastChange", now)):
        add_element(metadata, tag).text = text
    sheet = add_element(
        root, "Page", imageFilename=xml_text(name), imageWidth=str(page.size[0]), imageHeight=str(page.size[1])
    )
    if page.lines:
        order = add_element(add_element(sheet, "ReadingOrder"), "OrderedGroup", id="order")
        add_element(order, "RegionRefIndexed", index="0", regionRef="region")
        region = add_element(sheet, "TextRegion", id="region", custom="readingOrder {index:0;}")
        _add_coords(region, box_corners(enclosing_box([line.box for line in page.lines])))
        for number, line in enumerate(page.lines, 1):
            _add_line(region, number, line)
    for number, box in enumerate(page.unread, 1):
        # Readers such as kraken's take `custom` only in this form.
        unread = add_element(sheet, "UnknownRegion", id=f"unread_{number}", custom="structure {type:unread;}")
        _add_coords(unread, box_corners(box))
    return xml_bytes(root)


def _add_line(region: etree._Element, number: int, line: Line) -> None:
    element = add_element(region, "TextLine", id=f"line_{number}", production="handwritten-cursive")
    element.set(
        "custom", f"readingOrder {{index:{number - 1};}}" + (" structure {type:formula;}" if line.formula else "")
    )
    if line.corrected:
        element.set("comments", "corrected by hand")
    _add_coords(element, line.corners)
    add_element(element, "Baseline", points=baseline_points(line))
    for index, word in enumerate(words_of(line), 1):
        part = add_element(element, "Word", id=f"line_{number}_word_{index}")
        _add_coords(part, word.corners)
        _add_text(part, word.text, word.confidence)
        if word.struck:
            add_element(part, "TextStyle", strikethrough="true")
    readings = [
        (line.reading.text, line.reading.confidence),
        *((other.text, other.score) for other in line.reading.alternatives),
    ]
    for index, (text, confidence) in enumerate(readings):
        _add_text(element, text, confidence, index if len(readings) > 1 else None)


def _add_text(parent: etree._Element, text: str, confidence: float, index: int | None = None) -> None:
    equivalent = add_element(parent, "TextEquiv", conf=f"{min(1.0, max(0.0, confidence)):.3f}")
    if index is not None:
        equivalent.set("index", str(index))
    add_element(equivalent, "Unicode").text = xml_text(text)


def _add_coords(parent: etree._Element, corners: tuple[Point, ...]) -> None:
    add_element(parent, "Coords", points=polygon_points(corners))
