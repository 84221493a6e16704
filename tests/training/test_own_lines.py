"""Lines of one's own: five forms, one loader, and errors that name the file."""

import base64
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hwr_core.errors import HandwritingError
from hwr_core.metrics import cer
from tests.support.paths import ROOT
from training.data.charset import CHARACTERS
from training.data.datasets import scans
from training.data.own_lines import as_image, check_characters, main, own_lines, to_tar
from training.data.pictures import decoded

DATA = ROOT / "tests" / "data" / "own_lines"
PAGE = ["good morning", "bring the map"]


@pytest.mark.parametrize(
    ("part", "texts", "writers"),
    [
        ("export", PAGE, {""}),
        ("pairs", ["two loaves", "six eggs"], {""}),
        ("pages", PAGE * 2, {""}),
        ("strokes", ["hello world", "see you soon"], {"anna", ""}),
    ],
)
def test_each_form_is_loaded_and_its_pictures_show_the_texts(part, texts, writers, recognizer):
    lines = own_lines(DATA / part)
    assert [line.text for line in lines] == texts and {line.writer for line in lines} == writers
    assert all(line.grey.dtype == np.uint8 and line.grey.ndim == 2 and not line.formula for line in lines)
    assert (part == "strokes") == all(line.strokes is not None for line in lines)
    read = [reading.text for reading in recognizer.read([as_image(line) for line in lines])]
    assert cer(texts, read) < 0.1


def test_folders_in_a_folder_are_loaded_together_and_name_the_writer():
    lines = own_lines(DATA)
    assert {line.writer for line in lines} == {"anna", "export", "pages", "pairs", "strokes"} and len(lines) == 10
    origins = [line.origin for line in lines]
    assert "pages/page.page.xml, line line_2" in origins and "pairs/b.gt.txt" in origins
    assert "strokes/anna.jsonl, line 2" in origins and "export/metadata.jsonl, line 1" in origins


def test_a_zip_and_a_single_file_are_loaded_too(tmp_path):
    packed = shutil.make_archive(str(tmp_path / "mine"), "zip", DATA / "export")
    assert [line.text for line in own_lines(tmp_path / "mine.zip")] == PAGE and packed
    assert len(own_lines(DATA / "strokes" / "anna.jsonl")) == 2


def test_outlines_of_other_programs_are_loaded_also_where_a_line_is_tilted(tmp_path, recognizer):
    shutil.copy(DATA / "pages" / "page.png", tmp_path)
    alto = (DATA / "pages" / "page.alto.xml").read_text(encoding="utf-8")
    # Polygons of more corners, as eScriptorium writes them.
    many = alto.replace('POINTS="', 'POINTS="150,20 ').replace("fileName>page.png", "fileName>C:\\scans\\page.png")
    (tmp_path / "page.xml").write_text(many, encoding="utf-8")
    lines = own_lines(tmp_path)
    assert [line.text for line in lines] == PAGE
    assert recognizer.read([as_image(lines[0])])[0].text == PAGE[0]


def test_an_unknown_character_is_named_with_its_first_place(tmp_path):
    rows = ["a plain line", "Łódź", "in Łomża"]
    for number, text in enumerate(rows):
        shutil.copy(DATA / "pairs" / "a.png", tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    lines = own_lines(tmp_path)
    with pytest.raises(HandwritingError) as error:
        check_characters(lines, CHARACTERS)
    assert "'Ł' (U+0141) 2×, first in 1.txt" in str(error.value)
    assert "'ź' (U+017A) 1×, first in 1.txt" in str(error.value) and "docs/contributing/language.md" in str(error.value)
    check_characters(own_lines(DATA), CHARACTERS)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metadata.jsonl", '{"file_name": "none.png", "text": "a"}', "There is no picture none.png"),
        ("metadata.jsonl", '{"file_name": "none.png"}', "metadata.jsonl, line 1 is no row with text"),
        ("a.jsonl", '\n{"text": "a", "strokes": [[1, 2]]}', "a.jsonl, line 2 is no row with text"),
        ("a.jsonl", '{"text": 5, "strokes": [[[1, 2], [3, 9]]]}', "The text in a.jsonl, line 1 is no string"),
        ("a.xml", "<alto><TextLine", "a.xml is no XML"),
        ("a.xml", '<alto><TextLine HPOS="1"/></alto>', "a.xml needs the page's picture a.png beside it"),
        ("notes.md", "nothing", "has no lines"),
    ],
)
def test_what_cannot_be_loaded_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(HandwritingError, match="(?s)" + said.replace(".", r"\.")):
        own_lines(tmp_path)


