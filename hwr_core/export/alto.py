"""A page as ALTO 4.4 (Library of Congress): lines with their outlines, words with their confidences."""

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
from hwr_core.reading import Box, Line, Page, PageId

ALTO_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"


def to_alto(name: PageId | str, page: Page) -> bytes:
    """Writes a page as ALTO XML in UTF-8, with all positions in pixels.

    A corrected line has the attribute `CS`. A formula is one `String` of LaTeX with the tag "formula".
    Ink that no text stands for is an `Illustration` of the type "unread".

    Args:
        name: the page's identity, or the name of its picture.
        page: the page.
    """
    root = root_element(ALTO_NAMESPACE, "alto", SCHEMAVERSION="4.4")
    description = add_element(root, "Description")
    add_element(description, "MeasurementUnit").text = "pixel"
    add_element(add_element(description, "sourceImageInformation"), "fileName").text = xml_text(name)
    processing = add_element(description, "Processing", ID="reading")
    add_element(processing, "processingCategory").text = "contentGeneration"
    add_element(add_element(processing, "processingSoftware"), "softwareName").text = "Handwriting Recognition"
    if any(line.formula for line in page.lines):
        add_element(add_element(root, "Tags"), "OtherTag", ID="formula", LABEL="formula", DESCRIPTION="LaTeX")
    whole = (0, 0, *page.size)
    sheet = add_element(
        add_element(root, "Layout"),
        "Page",
        ID="page",
        PHYSICAL_IMG_NR="1",
        WIDTH=str(page.size[0]),
        HEIGHT=str(page.size[1]),
    )
    space = add_element(sheet, "PrintSpace", **_place(whole))
    if page.lines:
        boxes = [line.box for line in page.lines]
        block = add_element(space, "TextBlock", ID="block", **_place(enclosing_box(boxes)))
        for number, line in enumerate(page.lines, 1):
            _add_line(block, number, line)
    for number, box in enumerate(page.unread, 1):
        add_element(space, "Illustration", ID=f"unread_{number}", **_place(box), TYPE="unread")
    return xml_bytes(root)


def _add_line(block: etree._Element, number: int, line: Line) -> None:
    element = add_element(block, "TextLine", ID=f"line_{number}", **_place(line.box), BASELINE=baseline_points(line))
    if line.formula:
        element.set("TAGREFS", "formula")
    if line.corrected:
        element.set("CS", "true")
    add_element(add_element(element, "Shape"), "Polygon", POINTS=polygon_points(line.corners))
    for index, word in enumerate(words_of(line), 1):
        if index > 1:
            add_element(element, "SP")
        string = add_element(
            element, "String", ID=f"line_{number}_word_{index}", CONTENT=xml_text(word.text), **_place(word.box)
        )
        string.set("WC", f"{word.confidence:.3f}")
        # ALTO's character confidences run from 0, certain, to 9, uncertain.
        string.set("CC", " ".join(str(round(9 * (1 - value))) for value in word.character_confidences))


def _place(box: Box) -> dict[str, str]:
    left, top, right, bottom = box
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}
