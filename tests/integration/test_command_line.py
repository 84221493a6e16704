"""`python -m hwr_core read`: the same readings as on the pages, without a browser."""

import io
import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from hwr_core.cli import OneFile, main
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
from hwr_core.reading import Page, PageId
from tests.support.pictures import encoded


def picture(text: str) -> Image.Image:
    return render_line(write(text, slant=0.1), 96, 5)


@pytest.fixture
def folder(tmp_path):
    picture("hello world").save(tmp_path / "b.png")
    picture("good morning").save(tmp_path / "a.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_a_folder_is_read_in_order_as_text(folder, capfdbinary):
    assert main(["read", str(folder), "--quiet"]) == 0
    output = capfdbinary.readouterr().out.decode()
    assert output.split() == ["#", "a.jpg", "good", "morning", "#", "b.png", "hello", "world"]


def test_one_bad_file_loses_no_other(folder, capfd):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    assert main(["read", str(folder), "--format", "json", "--quiet", "--out", str(folder / "all.json")]) == 1
    assert [page["name"] for page in json.loads((folder / "all.json").read_text())] == ["a.jpg", "b.png"]
    assert capfd.readouterr().err.startswith("broken.png ")


def test_files_of_one_name_are_told_apart_and_one_named_twice_is_read_once(tmp_path, capfdbinary):
    for name, text in (("first", "hello world"), ("second", "good morning")):
        (tmp_path / name).mkdir()
        picture(text).save(tmp_path / name / "page.png")
    first, second = tmp_path / "first" / "page.png", tmp_path / "second" / "page.png"
    assert main(["read", str(first), str(second), str(first), "--quiet"]) == 0
    assert capfdbinary.readouterr().out.decode() == f"# {first}\nhello world\n\n# {second}\ngood morning\n"


def test_a_name_that_is_no_text_and_what_only_looks_like_a_file_cost_nothing(folder, capfdbinary):
    picture("thank you").save(folder / "c.png")
    os.rename(folder / "c.png", os.fsencode(folder) + b"/c\xff.png")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    for form in ("txt", "json"):
        assert main(["read", str(folder), "--format", form, "--quiet"]) == 0
        output = capfdbinary.readouterr().out.decode()
        assert "thank you" in output and "hello world" in output and "xff.png" in output


@pytest.mark.parametrize(("out", "said"), [("missing/x.txt", "there is no folder"), ("a.jpg/", "it is a file")])
def test_what_cannot_be_written_to_is_said_before_anything_is_read(folder, capfd, monkeypatch, out, said):
    monkeypatch.setattr("hwr_core.checkpoints.registry.load_recognizer", lambda *_: pytest.fail("it was read"))
    assert main(["read", str(folder), "--out", f"{folder}/{out}"]) == 2
    assert said in capfd.readouterr().err


def test_a_folder_to_write_to_gets_a_file_a_page(folder):
    first, second = picture("one two"), picture("three four")
    (folder / "fax.tif").write_bytes(encoded(first, "TIFF", save_all=True, append_images=[second]))
    assert main(["read", str(folder / "fax.tif"), "--format", "alto", "--out", f"{folder}/out/", "--quiet"]) == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["fax, page 1.xml", "fax, page 2.xml"]


def test_what_was_read_before_an_interrupt_is_in_the_folder(folder, monkeypatch):
    from hwr_core import pipeline

    read, names = pipeline.read_picture, []

    def interrupted(*arguments):
        if names:
            raise KeyboardInterrupt
        names.append("a")
        return read(*arguments)

    monkeypatch.setattr(pipeline, "read_picture", interrupted)
    assert main(["read", str(folder), "--out", f"{folder}/out/", "--quiet"]) == 130
    assert (folder / "out" / "a.txt").read_text().strip() == "good morning"


def test_what_a_library_makes_of_one_picture_costs_no_other(folder, monkeypatch, capfd):
    from hwr_core import pipeline

    read = pipeline.read_picture

    def raising(picture, *arguments):
        if picture().width == Image.open(folder / "a.jpg").width:
            raise MemoryError
        return read(picture, *arguments)

    monkeypatch.setattr(pipeline, "read_picture", raising)
    assert main(["read", str(folder), "--quiet"]) == 1
    captured = capfd.readouterr()
    assert captured.out == "hello world\n" and captured.err == "a.jpg cannot be read: internal error (MemoryError).\n"


@pytest.mark.parametrize(("format", "kept"), [("txt", 0), ("alto", 0), ("pdf", 1)])
def test_files_are_kept_in_memory_only_for_formats_that_show_them(format, kept, tmp_path):
    whole = OneFile(tmp_path / "out", format)
    whole.add(PageId("a.png"), Page((), (1, 1)), lambda: None)
    assert len(whole.pages) == 1 and len(whole.pictures) == kept


def test_a_formula_is_read_as_one(tmp_path, capfdbinary):
    from hwr_core.ink.formula import render_formula

    render_formula(write_formula()).save(tmp_path / "formula.png")
    assert main(["read", str(tmp_path / "formula.png"), "--checkpoint", "math", "--format", "md", "--quiet"]) == 0
    assert b"$$\nx=\\frac" in capfdbinary.readouterr().out


def test_standard_input_in_a_process_of_its_own(folder):
    done = subprocess.run(
        [sys.executable, "-m", "hwr_core", "read", "-"],
        input=(folder / "b.png").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"hello world\n" and done.stderr == b"standard input: 1 line\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.png"], "There is no file nowhere.png."),
        (["FOLDER/notes.txt", "--settings", "FOLDER/notes.txt"], "The settings are no JSON"),
        (["FOLDER/b.png", "--settings", "FOLDER/none.json"], "cannot be read"),
        (["FOLDER/b.png", "--beams", "0"], "beams"),
        (["FOLDER/b.png", "--checkpoint", "FOLDER/nothing"], "."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(folder, arguments, sentence, capfd):
    assert main(["read", *(argument.replace("FOLDER", str(folder)) for argument in arguments)]) == 2
    captured = capfd.readouterr()
    assert sentence in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_settings_are_heeded(folder, capfdbinary):
    (folder / "settings.json").write_text('{"turn": "180"}')
    main(["read", str(folder / "b.png"), "--settings", str(folder / "settings.json"), "--quiet"])
    assert b"hello world" not in capfdbinary.readouterr().out
    Image.open(folder / "b.png").rotate(180).save(buffer := io.BytesIO(), "PNG")
    (folder / "b.png").write_bytes(buffer.getvalue())
    main(["read", str(folder / "b.png"), "--settings", str(folder / "settings.json"), "--quiet"])
    assert capfdbinary.readouterr().out == b"hello world\n"
