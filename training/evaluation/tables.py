"""What all tables share: texts in one form, and their rows."""

from collections.abc import Iterable

from training.data.charset import normalise


def comparable(text: str) -> str:
    """Quotes and spaces in one form, for the truth and for every reader alike; PP-OCR's full-width punctuation as ASCII."""
    return normalise(text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}))


def print_row(cells: Iterable[str]) -> None:
    print("| " + " | ".join(cells) + " |")
