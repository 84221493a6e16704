"""Corrected lines as a data set in the `imagefolder` layout."""

import io
import json
import zipfile

import pytest
from PIL import Image

from hwr_core.export.dataset import METADATA, to_dataset
from hwr_core.reading import Line, Page, Reading


def page(name: str) -> Page:
    lines = [
        Line((100, 50, 500, 110), Image.new("L", (4, 4)), Reading("read", 0.5, (0.5,) * 4)),
        Line((100, 150, 500, 210), Image.new("L", (4, 4)), Reading("raed", 0.5, (0.5,) * 4)).with_text(
            f"corrected, {name}"
        ),
        Line((100, 250, 500, 310), Image.new("L", (4, 4)), Reading("x^{2}", 0.5), formula=True),
        Line((100, 350, 500, 410), Image.new("L", (4, 4)), Reading("", 1.0)),
    ]
    return Page(tuple(lines), (600, 500))


def photo(colour: str):
    image = Image.new("RGB", (600, 500), "white")
    image.paste(colour, (100, 150, 500, 210))
    return lambda: image


def unpacked(data: bytes) -> tuple[list[dict], dict[str, Image.Image]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = [json.loads(row) for row in archive.read(METADATA).decode().splitlines()]
        return rows, {
            name: Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist() if name != METADATA
        }


def test_each_line_has_its_picture_and_its_row():
    pages = {"a/note.jpg": page("one"), "note.png": page("two")}
    rows, pictures = unpacked(to_dataset(pages, {"a/note.jpg": photo("red"), "note.png": photo("blue")}))
    assert [row["file_name"] for row in rows] == [
        f"{stem}-{n:03d}.png" for stem in ("note", "note (2)") for n in (1, 2, 3)
    ]
    assert set(pictures) == {row["file_name"] for row in rows}
    assert [row["text"] for row in rows[:3]] == ["read", "corrected, one", "x^{2}"]
    assert [row["kind"] for row in rows[:3]] == ["text", "text", "formula"]
    assert [row["corrected"] for row in rows[:3]] == [False, True, False]
    assert pictures["note-002.png"].getpixel((200, 30)) == (255, 0, 0) and pictures["note (2)-002.png"].getpixel(
        (200, 30)
    ) == (0, 0, 255)


def test_only_what_was_corrected():
    rows, pictures = unpacked(to_dataset({"note.png": page("two")}, {"note.png": photo("blue")}, only_corrected=True))
    assert [row["text"] for row in rows] == ["corrected, two"] and len(pictures) == 1


def test_no_line_is_said():
    with pytest.raises(ValueError, match="no line"):
        to_dataset({"note.png": Page((), (600, 500))}, {"note.png": photo("blue")})
