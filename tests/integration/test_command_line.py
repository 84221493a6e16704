"""`python -m hwr_core read`: the same readings as on the pages, without a browser."""

import io
import json
import os
import shlex
import subprocess
import sys
import warnings
import zipfile

import pytest
from lxml import etree
from PIL import Image

from hwr_core import cli
from hwr_core.cli import main
from hwr_core.export.output import OneFile
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
from hwr_core.reading import Line, Page, PageId, Reading
from hwr_core.recognizer import Recognizer
from tests.support.paths import ROOT
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


def test_a_name_that_is_no_unicode_a_folder_and_a_pipe_do_no_harm(folder, capfdbinary):
    picture("thank you").save(folder / "c.png")
    os.rename(folder / "c.png", os.fsencode(folder) + b"/c\xff.png")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    for form in ("txt", "json"):
        assert main(["read", str(folder), "--format", form, "--quiet"]) == 0
        output = capfdbinary.readouterr().out.decode()
        assert "thank you" in output and "hello world" in output and "xff.png" in output


@pytest.mark.parametrize(("out", "said"), [("missing/x.txt", "there is no folder"), ("a.jpg/", "it is a file")])
def test_an_output_that_cannot_be_written_is_reported_before_reading(folder, capfd, monkeypatch, out, said):
    monkeypatch.setattr("hwr_core.checkpoints.registry.load_recognizer", lambda *_: pytest.fail("it was read"))
    assert main(["read", str(folder), "--out", f"{folder}/{out}"]) == 2
    assert said in capfd.readouterr().err


def test_a_folder_to_write_to_gets_a_file_a_page(folder):
    first, second = picture("one two"), picture("three four")
    (folder / "fax.tif").write_bytes(encoded(first, "TIFF", save_all=True, append_images=[second]))
    assert main(["read", str(folder / "fax.tif"), "--format", "alto", "--out", f"{folder}/out/", "--quiet"]) == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["fax, page 1.xml", "fax, page 2.xml"]


def test_pages_read_before_an_interrupt_are_in_the_folder(folder, monkeypatch):
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


def test_a_library_error_on_one_picture_loses_no_other(folder, monkeypatch, capfd):
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
    whole = OneFile(tmp_path / "out", format, with_pictures=False)
    whole.add(PageId("a.png"), Page((), (1, 1)), lambda: None)
    assert len(whole.pages) == 1 and len(whole.pictures) == kept


def test_pages_of_a_pdf_come_as_pictures_beside_the_files_that_name_them(tmp_path):
    """Other programs open the picture that ALTO or PAGE names: of a PDF's page there was none."""
    for name, text in (("a", "hello world"), ("b", "good morning")):
        (tmp_path / name).mkdir()
        pages = [Image.new("L", (800, 600), 255) for _ in range(2)]
        for page in pages:
            page.paste(picture(text), (60, 200))
        pages[0].save(tmp_path / name / "notes.pdf", save_all=True, append_images=pages[1:])
    files, out = [str(tmp_path / name / "notes.pdf") for name in "ab"], tmp_path / "out"
    assert main(["read", *files, "--format", "alto", "--pictures", "--out", f"{out}/", "--quiet", "--pages", "2"]) == 0
    written = sorted(path.name for path in out.iterdir())
    assert len(written) == 4
    for file in out.glob("*.xml"):
        root = etree.parse(file).getroot()
        shown = Image.open(out / root.find(".//{*}fileName").text)
        sheet = root.find(".//{*}Page")
        assert shown.size == (int(sheet.get("WIDTH")), int(sheet.get("HEIGHT")))
    together = tmp_path / "all.zip"
    assert main(["read", files[0], "--format", "page", "--pictures", "--out", str(together), "--quiet"]) == 0
    assert zipfile.ZipFile(together).namelist() == [
        "notes, page 1.xml", "notes, page 2.xml", "notes, page 1.png", "notes, page 2.png",
    ]  # fmt: skip


