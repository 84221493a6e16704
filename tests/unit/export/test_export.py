"""Every format follows its specification and loses nothing of the reading."""

import io
import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pypdfium2
import pytest
from docx import Document
from lxml import etree, html
from PIL import Image

from hwr_core.export import FORMATS, FileNames, export, suffix_of
from hwr_core.layout.words import NO_PICTURE, words_of
from hwr_core.reading import Alternative, Cell, Line, Page, PageId, Reading
from tests.support.pictures import LINES, ODD
from tests.support.pictures import barred_line as line

DATA = Path(__file__).parents[2] / "support" / "data"
ALTO = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
PAGE = {"p": "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"}


SHEET = Page(LINES, (1000, 1400))
EMPTY = Page((), (300, 200))


def cell(text: str, row: int, column: int, table: int = 0, formula: bool = False) -> Line:
    place = (200 * column, 100 * row, 200 * column + 150, 100 * row + 60)
    return Line(place, NO_PICTURE, Reading(text, 0.9), formula=formula, cell=Cell(table, row, column))


TABLE = Page(
    (
        line("Shopping", (0, 0, 300, 40), [200]),
        *(cell("Item", 0, 0), cell("Price", 0, 1), cell("a|b", 1, 0), cell("milk", 2, 0), cell("3.20", 2, 1)),
        *(cell("|x|", 3, 0, formula=True), cell("10", 3, 1), cell("Name", 0, 0, table=1), cell("Ann", 0, 1, table=1)),
    ),
    (500, 500),
)
PICTURES = {name: lambda: Image.new("RGB", (1000, 1400), "white") for name in ("a.jpg", "b.jpg")}


def test_alto_is_valid_and_says_what_was_read_where():
    root = etree.fromstring(export({"a.jpg": SHEET}, "alto"))
    etree.XMLSchema(etree.parse(DATA / "alto-4-subset.xsd")).assertValid(root)
    strings = root.xpath("//a:TextLine[1]/a:String", namespaces=ALTO)
    assert [string.get("CONTENT") for string in strings] == ["one", "twelve3"]
    assert strings[1].get("CC") == "4 0 0 0 0 4 0"  # characters 4 and 9 of the line are half sure
    assert root.xpath("//a:TextLine[@CS='true']/a:Shape/a:Polygon/@POINTS", namespaces=ALTO) == [
        "100,410 500,400 500,450 100,460"
    ]
    assert root.xpath("//a:TextLine[@TAGREFS='formula']/a:String/@CONTENT", namespaces=ALTO) == [r"\frac{a}{b}"]
    etree.XMLSchema(etree.parse(DATA / "alto-4-subset.xsd")).assertValid(
        etree.fromstring(export({"e.jpg": EMPTY}, "alto"))
    )


def test_page_xml_is_valid_and_has_the_alternatives():
    schema = etree.XMLSchema(etree.parse(DATA / "page-2019-07-15.xsd"))
    for page in (SHEET, EMPTY):
        root = etree.fromstring(export({"a.jpg": page}, "page"))
        schema.assertValid(root)
    root = etree.fromstring(export({"a.jpg": SHEET}, "page"))
    found = root.xpath("//p:TextLine[1]/p:TextEquiv/p:Unicode/text()", namespaces=PAGE)
    assert found == ["one twelve3", "other <one>"]
    assert root.xpath("//p:TextLine[4]/p:Word[1]//p:Unicode/text()", namespaces=PAGE) == ["déjà"]


@pytest.mark.parametrize("format", ["alto", "page"])
def test_every_line_has_what_krakens_reader_requires(format):
    """As `kraken.lib.xml` 7.1.1 parses them: it skips lines without a baseline and fails on other `custom`s."""
    edge = Line((-4, 10, 3, 20), NO_PICTURE, Reading("x", 0.9))
    page = Page((*LINES, edge), (1000, 1400), ((5, 5, 9, 9),))
    root = etree.fromstring(export({"a.jpg": page}, format))
    sheet = root.find(".//{*}Page")
    width, height = (int(sheet.get(name) or sheet.get(f"image{name.title()}")) for name in ("WIDTH", "HEIGHT"))
    assert (width, height) == (1000, 1400)
    lines = list(root.iter("{*}TextLine"))
    assert len(lines) == len(LINES) + 1
    for element, own in zip(lines, page.lines, strict=True):
        baseline = element.get("BASELINE") or element.find("{*}Baseline").get("points")
        outline = element.find(".//{*}Polygon")
        polygon = element.find("{*}Coords").get("points") if outline is None else outline.get("POINTS")
        (left, top), (right, bottom) = (tuple(map(int, point.split(","))) for point in baseline.split())
        assert len(polygon.split()) == 4 and "-" not in polygon + baseline
        assert left < right or top != bottom
        assert own.box[1] < top <= own.box[3] and own.box[1] < bottom <= own.box[3]
    for element in root.iter("{*}TextRegion", "{*}UnknownRegion", "{*}TextLine"):
        assert re.fullmatch(r"(\w+ \{\w+:\w+;\} ?)*", element.get("custom", ""))


