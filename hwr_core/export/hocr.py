"""Pages as hOCR 1.2 (Breuel): an XHTML document with the position of every line and word."""

from collections.abc import Mapping

from lxml import etree

from hwr_core.export.xml_common import add_element, enclosing_box, root_element, xml_text
from hwr_core.layout.words import baseline_of, words_of
from hwr_core.reading import Box, Line, Page, PageId, PageName

XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"
DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"'
    ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">'
)
CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word"


def to_hocr(pages: Mapping[PageName, Page]) -> bytes:
    """Writes pages as one XHTML document in UTF-8, with all positions in pixels.

    It is read by XML parsers, as OCRmyPDF's, and shown by browsers. `x_wconf` is a word's confidence in per cent.

    Args:
        pages: the pages, each by its identity or the name of its picture.
    """
    root = root_element(XHTML_NAMESPACE, "html")
    head = add_element(root, "head")
    add_element(head, "title").text = "Handwriting"
    add_element(head, "meta", **{"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    add_element(head, "meta", name="ocr-system", content="Handwriting Recognition")
    add_element(head, "meta", name="ocr-capabilities", content=CAPABILITIES)
    body = add_element(root, "body")
    for number, (name, page) in enumerate(pages.items(), 1):
        _add_page(body, number, name, page)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", doctype=DOCTYPE, pretty_print=True)


def _add_page(body: etree._Element, number: int, name: PageId | str, page: Page) -> None:
    file = xml_text(name).replace('"', "'")
    title = f'image "{file}"; {_bbox((0, 0, *page.size))}; ppageno {number - 1}'
    sheet = _add(body, "div", "ocr_page", f"page_{number}", title)
    if not page.lines:
        sheet.text = "\n"  # browsers would take an empty element for one that is still open
        return
    place = _bbox(enclosing_box([line.box for line in page.lines]))
    area = _add(sheet, "div", "ocr_carea", f"block_{number}", place)
    paragraph = _add(area, "p", "ocr_par", f"par_{number}", place)
    for index, line in enumerate(page.lines, 1):
        _add_line(paragraph, f"{number}_{index}", line)


def _add_line(paragraph: etree._Element, number: str, line: Line) -> None:
    element = _add(paragraph, "span", "ocr_line", f"line_{number}", f"{_bbox(line.box)}; {_baseline(line)}")
    for index, word in enumerate(words_of(line), 1):
        text = xml_text(word.text)
        if text:
            title = f"{_bbox(word.box)}; x_wconf {round(100 * word.confidence)}"
            part = _add(element, "span", "ocrx_word", f"word_{number}_{index}", title)
            part.text, part.tail = text, " "
    element.tail = "\n"


def _bbox(box: Box) -> str:
    return "bbox " + " ".join(str(max(0, side)) for side in box)


def _baseline(line: Line) -> str:
    """The baseline as hOCR has it: its slope, and its height at the box's left edge, from the box's lower edge."""
    (left, top), (right, bottom) = baseline_of(line)
    slope = (bottom - top) / (right - left) if right != left else 0.0
    return f"baseline {slope:.4f} {round(top - slope * (left - line.box[0]) - line.box[3])}"


def _add(parent: etree._Element, tag: str, kind: str, name: str, title: str) -> etree._Element:
    return add_element(parent, tag, **{"class": kind, "id": name, "title": title})
