"""Handwriting recognition with TrOCR: drawn strokes, photos and pages to text, formulas to LaTeX.

```python
from hwr_core import load_recognizer, read_ink, read_page

recognizer = load_recognizer("text")
page = read_page(image, recognizer)
page.text
page.lines[0].box, page.lines[0].reading.confidence
```
"""

import importlib
import logging
import os
from typing import TYPE_CHECKING

# The only place of the version: pyproject.toml, the API and the command line take it from here.
__version__ = "1.0.0"

# onnxruntime reads this when it is imported. Otherwise it sends telemetry and stores it in the home folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Quiet unless the program that uses the library configures logging.
logging.getLogger("hwr_core").addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from hwr_core.checkpoints.registry import CHECKPOINTS, load_recognizer
    from hwr_core.documents.image_reader import open_image
    from hwr_core.errors import HandwritingError
    from hwr_core.imaging.settings import PreprocessSettings
    from hwr_core.pipeline import read_ink, read_page, read_region
    from hwr_core.reading import Alternative, Line, Page, Reading
    from hwr_core.recognizer import Recognizer

# Public name → module, imported on first use: `from hwr_core import HandwritingError` must not import onnxruntime or torch.
_MODULES = {
    "CHECKPOINTS": "checkpoints.registry",
    "load_recognizer": "checkpoints.registry",
    "open_image": "documents.image_reader",
    "HandwritingError": "errors",
    "PreprocessSettings": "imaging.settings",
    "read_ink": "pipeline",
    "read_page": "pipeline",
    "read_region": "pipeline",
    "Alternative": "reading",
    "Line": "reading",
    "Page": "reading",
    "Reading": "reading",
    "Recognizer": "recognizer",
}

__all__ = [
    "CHECKPOINTS",
    "Alternative",
    "HandwritingError",
    "Line",
    "Page",
    "PreprocessSettings",
    "Reading",
    "Recognizer",
    "__version__",
    "load_recognizer",
    "open_image",
    "read_ink",
    "read_page",
    "read_region",
]


if not TYPE_CHECKING:  # type checkers see the imports above, and report names that do not exist

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return getattr(importlib.import_module(f"hwr_core.{_MODULES[name]}"), name)
        raise AttributeError(f"module 'hwr_core' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
