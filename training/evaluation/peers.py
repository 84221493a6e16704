"""The readers that a checkpoint is measured against, on the same pictures in the same run."""

import io
import os
import shutil
import subprocess
from collections.abc import Callable

import numpy as np
from PIL import Image

Reader = Callable[[Image.Image], str]
TESSERACT = "Tesseract"
TESSERACT_HEIGHT = 36  # pixels: of the sizes tried (36, 48, as they are) the one that it reads best


def pp_ocr() -> Reader:
    """PP-OCRv6-small: `rapidocr`'s recogniser, alone, on one line."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})

    def read(image: Image.Image) -> str:
        found = engine(np.asarray(image.convert("RGB"))[..., ::-1].copy(), use_det=False, use_cls=False, use_rec=True)
        # A tuple of texts: only recognition was asked for.
        return " ".join(getattr(found, "txts", None) or ())

    return read


def tesseract() -> Reader | None:
    """Tesseract on one line (`--psm 7`), English and French where both are installed; None where it is not."""
    if shutil.which("tesseract") is None:
        return None
    installed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True).stdout.split()
    languages = "+".join(language for language in ("eng", "fra") if language in installed)

    def read(image: Image.Image) -> str:
        picture = io.BytesIO()
        image = image.convert("L").resize(
            (max(1, round(image.width * TESSERACT_HEIGHT / image.height)), TESSERACT_HEIGHT)
        )
        white = Image.new("L", (image.width + 20, image.height + 20), 255)  # it wants a margin
        white.paste(image, (10, 10))
        white.save(picture, "png")
        command = ["tesseract", "-", "-", "--psm", "7", "-l", languages]
        found = subprocess.run(
            command, input=picture.getvalue(), capture_output=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"}
        )
        return found.stdout.decode("utf-8", "replace").strip()

    return read


def peers() -> dict[str, Reader]:
    """By the name that the tables give them; those that are installed."""
    found = {"PP-OCRv6-small": pp_ocr(), TESSERACT: tesseract()}
    return {name: reader for name, reader in found.items() if reader is not None}
