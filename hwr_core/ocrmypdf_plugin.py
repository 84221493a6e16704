"""Lets OCRmyPDF read handwriting: `ocrmypdf --plugin hwr_core.ocrmypdf_plugin scan.pdf searchable.pdf`.

OCRmyPDF draws the pages, and puts the words that it finds in hOCR below them. It has `--sidecar` for the text, and makes PDF/A.
"""

from collections.abc import Set
from functools import lru_cache
from pathlib import Path

from ocrmypdf import hookimpl
from ocrmypdf.pluginspec import OcrEngine, OcrOptions, OrientationConfidence

from hwr_core import __version__
from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.documents.image_reader import open_image
from hwr_core.export import export
from hwr_core.pipeline import read_page
from hwr_core.recognizer import Recognizer


class HandwritingEngine(OcrEngine):
    """Reads pages with the text checkpoint. Each line tells its own language, whatever `--language` says."""

    @staticmethod
    def version() -> str:
        return __version__

    @staticmethod
    def creator_tag(options: OcrOptions) -> str:
        return f"Handwriting Recognition {__version__}"

    def __str__(self) -> str:
        return f"Handwriting Recognition {__version__}"

    @staticmethod
    def languages(options: OcrOptions) -> Set[str]:
        return set()  # OCRmyPDF then asks for none

    @staticmethod
    def get_orientation(input_file: Path, options: OcrOptions) -> OrientationConfidence:
        return OrientationConfidence(angle=0, confidence=0.0)  # pages that lie on their side are read as they are

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: OcrOptions) -> None:
        page = read_page(lambda: open_image(input_file), recognizer())
        output_hocr.write_bytes(export({input_file.name: page}, "hocr"))
        output_text.write_text(page.text, encoding="utf-8")

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: OcrOptions) -> None:
        raise NotImplementedError("Handwriting Recognition writes hOCR: leave out --pdf-renderer sandwich.")


@lru_cache(maxsize=1)
def recognizer() -> Recognizer:
    """The text checkpoint, loaded once in each of OCRmyPDF's processes."""
    return load_recognizer("text")


@hookimpl
def get_ocr_engine(options: OcrOptions | None) -> OcrEngine | None:
    """The engine, unless `--ocr-engine` names another."""
    chosen = getattr(options, "ocr_engine", "auto")
    return HandwritingEngine() if chosen == "auto" else None
