"""Elements, text and boxes as ALTO, PAGE, hOCR and Word share them."""

from lxml import etree

from hwr_core.export.xml_common import add_element, enclosing_box, polygon_points, root_element, xml_bytes, xml_text
from hwr_core.reading import PageId


def test_characters_that_xml_cannot_hold_are_left_out():
    assert xml_text("a\x00b\x0bc\ud800d\ufffee\t\n\r<é😀") == "abcde\t\n\r<é😀"
    assert xml_text(PageId("notes\x00.pdf", 2, 3)) == "notes.pdf, page 2"


def test_the_enclosing_box_holds_all_boxes():
    assert enclosing_box([(5, 9, 20, 30)]) == (5, 9, 20, 30)
    assert enclosing_box([(5, 9, 20, 30), (0, 12, 8, 50)]) == (0, 9, 20, 50)


def test_corners_are_pairs():
    assert polygon_points([(1, 2), (30, 2), (30, 40)]) == "1,2 30,2 30,40"


def test_elements_stay_in_the_roots_namespace():
    root = root_element("urn:one", "root", version="1")
    add_element(add_element(root, "child"), "grandchild", name="x")
    parsed = etree.fromstring(xml_bytes(root))
    assert [etree.QName(element).namespace for element in parsed.iter()] == ["urn:one"] * 3
    assert parsed.nsmap == {None: "urn:one"} and parsed[0][0].get("name") == "x"