def test_a_formula_keeps_its_latex(tmp_path):
    shutil.copy(DATA / "pairs" / "a.png", tmp_path)
    row = {"file_name": "a.png", "text": "x^2  + 1", "kind": "formula", "writer": "me"}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row))
    (line,) = own_lines(tmp_path)
    assert line.formula and line.text == "x^2  + 1" and line.writer == "me"


def test_what_is_missing_is_reported(tmp_path):
    with pytest.raises(HandwritingError, match="There is no folder"):
        own_lines(tmp_path / "none")
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(HandwritingError, match="is no ZIP"):
        own_lines(tmp_path / "a.zip")


def test_lines_become_a_source_of_the_training(tmp_path):
    lines = own_lines(DATA)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "pages.jsonl").write_text("")
    to_tar(lines, tmp_path / "mine.tar")
    train, val = (scans("mine", split, tmp_path) for split in ("train", "val"))
    assert {line.writer for line in val} == {"anna"} and len(train) + len(val) == len(lines)
    assert [line.text for line in train[:2]] == PAGE and decoded(train[0].jpeg).shape == lines[0].grey.shape
    to_tar(own_lines(DATA / "pairs"), tmp_path / "mine.tar")  # one writer: by lines
    assert [len(scans("mine", split, tmp_path)) for split in ("train", "val")] == [1, 1]


def test_pictures_in_rows_are_taken_from_standard_input(monkeypatch, tmp_path):
    picture = io.BytesIO()
    Image.new("L", (60, 20), 200).save(picture, "PNG")
    row = {"text": "good day", "png": base64.b64encode(picture.getvalue()).decode(), "name": "letter.jpg, line 3"}
    written = json.dumps(row).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(written)))
    (line,) = own_lines(Path("-"))
    assert (line.text, line.origin, line.grey.shape) == ("good day", "letter.jpg, line 3", (20, 60))
    (tmp_path / "a.jsonl").write_bytes(written)
    assert own_lines(tmp_path)[0].text == "good day"
    for odd in ('{"text": "a", "png": "!"}', '{"text": "a", "file_name": "/etc/hosts"}'):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(odd.encode())))
        with pytest.raises(HandwritingError, match="standard input, line 1 is no row with text"):
            own_lines(Path("-"))


def test_a_zip_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr("a.jsonl", '{"text": "a", "strokes": [[[0, 0], [40, 30]]]}')
    assert own_lines(tmp_path / "mine.zip")[0].text == "a"
    assert not list((tmp_path / "temporary").iterdir())


def test_the_command_makes_the_folder_of_the_source(tmp_path, capsys):
    main([str(DATA / "pairs"), str(tmp_path / "data" / "mine.tar")])
    assert (tmp_path / "data" / "mine.tar").is_file() and "mine.tar: 2 lines" in capsys.readouterr().out


def test_the_command_says_what_is_wrong_in_one_sentence(tmp_path, capsys):
    shutil.copytree(DATA / "pairs", tmp_path / "lines")
    next((tmp_path / "lines").rglob("*.txt")).write_text("Жук", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path / "lines"), str(tmp_path / "mine.tar")])
    assert end.value.code == 1 and capsys.readouterr().err.startswith("The checkpoint cannot write 'Ж' (U+0416) 1×")