def test_the_baseline_is_the_lower_edge_of_the_ink_that_stands_on_it():
    root = etree.fromstring(export({"a.jpg": Page(LINES[:1], (1000, 1400))}, "alto"))
    # The bars of `barred_line` are all of the ink: it stands on the box's lower edge.
    assert root.find(".//{*}TextLine").get("BASELINE") == "100,110 700,110"


def test_hocr_has_every_word_with_its_box():
    root = html.fromstring(export({"a.jpg": SHEET, "b.jpg": EMPTY}, "hocr"))
    words = root.xpath("//span[@class='ocrx_word']")
    assert [word.text for word in words[:2]] == ["one", "twelve3"]
    assert words[0].get("title").startswith("bbox 100 50 ") and "x_wconf 94" in words[0].get("title")
    assert len(root.xpath("//div[@class='ocr_page']")) == 2


def test_browsers_and_xml_parsers_see_the_same_hocr():
    edge = Page((Line((-4, 10, 3, 20), NO_PICTURE, Reading("x < y & z", 0.9)),), (300, 200))
    content = export({ODD: EMPTY, "a.jpg": SHEET, "b.jpg": edge}, "hocr")
    strict, lenient = etree.fromstring(content), html.fromstring(content)
    assert strict.tag == "{http://www.w3.org/1999/xhtml}html"
    seen = [
        [(element.get("class"), element.get("id"), element.getparent().get("id"), element.get("title"), element.text)
         for element in root.iter("{*}div", "{*}p", "{*}span")]
        for root in (strict, lenient)
    ]  # fmt: skip
    assert seen[0] == seen[1] and len(seen[0]) > 20


def test_hocr_has_what_ocrmypdfs_parser_requires():
    """As `HocrParser` of ocrmypdf 17.13.0 parses it with `xml.etree`: unsigned boxes, and lines in paragraphs."""
    edge = Line((-4, 10, 30, 20), NO_PICTURE, Reading("x", 0.9))
    page = Page((LINES[0], LINES[3], edge), (1000, 1400))
    root = ElementTree.parse(io.BytesIO(export({"a.jpg": page}, "hocr"))).getroot()
    space = root.tag.removesuffix("html")
    (sheet,) = root.iterfind(f".//{space}div[@class='ocr_page']")
    assert re.search(r"bbox 0 0 1000 1400; ppageno 0$", sheet.get("title"))
    lines = sheet.findall(f".//{space}p[@class='ocr_par']/{space}span[@class='ocr_line']")
    titles = [line.get("title") for line in lines]
    assert titles[:2] == ["bbox 100 50 700 110; baseline 0.0000 0", "bbox 100 400 500 460; baseline -0.0250 0"]
    assert titles[2].startswith("bbox 0 10 30 20; baseline ")
    for word in sheet.iterfind(f".//{space}span[@class='ocrx_word']"):
        assert word.text and re.fullmatch(r"bbox( \d+){4}; x_wconf \d+", word.get("title"))


def test_struck_out_words_are_marked_or_left_out():
    reading = Reading("a* bc d", 0.9, (0.9,) * 7, struck=((3, 5),))
    page = Page((Line((0, 0, 300, 40), NO_PICTURE, reading),), (300, 60))
    assert export({"a.jpg": page}, "md").decode().splitlines()[2] == "a\\* ~~bc~~ d  "
    assert export({"a.jpg": page}, "md", struck=False).decode().splitlines()[2] == "a\\* d  "
    assert export({"a.jpg": page}, "txt", struck=False) == b"a* d\n"
    runs = Document(io.BytesIO(export({"a.jpg": page}, "docx"))).paragraphs[0].runs
    assert [(run.text, bool(run.font.strike)) for run in runs] == [("a* ", False), ("bc", True), (" d", False)]
    root = etree.fromstring(export({"a.jpg": page}, "page"))
    etree.XMLSchema(etree.parse(DATA / "page-2019-07-15.xsd")).assertValid(root)
    assert root.xpath("//p:Word[p:TextStyle/@strikethrough='true']//p:Unicode/text()", namespaces=PAGE) == ["bc"]