def test_pictures_need_a_place(folder, capfd):
    assert main(["read", str(folder), "--format", "alto", "--pictures", "--out", f"{folder}/x.xml"]) == 2
    assert capfd.readouterr().err == "--pictures needs a folder or a .zip file as --out.\n"


def test_a_formula_is_read_as_one(tmp_path, capfdbinary):
    from hwr_core.ink.formula import render_formula

    render_formula(write_formula()).save(tmp_path / "formula.png")
    assert main(["read", str(tmp_path / "formula.png"), "--checkpoint", "math", "--format", "md", "--quiet"]) == 0
    assert b"$x=\\frac" in capfdbinary.readouterr().out


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
        (["FOLDER/notes.txt", "--settings", "FOLDER/notes.txt"], "The settings are not valid JSON"),
        (["FOLDER/b.png", "--settings", "FOLDER/none.json"], "cannot be read"),
        (["FOLDER/b.png", "--beams", "0"], "beams"),
        (["FOLDER/b.png", "--checkpoint", "FOLDER/nothing"], "."),
    ],
)
def test_wrong_arguments_are_reported_in_a_sentence(folder, arguments, sentence, capfd):
    assert main(["read", *(argument.replace("FOLDER", str(folder)) for argument in arguments)]) == 2
    captured = capfd.readouterr()
    assert sentence in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_settings_are_applied(folder, capfdbinary):
    (folder / "settings.json").write_text('{"turn": "180"}')
    main(["read", str(folder / "b.png"), "--settings", str(folder / "settings.json"), "--quiet"])
    assert b"hello world" not in capfdbinary.readouterr().out
    Image.open(folder / "b.png").rotate(180).save(buffer := io.BytesIO(), "PNG")
    (folder / "b.png").write_bytes(buffer.getvalue())
    main(["read", str(folder / "b.png"), "--settings", str(folder / "settings.json"), "--quiet"])
    assert capfdbinary.readouterr().out == b"hello world\n"


def run_hwr(*arguments: str, cwd=None, shell: str = "", **options) -> subprocess.CompletedProcess:
    """Runs the command line in a process of its own. `shell` is added to the command, such as a redirection."""
    command = shlex.join([sys.executable, "-m", "hwr_core", *arguments])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | options.pop("env", {})
    return subprocess.run(
        ["bash", "-c", f"{command} {shell}"], cwd=cwd, capture_output=True, env=environment, **options
    )


def test_words_of_a_file_are_favoured(folder, capfd, monkeypatch):
    given = []
    real = Recognizer.with_words
    monkeypatch.setattr(Recognizer, "with_words", lambda self, words: given.append(words) or real(self, words))
    (folder / "names.txt").write_text("Anna\nŁódź, Martha\n", encoding="utf-8-sig")
    assert main(["read", str(folder / "a.jpg"), "--words", str(folder / "names.txt")]) == 0
    out, err = capfd.readouterr()
    assert out == "good morning\n" and given == [("Anna", "Łódź", "Martha")]
    assert "The checkpoint text lacks characters of these listed words, and ignores them: Łódź." in err
    assert main(["read", str(folder / "a.jpg"), "--words", str(folder / "none.txt")]) == 2
    assert "none.txt cannot be read as text" in capfd.readouterr().err


def test_a_language_can_be_set(folder, capfd, monkeypatch):
    given = []
    real = Recognizer.with_language
    monkeypatch.setattr(Recognizer, "with_language", lambda self, code: given.append(code) or real(self, code))
    assert main(["read", str(folder / "a.jpg"), "--language", "en"]) == 0
    assert capfd.readouterr().out == "good morning\n" and given == ["en"]
    for command in (["read"], ["batch", "--out", str(folder / "x.parquet")]):
        assert main([command[0], str(folder / "a.jpg"), *command[1:], "--language", "xx"]) == 2
        assert "The checkpoint text has no language 'xx': choose one of en, fr" in capfd.readouterr().err


