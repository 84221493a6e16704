"""`python -m hwr_core batch`: a row for every file, once each, also where workers and the whole run are killed in the middle."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from hwr_core import HandwritingError
from hwr_core.batch import SCHEMA, Job, Results, Worker, _row, files_of, run
from hwr_core.checkpoints.registry import MODELS
from hwr_core.cli import main, portable_name
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support.paths import ROOT
from tests.support.pictures import encoded

COUNT = 40
COMMAND = ("batch", "--mode", "line", "--beams", "1", "--workers", "2", "--quiet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty lines, one of them damaged, one no picture at all, in folders."""
    folder = tmp_path_factory.mktemp("lines")
    (folder / "more").mkdir()
    for number in range(COUNT - 2):
        picture = render_line(write(f"line {number}"), 64, 4.0)
        picture.save(folder / ("more" if number % 2 else ".") / f"{number:02}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("not a picture")
    return folder


_processes: list[subprocess.Popen] = []


@pytest.fixture(autouse=True)
def no_process_stays():
    """Ends the runs of a test that failed, with all of Ray."""
    yield
    for process in _processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
    _processes.clear()


def started(folder: Path, out: Path, *options: str) -> subprocess.Popen:
    """A run in a process group of its own."""
    command = [sys.executable, "-m", "hwr_core", *COMMAND, str(folder), "--out", str(out), *options]
    environment = {**os.environ, "RAY_worker_niceness": "0"}  # 15 by default: on a busy machine its workers starve
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, start_new_session=True)
    _processes.append(process)
    return process


def first_parts(out: Path, process: subprocess.Popen) -> list[Path]:
    """Waits until some of the files are read, at most five minutes: Ray starts slowly on a busy machine."""
    for _ in range(3000):
        if parts := sorted(out.with_name(out.name + ".parts").glob("*.parquet")):
            return parts
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.1)
    raise AssertionError("nothing was read")


def workers() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if b"ray::MapWorker" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it ended meanwhile
                continue
    return found


def complete(folder: Path, out: Path) -> list[dict]:
    """The rows of `out`: one of each file, with its text or an error."""
    rows = parquet.read_table(out).to_pylist()
    assert sorted(row["path"] for row in rows) == files_of(str(folder)) and len(rows) == COUNT
    wrong = {Path(row["path"]).name for row in rows if row["error"]}
    assert wrong == {"broken.png", "empty.jpg"}
    read = [row for row in rows if not row["error"]]
    assert sum(row["text"].casefold() == f"line {int(Path(row['path']).stem)}" for row in read) > 0.8 * len(read)
    assert not out.with_name(out.name + ".parts").exists()
    return rows


def test_a_killed_worker_loses_no_row_and_repeats_none(folder, tmp_path):
    out = tmp_path / "results.parquet"
    process = started(folder, out)
    first_parts(out, process)
    assert len(workers()) == 2
    os.kill(workers()[0], signal.SIGKILL)
    assert process.wait(300) == 0, process.stderr.read().decode()
    complete(folder, out)


def test_a_killed_run_resumes(folder, tmp_path):
    out = tmp_path / "results.parquet"
    process = started(folder, out)
    parts = first_parts(out, process)
    os.kill(process.pid, signal.SIGKILL)  # the driver alone: Ray ends by itself
    process.wait(60)
    assert not out.exists()
    before = {row["path"]: row["seconds"] for part in parts for row in parquet.read_table(part).to_pylist()}
    assert 0 < len(before) < COUNT
    process = started(folder, out)
    assert process.wait(300) == 0, process.stderr.read().decode()
    after = {row["path"]: row["seconds"] for row in complete(folder, out)}
    assert {path: after[path] for path in before} == before, "a file was read again"


def test_a_complete_run_starts_no_workers(folder, tmp_path, monkeypatch):
    out = tmp_path / "results.parquet"
    results = Results(out, Job())
    results.add(pyarrow.Table.from_pylist([_row(path, 1) for path in files_of(str(folder))], SCHEMA))
    results.finish()
    monkeypatch.setitem(sys.modules, "ray", None)  # an import of it fails
    assert run(str(folder), out, Job(), quiet=True) == COUNT
    picture = folder / "99.png"
    render_line(write("one more"), 64, 4.0).save(picture)
    try:
        with pytest.raises(ImportError):
            run(str(folder), out, Job(), quiet=True)
    finally:
        picture.unlink()


def test_errors_of_the_workers_are_reported_in_a_sentence(folder, tmp_path):
    """On their machine: there is no such checkpoint, and no GPU."""
    broken = tmp_path / "broken"
    shutil.copytree(MODELS / "text", broken)
    shutil.rmtree(broken / "onnx")
    (broken / "model.safetensors").write_bytes(b"no weights")
    for options, said in (
        (("--checkpoint", str(broken)), "cannot be loaded"),
        (("--device", "cuda"), "There is no GPU"),
    ):
        process = started(folder, tmp_path / "results.parquet", *options)
        _, told = process.communicate(timeout=120)
        assert (
            process.returncode == 2 and said in told.decode().splitlines()[-1] and "Traceback" not in told.decode()
        ), told.decode()