def test_json_keeps_to_its_schema():
    schema = json.loads((Path(export.__code__.co_filename).parent / "page.schema.json").read_text())
    content = json.loads(export({"a.jpg": SHEET, "b.jpg": EMPTY}, "json"))
    jsonschema.validate(content, schema)
    assert content[0]["lines"][2]["kind"] == "formula" and content[0]["lines"][3]["corrected"]
    content[0]["lines"][0]["confidence"] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


def test_markdown_shows_the_text_as_it_is():
    text = export({"a.jpg": SHEET}, "md").decode()
    assert r"\# no heading \* \$5" in text and "\n$\\frac{a}{b}$  \n" in text and text.startswith("## a.jpg\n")
    numbered = Page((line("1. first", (0, 0, 10, 10), [5]), line("- second", (0, 0, 10, 10), [5])), (10, 10))
    assert (
        "1\\. first" in export({"a": numbered}, "md").decode()
        and "\\- second" in export({"a": numbered}, "md").decode()
    )


def test_a_tables_rows_stay_rows():
    assert export({"a": TABLE}, "txt").decode() == ("Shopping\nItem\tPrice\na|b\nmilk\t3.20\n|x|\t10\nName\tAnn\n")
    assert export({"a": TABLE}, "md").decode().splitlines()[2:] == [
        "Shopping  ", "", "| Item | Price |", "| --- | --- |", r"| a\|b |  |", "| milk | 3.20 |", r"| $\|x\|$ | 10 |", "",
        "Name\tAnn  ",
    ]  # fmt: skip
    document = Document(io.BytesIO(export({"a": TABLE}, "docx")))
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Item", "Price"], ["a|b", ""], ["milk", "3.20"], ["|x|", "10"],
    ]  # fmt: skip
    assert [paragraph.text for paragraph in document.paragraphs] == ["Shopping", "Name\tAnn"]


def test_unread_ink_is_told_and_unreadable_lines_are_no_text():
    guess = Reading("", 0.0, alternatives=(Alternative("scrawl", 0.1),), unreadable=True)
    unreadable = Line((10, 20, 90, 40), NO_PICTURE, guess)
    page = Page(LINES[:1], (1000, 1400), ((500, 600, 520, 640), unreadable.box), (unreadable,))
    (record,) = json.loads(export({"a": page}, "json"))
    assert record["unread"] == [[500, 600, 520, 640], [10, 20, 90, 40]]
    assert record["unreadable"][0]["alternatives"][0]["text"] == "scrawl"
    alto = etree.fromstring(export({"a": page}, "alto"))
    etree.XMLSchema(etree.parse(DATA / "alto-4-subset.xsd")).assertValid(alto)
    places = [tuple(map(found.get, ("HPOS", "VPOS", "WIDTH", "HEIGHT"))) for found in alto.iter("{*}Illustration")]
    assert places == [("500", "600", "20", "40"), ("10", "20", "80", "20")]
    page_xml = etree.fromstring(export({"a": page}, "page"))
    etree.XMLSchema(etree.parse(DATA / "page-2019-07-15.xsd")).assertValid(page_xml)
    regions = page_xml.xpath("//p:UnknownRegion[contains(@custom, 'unread')]/p:Coords/@points", namespaces=PAGE)
    assert regions[0] == "500,600 520,600 520,640 500,640" and len(regions) == 2
    assert len(list(alto.iter("{*}TextLine"))) == len(list(page_xml.iter("{*}TextLine"))) == 1
    assert b"scrawl" not in export({"a": page}, "alto") + export({"a": page}, "page") + export({"a": page}, "txt")


def test_docx_opens_with_all_lines():
    document = Document(io.BytesIO(export({"a.jpg": SHEET, "b.jpg": SHEET}, "docx")))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts.count("a.jpg") == 1 and texts.count("one twelve3\n# no heading * $5") == 2


