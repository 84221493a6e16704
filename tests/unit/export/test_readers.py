"""Programs that people use read the exports: kraken, ocrmypdf, archive-hocr-tools, poppler and LibreOffice."""

import io
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import hocr.parse
import ocrmypdf
import pytest
from ocrmypdf.hocrtransform import HocrParser
from PIL import Image
from pypdf import PdfReader

from hwr_core import __version__, load_recognizer, read_page
from hwr_core.export import export
from hwr_core.ocrmypdf_plugin import get_ocr_engine
from hwr_core.reading import Page
from tests.support.paths import SAMPLES
from tests.support.pictures import LINES, barred_line, written_page

KRAKEN = "kraken is not here: its other packages do not fit, so `pip install --no-deps kraken`"


@pytest.fixture(scope="module")
def written() -> Page:
    """A page that was read: three lines."""
    page = read_page(Image.fromarray(written_page()), load_recognizer("text"))
    assert len(page.lines) == 3
    return page


def texts(page: Page) -> list[str]:
    """The lines' texts, without control characters: XML cannot have them."""
    return [line.reading.text.replace("\0", "").replace("\x0b", "") for line in page.lines]


@pytest.mark.parametrize("format", ["alto", "page"])
def test_kraken_reads_all_lines_with_their_baselines(format, written, tmp_path):
    xml = pytest.importorskip("kraken.lib.xml", reason=KRAKEN)
    for number, page in enumerate((written, Page(LINES, (1000, 1400), ((5, 5, 9, 9),)))):
        path = tmp_path / f"{number}.xml"
        path.write_bytes(export({"a.jpg": page}, format))
        Image.new("L", page.size).save(tmp_path / "a.jpg")
        found = xml.XMLPage(path, filetype=format)
        assert [line.text.split() for line in found.lines.values()] == [text.split() for text in texts(page)]
        assert all(len(line.baseline) >= 2 and len(line.boundary) >= 4 for line in found.lines.values())
        assert Path(found.imagename).name == "a.jpg" and tuple(found.image_size) == page.size


@pytest.mark.parametrize("lines", [(), LINES], ids=["a page without text", "a page with text"])
def test_readers_take_pages_without_text_and_odd_names(lines, tmp_path):
    page, name = Page(lines, (1000, 1400)), 'it\'s "größer" & <b> .jpg'
    (tmp_path / "a.hocr").write_bytes(export({name: page}, "hocr"))
    assert len(HocrParser(tmp_path / "a.hocr").parse().lines) == len(lines)
    for found in hocr.parse.hocr_page_iterator(io.BytesIO(export({name: page}, "hocr"))):
        assert tuple(hocr.parse.hocr_page_get_dimensions(found)) == page.size
    assert len(PdfReader(io.BytesIO(export({name: page}, "pdf", {name: lambda: Image.new("L", page.size)}))).pages) == 1
    xml = pytest.importorskip("kraken.lib.xml", reason=KRAKEN)
    for format in ("alto", "page"):
        (tmp_path / f"{format}.xml").write_bytes(export({name: page}, format))
        read = xml.XMLPage(tmp_path / f"{format}.xml", filetype=format)
        assert Path(read.imagename).name == name and len(read.lines) == len(lines)


def test_ocrmypdf_reads_all_words_of_hocr(written, tmp_path):
    path = tmp_path / "a.hocr"
    path.write_bytes(export({"a.jpg": written}, "hocr"))
    page = HocrParser(path).parse()
    assert (page.bbox.width, page.bbox.height) == written.size
    found = [[word.text for word in line.words] for line in page.lines]
    assert found == [text.split() for text in texts(written)]
    assert all(line.baseline is not None for line in page.lines)