def test_struck_out_words_can_be_left_out(folder, capfd, monkeypatch):
    page = Page((Line((0, 0, 9, 9), picture("a"), Reading("one two", 0.9, (0.9,) * 7, struck=((0, 3),))),), (9, 9))
    monkeypatch.setattr("hwr_core.pipeline.read_picture", lambda *_: page)
    for options, text in (([], "one two\n"), (["--without-struck"], "two\n")):
        assert main(["read", str(folder / "a.jpg"), *options]) == 0
        assert capfd.readouterr().out == text


def test_folders_are_read_all_the_way_down(folder, capfdbinary):
    (folder / "1920" / "may").mkdir(parents=True)
    picture("thank you").save(folder / "1920" / "may" / "c.PNG")
    assert main(["read", str(folder), "--quiet"]) == 0
    assert capfdbinary.readouterr().out.decode().startswith("# c.PNG\nthank you\n\n# a.jpg\n")


def test_the_name_of_the_output_chooses_the_format(folder, capfd):
    line = str(folder / "b.png")
    for name, start in (("x.pdf", b"%PDF"), ("x.docx", b"PK"), ("x.JSON", b"["), ("x.html", b"<"), ("x.dat", b"hello")):
        assert main(["read", line, "--out", f"{folder}/{name}", "--quiet"]) == 0
        assert (folder / name).read_bytes().lstrip().startswith(start), name
    assert main(["read", line, "--out", f"{folder}/y.pdf", "--format", "txt", "--quiet"]) == 0
    assert (folder / "y.pdf").read_text() == "hello world\n"
    assert main(["read", line, "--out", f"{folder}/x.xml"]) == 2
    assert "--format alto, page" in capfd.readouterr().err and not (folder / "x.xml").exists()


def test_the_mode_says_what_pictures_show(tmp_path, capfdbinary):
    from hwr_core.ink.formula import render_formula

    render_formula(write_formula()).save(tmp_path / "formula.png")
    assert main(["read", str(tmp_path / "formula.png"), "--mode", "formula", "--quiet"]) == 0
    assert b"frac" in capfdbinary.readouterr().out
    picture("hello world").save(tmp_path / "line.png")
    assert main(["read", str(tmp_path / "line.png"), "--mode", "line", "--format", "json", "--quiet"]) == 0
    (page,) = json.loads(capfdbinary.readouterr().out)
    (line,) = page["lines"]
    assert line["text"] == "hello world" and line["box"] == [0, 0, page["width"], page["height"]]
    assert main(["read", str(tmp_path / "line.png"), "--mode", "line", "--checkpoint", "math"]) == 2
    assert b"does not fit --mode line" in capfdbinary.readouterr().err


