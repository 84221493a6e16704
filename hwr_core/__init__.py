"""Handwriting recognition with TrOCR, from strokes or photos to text.

from hwr_core import load_recognizer, read_ink, read_page
recognizer = load_recognizer("text")
page = read_page(image, recognizer)
page.text; page.lines[0].box, page.lines[0].reading.confidence
"""

import importlib
import os

# Read by onnxruntime when it is imported: or it tells its makers of every session, and keeps what it could not send in the home folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Resolved on first use: naming a checkpoint or an error must not cost the import of torch.
_HOMES = {
    "CHECKPOINTS": "checkpoints.registry",
    "load_recognizer": "checkpoints.registry",
    "HandwritingError": "errors",
    "open_image": "documents.image_reader",
    "read_ink": "pipeline",
    "read_page": "pipeline",
    "read_region": "pipeline",
    "PreprocessSettings": "imaging.settings",
    "Alternative": "reading",
    "Line": "reading",
    "Page": "reading",
    "Reading": "reading",
    "Recognizer": "recognizer",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"hwr_core.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'hwr_core' has no attribute '{name}'")