def test_a_shipped_checkpoint_keeps_its_name_on_other_machines(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert [portable_name(name) for name in ("text", "models/math", "microsoft/trocr-base-handwritten")] == [
        "text",
        "math",
        "microsoft/trocr-base-handwritten",
    ]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    assert portable_name("own") == str(tmp_path / "own")


def table(*paths: str) -> pyarrow.Table:
    return pyarrow.Table.from_pylist([_row(path, 1, error="no") for path in paths], SCHEMA)


def test_a_run_killed_between_its_last_two_steps_counts_no_row_twice(tmp_path):
    results = Results(tmp_path / "r.parquet", Job())
    results.add(table("a", "b"))
    results.add(table("c"))
    kept = {part.name: part.read_bytes() for part in results.parts.iterdir()}
    results.finish()
    results.parts.mkdir()
    for name, content in kept.items():  # as if the kill had come before they were deleted
        (results.parts / name).write_bytes(content)
    (results.parts / "half.parquet.unfinished").write_bytes(b"PAR1")
    again = Results(tmp_path / "r.parquet", Job())
    assert again.done() == {"a", "b", "c"}
    again.finish()
    assert (
        sorted(parquet.read_table(tmp_path / "r.parquet")["path"].to_pylist()) == ["a", "b", "c"]
        and not again.parts.exists()
    )


def test_files_with_errors_are_read_again_and_their_rows_replaced(tmp_path):
    results = Results(tmp_path / "r.parquet", Job())
    results.add(table("a", "b"))
    assert results.done() == {"a", "b"}  # not twice in a run, be it killed in between
    results.finish()
    again = Results(tmp_path / "r.parquet", Job())
    assert again.done() == set()
    again.add(pyarrow.Table.from_pylist([_row("a", 1) | {"text": "read"}], SCHEMA))
    again.finish()
    rows = parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert sorted((row["path"], row["text"], row["error"]) for row in rows) == [("a", "read", None), ("b", None, "no")]


def test_an_existing_file_of_another_kind_is_not_overwritten(tmp_path):
    (tmp_path / "r.parquet").write_text("my notes")
    with pytest.raises(HandwritingError, match="no Parquet file"):
        Results(tmp_path / "r.parquet", Job())


def test_a_file_name_that_is_no_unicode_is_a_row_too(tmp_path):
    path = os.fsencode(tmp_path) + b"/a\xff.png"
    Path(os.fsdecode(path)).write_bytes(encoded(render_line(write("hello world"), 96, 5.0), "PNG"))
    rows = Worker(Job(mode="line"))(pyarrow.table({"path": [path]})).to_pylist()
    assert [(row["path"][-9:], row["text"]) for row in rows] == [("a\\xff.png", "hello world")]


def test_results_of_other_settings_are_not_mixed(tmp_path):
    Results(tmp_path / "r.parquet", Job()).add(table("a"))
    with pytest.raises(HandwritingError, match="other settings"):
        Results(tmp_path / "r.parquet", Job(beams=1))


def test_every_page_of_a_document_is_a_row_and_a_bad_one_has_its_error(tmp_path):
    pages = [render_line(write(text), 96, 5.0).convert("RGB") for text in ("hello world", "bring the map")]
    (tmp_path / "two.pdf").write_bytes(encoded(pages[0], "PDF", save_all=True, append_images=pages[1:]))
    worker = Worker(Job())
    rows = worker.rows_of(str(tmp_path / "two.pdf"))
    assert [(row["page"], row["text"], row["error"]) for row in rows] == [
        (1, "hello world", None),
        (2, "bring the map", None),
    ]
    assert rows[0]["lines"][0]["text"] == "hello world" and rows[0]["confidence"] == rows[0]["lines"][0]["confidence"]
    (missing,) = worker.rows_of(str(tmp_path / "gone.png"))
    assert "cannot be read" in missing["error"] and missing["text"] is None


@pytest.mark.parametrize(
    "arguments, said",
    [(["nowhere"], "no pictures"), (["*.nothing"], "no pictures"), ([".", "--checkpoint", "unknown"], "hub id"), ([".", "--workers", "0"], "--workers"),
     ([".", "--beams", "0"], "beams"), ([".", "--settings", "none.json"], "cannot be read")],
)  # fmt: skip
def test_wrong_arguments_are_reported_in_a_sentence(arguments, said, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["batch", *arguments, "--out", "r.parquet"]) == 2
    assert said in capfd.readouterr().err