def test_pages_of_a_document_are_chosen(tmp_path, capfdbinary):
    pages = [picture(text) for text in ("one two", "three four", "five six")]
    (tmp_path / "fax.tif").write_bytes(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    picture("hello world").save(tmp_path / "single.png")
    assert main(["read", str(tmp_path), "--pages", "2-", "--quiet"]) == 1
    captured = capfdbinary.readouterr()
    assert captured.out == b"# fax.tif, page 2\nthree four\n\n# fax.tif, page 3\nfive six\n"
    assert captured.err == b"single.png has 1 page, but none of the pages 2-: choose others.\n"
    assert main(["read", str(tmp_path), "--pages", "0-2"]) == 2
    assert b"pages count from 1" in capfdbinary.readouterr().err


@pytest.mark.parametrize("name", ["-rf.png", "$(touch x) `y`.png", "a\nb.png", "ü" * 120 + ".png", "r" * 251 + ".png"])
def test_odd_file_names_are_names_like_others(tmp_path, name):
    picture("thank you").save(tmp_path / "source.png")
    (tmp_path / "in").mkdir()
    os.rename(tmp_path / "source.png", tmp_path / "in" / name)
    done = run_hwr("read", "--quiet", "--format", "hocr", "--out", "out/", "--", name, cwd=tmp_path / "in")
    assert done.returncode == 0 and done.stderr == b"", done.stderr
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == sorted([name, "out"])
    (written,) = (tmp_path / "in" / "out").iterdir()
    assert written.name.startswith(name[:50].removesuffix(".png")) and b"thank" in written.read_bytes()


def test_a_closed_standard_output_or_input_is_reported(folder):
    closed = run_hwr("read", str(folder / "b.png"), shell=">&-")
    assert closed.returncode == 2 and b"Standard output is closed: name a file with --out." in closed.stderr
    to_file = run_hwr("read", str(folder / "b.png"), "--out", str(folder / "o.txt"), shell=">&- 2>&- <&-")
    assert to_file.returncode == 0 and (folder / "o.txt").read_text() == "hello world\n"
    no_input = run_hwr("read", "-", shell="<&-")
    assert no_input.returncode == 1 and no_input.stderr == b"Standard input is closed: name a file.\n"


def test_a_reader_that_leaves_early_causes_no_trace(folder):
    assert run_hwr("read", str(folder), shell="| true").stderr.count(b"Traceback") == 0


@pytest.mark.filterwarnings("ignore:a library in Python")
def test_quiet_silences_libraries_and_not_the_errors(folder, capfd, monkeypatch):
    from hwr_core import pipeline

    read = pipeline.read_picture

    def noisy(*arguments):
        os.write(2, b"a library in C\n")
        warnings.warn("a library in Python", stacklevel=1)
        print("a library that prints", file=sys.stderr)
        return read(*arguments)

    monkeypatch.setattr(pipeline, "read_picture", noisy)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    assert main(["read", str(folder), "--quiet"]) == 1
    captured = capfd.readouterr()
    assert captured.err.startswith("broken.png ") and captured.err.count("\n") == 1 and "hello world" in captured.out
    main(["read", str(folder / "b.png")])
    assert "a library in C" in capfd.readouterr().err  # without --quiet they are heard


def test_a_bug_has_a_sentence_and_with_debug_its_trace(folder, capfd, monkeypatch):
    from hwr_core import pipeline

    def broken(*_):
        raise KeyError("a bug")

    monkeypatch.setattr(pipeline, "read_picture", broken)
    assert main(["read", str(folder / "b.png"), "--quiet"]) == 1
    assert capfd.readouterr().err == "b.png cannot be read: internal error (KeyError).\n"
    assert main(["read", str(folder / "b.png"), "--debug"]) == 1
    assert "Traceback" in (told := capfd.readouterr().err) and "in broken" in told and "a bug" in told
    monkeypatch.setattr(cli, "sources_of", broken)
    assert main(["read", str(folder / "b.png")]) == 1
    assert capfd.readouterr().err == "Internal error (KeyError): run the command with --debug to see where.\n"
    assert main(["read", "nowhere.png", "--debug"]) == 1 and "in broken" in capfd.readouterr().err


def test_an_error_of_the_user_has_its_trace_with_debug_only(capfd):
    assert main(["read", "nowhere.png"]) == 2 and capfd.readouterr().err == "There is no file nowhere.png.\n"
    assert main(["read", "nowhere.png", "--debug"]) == 2 and "Traceback" in capfd.readouterr().err


def test_a_missing_package_is_named_with_its_extra(folder, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    assert main(["batch", str(folder), "--out", str(folder / "r.parquet")]) == 2
    assert "extra batch" in (told := capfd.readouterr().err) and "'.[batch]'" in told and told.count("\n") == 1
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert main(["serve"]) == 2 and "'.[app]'" in capfd.readouterr().err


def test_a_setting_that_cannot_be_used_stops_every_command(folder, capfd, monkeypatch):
    monkeypatch.setenv("HWR_QUEUE", "1k")
    for command in (["read", str(folder)], ["serve"]):
        assert main(command) == 2
        assert capfd.readouterr().err == (
            "The environment variable HWR_QUEUE cannot be used: input should be a valid integer.\n"
        )


@pytest.mark.parametrize("arguments", [["--help"], ["read", "--help"], ["batch", "-h"], ["serve", "--help"]])
def test_help_is_shown(arguments, capfd):
    assert main(arguments) == 0 and capfd.readouterr().out.startswith("Usage: hwr ")
