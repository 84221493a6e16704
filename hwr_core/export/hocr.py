"""Pages as hOCR 1.2 (Breuel): an HTML document with the position of every line and word."""

from collections.abc import Mapping

from lxml import etree
from lxml.html import builder as html
from lxml.html import tostring

from hwr_core.export.xml_common import enclosing_box, xml_text
from hwr_core.layout.words import words_of
from hwr_core.reading import Box, Line, Page, PageId, PageName

CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word"


def to_hocr(pages: Mapping[PageName, Page]) -> bytes:
    """Writes pages as one HTML document in UTF-8, with all positions in pixels.

    `x_wconf` is a word's confidence in per cent.

    Args:
        pages: the pages, each by its identity or the name of its picture.
    """
    head = html.HEAD(
        html.META(charset="utf-8"), html.TITLE("Handwriting"), html.META(name="ocr-system", content="Handwriting Recognition"),
        html.META(name="ocr-capabilities", content=CAPABILITIES),
    )  # fmt: skip
    body = html.BODY(*(_page(number, name, page) for number, (name, page) in enumerate(pages.items(), 1)))
    return tostring(html.HTML(head, body), encoding="utf-8", doctype="<!DOCTYPE html>", pretty_print=True)


def _page(number: int, name: PageId | str, page: Page) -> etree._Element:
    file = xml_text(name).replace('"', "'")
    sheet = _element(
        html.DIV, "ocr_page", f"page_{number}", f'image "{file}"; {_bbox((0, 0, *page.size))}; ppageno {number - 1}'
    )
    if page.lines:
        place = _bbox(enclosing_box([line.box for line in page.lines]))
        area = _element(html.DIV, "ocr_carea", f"block_{number}", place)
        paragraph = _element(html.P, "ocr_par", f"par_{number}", place)
        paragraph.extend(_line(f"{number}_{index}", line) for index, line in enumerate(page.lines, 1))
        area.append(paragraph)
        sheet.append(area)
    return sheet


def _line(number: str, line: Line) -> etree._Element:
    element = _element(html.SPAN, "ocr_line", f"line_{number}", _bbox(line.box))
    for index, word in enumerate(words_of(line), 1):
        part = _element(
            html.SPAN,
            "ocrx_word",
            f"word_{number}_{index}",
            f"{_bbox(word.box)}; x_wconf {round(100 * word.confidence)}",
        )
        part.text, part.tail = xml_text(word.text), " "
        element.append(part)
    element.tail = "\n"
    return element


def _bbox(box: Box) -> str:
    return "bbox " + " ".join(map(str, box))


def _element(make, kind: str, name: str, title: str) -> etree._Element:
    return make({"class": kind, "id": name, "title": title})
