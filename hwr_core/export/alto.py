"""A page as ALTO 4.4 (Library of Congress): lines with their outlines, words with their confidences."""

from lxml import etree

from hwr_core.export.xml_common import enclosing_box, polygon_points, xml_text
from hwr_core.layout.words import words_of
from hwr_core.reading import Box, Line, Page, PageId

ALTO_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"


def to_alto(name: PageId | str, page: Page) -> bytes:
    """Writes a page as ALTO XML in UTF-8, with all positions in pixels.

    A corrected line has the attribute `CS`. A formula is one `String` of LaTeX with the tag "formula".

    Args:
        name: the page's identity, or the name of its picture.
        page: the page.
    """
    root = etree.Element(f"{{{ALTO_NAMESPACE}}}alto", nsmap={None: ALTO_NAMESPACE}, SCHEMAVERSION="4.4")
    description = _add(root, "Description")
    _add(description, "MeasurementUnit").text = "pixel"
    _add(_add(description, "sourceImageInformation"), "fileName").text = xml_text(name)
    processing = _add(description, "Processing", ID="reading")
    _add(processing, "processingCategory").text = "contentGeneration"
    _add(_add(processing, "processingSoftware"), "softwareName").text = "Handwriting Recognition"
    if any(line.formula for line in page.lines):
        _add(_add(root, "Tags"), "OtherTag", ID="formula", LABEL="formula", DESCRIPTION="LaTeX")
    whole = (0, 0, *page.size)
    sheet = _add(
        _add(root, "Layout"), "Page", ID="page", PHYSICAL_IMG_NR="1", WIDTH=str(page.size[0]), HEIGHT=str(page.size[1])
    )
    space = _add(sheet, "PrintSpace", **_place(whole))
    if page.lines:
        boxes = [line.box for line in page.lines]
        block = _add(space, "TextBlock", ID="block", **_place(enclosing_box(boxes)))
        for number, line in enumerate(page.lines, 1):
            _add_line(block, number, line)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_line(block: etree._Element, number: int, line: Line) -> None:
    element = _add(block, "TextLine", ID=f"line_{number}", **_place(line.box))
    if line.formula:
        element.set("TAGREFS", "formula")
    if line.corrected:
        element.set("CS", "true")
    _add(_add(element, "Shape"), "Polygon", POINTS=polygon_points(line.corners))
    for index, word in enumerate(words_of(line), 1):
        if index > 1:
            _add(element, "SP")
        string = _add(
            element, "String", ID=f"line_{number}_word_{index}", CONTENT=xml_text(word.text), **_place(word.box)
        )
        string.set("WC", f"{word.confidence:.3f}")
        # ALTO's character confidences run from 0, certain, to 9, uncertain.
        string.set("CC", " ".join(str(round(9 * (1 - value))) for value in word.character_confidences))


def _place(box: Box) -> dict[str, str]:
    left, top, right, bottom = box
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{ALTO_NAMESPACE}}}{tag}", attributes)