def test_pdf_shows_the_picture_and_finds_the_text_where_it_is():
    document = pypdfium2.PdfDocument(export({"a.jpg": SHEET, "b.jpg": EMPTY}, "pdf", PICTURES))
    assert len(document) == 2
    page = document[0]
    width, height = page.get_size()
    assert width / height == pytest.approx(1000 / 1400, abs=0.01)
    text = page.get_textpage()
    assert text.get_text_range().splitlines()[:2] == ["one twelve3", "# no heading * $5"]
    search = text.search("twelve3")
    index, _ = search.get_next()
    left, bottom, _, top = text.get_charbox(index)
    scale = height / 1400
    assert (
        left == pytest.approx(words_of(LINES[0])[1].box[0] * scale, abs=8)
        and height - 110 * scale - 4 < bottom < top < height - 50 * scale + 4
    )
    # nothing of the text is seen: the sheet is as white as its picture
    assert np.asarray(page.render(scale=1).to_pil().convert("L")).min() > 250


def test_words_that_nearly_touch_stay_two_in_the_pdfs_text():
    line = Line((100, 100, 700, 160), NO_PICTURE, Reading("tight fit", 0.9), gaps=((0.56, 0.562),))
    page = pypdfium2.PdfDocument(export({"a.jpg": Page((line,), (1000, 1400))}, "pdf", PICTURES))[0].get_textpage()
    assert page.get_text_range() == "tight fit"
    (_, _, end, _), (start, *_) = page.get_charbox(4), page.get_charbox(6)
    assert start - end > 0.1 * 60 * 842 / 1400


def test_several_pages_of_a_single_page_format_come_as_a_zip():
    archive = zipfile.ZipFile(io.BytesIO(export({"x/a.jpg": SHEET, "a.png": EMPTY}, "page")))
    assert archive.namelist() == ["a.xml", "a (2).xml"]
    assert (suffix_of("page", 2), suffix_of("page", 1), suffix_of("pdf", 2)) == (".zip", ".xml", ".pdf")
    assert list(map(FileNames(".txt"), ["../../etc/passwd", "c:\\x\\y.jpg", ".jpg"])) == [
        "passwd.txt",
        "y.txt",
        ".jpg.txt",
    ]
    pages = [PageId("a/notes.pdf", 1, 3), PageId("a/notes.pdf", 3, 3), PageId("b/notes.pdf", 3, 3), PageId("one.pdf")]
    assert list(map(FileNames(".xml"), pages)) == [
        "notes, page 1.xml", "notes, page 3.xml", "notes, page 3 (2).xml", "one.xml",
    ]  # fmt: skip


def test_a_page_number_in_the_name_of_a_file_is_not_taken_for_one_of_a_document():
    assert FileNames(".txt")("a letter, page 2.jpg") == "a letter, page 2.txt"
    assert FileNames(".txt")("draft.v2, page 3") == "draft.txt"


@pytest.mark.parametrize("format", FORMATS)
def test_pages_are_given_by_their_file_and_number(format):
    ids = [PageId("notes.pdf", number, 2) for number in (1, 2)]
    pages, pictures = dict.fromkeys(ids, SHEET), dict.fromkeys(ids, PICTURES["a.jpg"])
    named = {page_id.title: SHEET for page_id in ids}
    content = export(pages, format, pictures)
    if suffix_of(format, 2) == ".zip":
        assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["notes, page 1.xml", "notes, page 2.xml"]
    elif format not in ("docx", "pdf"):  # these hold the time
        assert content == export(named, format)


@pytest.mark.parametrize("format", FORMATS)
def test_a_line_that_was_emptied_is_left_out(format):
    emptied = Page((LINES[0].with_text(" "),), (1000, 1400))
    files = [export({"a.jpg": page}, format, PICTURES) for page in (emptied, Page((), (1000, 1400)))]
    if format not in ("docx", "pdf", "page"):  # these hold the time
        assert files[0] == files[1]
    if format == "alto":
        etree.XMLSchema(etree.parse(DATA / "alto-4-subset.xsd")).assertValid(etree.fromstring(files[0]))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_takes_an_empty_page_and_odd_names(format):
    assert export({f'"{ODD}.jpg': EMPTY}, format, {f'"{ODD}.jpg': lambda: Image.new("L", (300, 200), 200)})


def test_what_cannot_be_exported_is_said():
    with pytest.raises(ValueError, match="no format doc"):
        export({"a": SHEET}, "doc")
    with pytest.raises(ValueError, match="no page"):
        export({}, "txt")
    with pytest.raises(ValueError, match="pictures"):
        export({"a": SHEET}, "pdf")