def test_archive_hocr_tools_read_all_words_of_hocr(written):
    content = io.BytesIO(export({"a.jpg": written, "b.jpg": written}, "hocr"))
    pages = 0
    for page in hocr.parse.hocr_page_iterator(content):  # it empties a page before it gives the next one
        pages += 1
        assert tuple(hocr.parse.hocr_page_get_dimensions(page)) == written.size
        lines = [line for block in hocr.parse.hocr_page_to_word_data(page) for line in block["lines"]]
        assert [[word["text"] for word in line["words"]] for line in lines] == [text.split() for text in texts(written)]
    assert pages == 2


def program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    return found or pytest.skip(f"there is no {names[0]} here")


def test_pdftotext_reads_the_lines_of_a_searchable_pdf(written, tmp_path):
    command = program("pdftotext")
    (tmp_path / "a.pdf").write_bytes(export({"a.jpg": written}, "pdf", {"a.jpg": lambda: Image.new("L", written.size)}))
    done = subprocess.run([command, tmp_path / "a.pdf", "-"], capture_output=True, check=True, timeout=60)
    assert [line for line in done.stdout.decode().splitlines() if line.strip("\f")] == texts(written)


@pytest.mark.parametrize("rise", [-40, 0, 40])
def test_pdftotext_reads_leaning_lines_and_narrow_letters(rise, tmp_path):
    """Photos are taken at a slant, and letters may be crammed at the end of a line."""
    command = program("pdftotext")
    leaning = ((100, 300 + rise), (800, 300), (800, 360), (100, 360 + rise))
    narrow = ((100, 600), (200, 600), (200, 700), (100, 700))
    lines = (
        barred_line("hello willow", (100, 220, 800, 440), [300, 300], outline=leaning),
        barred_line("Mississippi", (100, 600, 200, 700), [90], outline=narrow),
    )
    page = Page(lines, (1000, 1400))
    (tmp_path / "a.pdf").write_bytes(export({"a.jpg": page}, "pdf", {"a.jpg": lambda: Image.new("L", page.size)}))
    done = subprocess.run([command, tmp_path / "a.pdf", "-"], capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().split() == ["hello", "willow", "Mississippi"]


def test_libreoffice_opens_a_word_file(written, tmp_path):
    command = [program("soffice", "libreoffice"), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    (tmp_path / "a.docx").write_bytes(export({"a.jpg": written}, "docx"))
    command += ["--convert-to", "txt:Text (encoded):UTF8", "--outdir", str(tmp_path), str(tmp_path / "a.docx")]
    subprocess.run(command, capture_output=True, check=True, timeout=180)
    converted = (tmp_path / "a.txt").read_text("utf-8-sig").split()
    assert converted[-len(" ".join(texts(written)).split()) :] == " ".join(texts(written)).split()


def test_ocrmypdf_puts_our_words_below_a_scan_and_writes_its_sidecar(tmp_path):
    """As `ocrmypdf --plugin hwr_core.ocrmypdf_plugin --sidecar page.txt scan.pdf searchable.pdf`."""
    source, result, sidecar = (tmp_path / name for name in ("scan.pdf", "searchable.pdf", "page.txt"))
    with Image.open(SAMPLES / "letter.jpg") as letter:
        letter.convert("L").save(source, resolution=200)
    code = ocrmypdf.ocr(
        source, result, plugins=["hwr_core.ocrmypdf_plugin"], sidecar=sidecar, output_type="pdf",
        jobs=1, use_threads=True, progress_bar=False,
    )  # fmt: skip
    assert code == ocrmypdf.ExitCode.ok
    read = sidecar.read_text()
    assert read.startswith("Dear Martha,\nwe arrived on Thursday")
    found = PdfReader(result)
    assert found.pages[0].extract_text().split() == read.split()
    assert "Handwriting Recognition" in found.metadata["/Creator"]


def test_another_engine_of_ocrmypdf_can_be_chosen():
    assert get_ocr_engine(SimpleNamespace(ocr_engine="none")) is None
    assert str(get_ocr_engine(None)) == f"Handwriting Recognition {__version__}"
