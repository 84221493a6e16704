"""A recognizer is shared by all callers: its settings are fixed, copies have others, and it is pickled by name."""

import dataclasses
import multiprocessing
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from hwr_core import HandwritingError, Recognizer, load_recognizer
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.loaded_model import LoadedModel
from hwr_core.runtime.scheduling import SLOTS
from hwr_core.tasks import FormulaTask, TextLineTask
from tests.support.paths import ROOT

TEXTS = ("hello world", "see you at 7:30", "bring the map", "a", "1984")


@pytest.fixture(scope="module")
def images():
    return [render_line(write(text), 96, 5.0) for text in TEXTS]


# Copies with other settings


def test_the_settings_of_a_shared_recognizer_cannot_be_changed(recognizer):
    for name, value in (("decoding", recognizer.settings(2)), ("batch_size", 2), ("task", FormulaTask())):
        with pytest.raises(AttributeError):
            setattr(recognizer, name, value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recognizer.decoding.beams = 2


def test_a_copy_with_other_decoding_reads_otherwise_and_leaves_the_original_as_it_was(recognizer):
    image = render_line(write("meet me at the station", unsteadiness=0.02, seed=2), 96, 5.0)
    before = recognizer.read([image])
    copied = recognizer.with_decoding(language_model_weight=0.0)
    assert copied.network is recognizer.network and copied.decoding.language_model_weight == 0
    assert copied.read([image])[0].confidence != pytest.approx(before[0].confidence, abs=1e-6)
    assert recognizer.read([image]) == before
    assert recognizer.with_decoding(beams=3).settings() == recognizer.settings(3)


def test_decoding_settings_that_do_not_exist_or_cannot_be_are_refused(recognizer):
    with pytest.raises(TypeError):
        recognizer.with_decoding(beam=3)
    with pytest.raises(ValueError, match="at least 1"):
        recognizer.with_decoding(beams=0)


def batch_sizes(recognizer: Recognizer, monkeypatch) -> list[int]:
    """The sizes of the batches that are read from now on."""
    sizes, real = [], recognizer._batcher.work
    monkeypatch.setattr(recognizer._batcher, "work", lambda kind, items: sizes.append(len(items)) or real(kind, items))
    return sizes


@pytest.fixture
def loaded():
    """The text recognizer as it is in memory now: other tests may have evicted that of the session."""
    return load_recognizer("text")


def test_the_batch_size_can_be_chosen(loaded, images, monkeypatch):
    recognizer = loaded
    expected = [reading.text for reading in recognizer.read(images)]
    for copied in (recognizer.with_batch_size(2), load_recognizer("text", batch_size=2)):
        sizes = batch_sizes(copied, monkeypatch)
        assert [reading.text for reading in copied.read(images)] == expected
        assert copied.network is recognizer.network and copied.batch_size == 2
        assert sum(sizes) == len(images) and max(sizes) == 2
    assert load_recognizer("text") is recognizer and recognizer.batch_size == 8


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "8", 257])
def test_a_batch_size_that_cannot_be_is_refused(size, recognizer):
    with pytest.raises(ValueError, match="whole number from 1 to 256"):
        recognizer.with_batch_size(size)


# Other processes


def test_a_pickled_recognizer_is_its_name_and_is_loaded_once(loaded):
    recognizer = loaded
    content = pickle.dumps(recognizer)
    assert len(content) < 1000 and pickle.loads(content) is recognizer
    copied = pickle.loads(pickle.dumps(recognizer.with_decoding(beams=3).with_batch_size(2)))
    assert (copied.decoding.beams, copied.batch_size, copied.network) == (3, 2, recognizer.network)


def test_a_recognizer_made_by_hand_is_not_pickled(recognizer):
    model = LoadedModel("by hand", recognizer.network, recognizer.pixels, recognizer.tokenizer, recognizer.text_of,
                        recognizer.decoding, recognizer.task)  # fmt: skip
    with pytest.raises(pickle.PicklingError, match="load_recognizer"):
        pickle.dumps(Recognizer(model))


def texts_of(recognizer: Recognizer, images: list) -> list[str]:
    return [reading.text for reading in recognizer.read(images)]


def test_a_directory_is_found_again_by_a_process_in_another_folder(tmp_path, monkeypatch):
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(load_recognizer("models/math"))
    monkeypatch.chdir("/")
    assert pickle.loads(content).reads_formulas


def test_a_recognizer_can_be_given_to_a_process_that_is_spawned(tmp_path):
    script = """
        import multiprocessing
        from hwr_core import load_recognizer
        from hwr_core.ink.handprint import write
        from hwr_core.ink.strokes import render_line

        def text_of(recognizer, image):
            return recognizer.read([image])[0].text

        if __name__ == "__main__":
            arguments = load_recognizer("text"), render_line(write("hello world"), 96, 5.0)
            assert text_of(*arguments) == "hello world"
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(text_of, arguments))
    """
    assert run(script, tmp_path) == "hello world"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_forked_process_refuses_the_parents_recognizer_and_ends(backend, tmp_path):
    """Without the refusal it would wait for threads that only the parent has."""
    script = f"""
        import os, signal, sys
        from hwr_core import load_recognizer
        from hwr_core.ink.handprint import write
        from hwr_core.ink.strokes import render_line

        image = render_line(write("hello world"), 96, 5.0)
        recognizer = load_recognizer("text", backend="{backend}")
        assert recognizer.read([image] * 5)[0].text == "hello world"
        if (child := os.fork()) == 0:
            signal.alarm(60)
            for attempt in (recognizer, recognizer.with_batch_size(2)):
                try:
                    attempt.read([image])
                except RuntimeError as error:
                    print(error, flush=True)
            try:
                print(load_recognizer("text", backend="{backend}").read([image] * 5)[0].text, flush=True)
            except RuntimeError as error:
                print(error, flush=True)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert recognizer.read([image] * 5)[0].text == "hello world"
    """
    refused = (
        "The recognizer text was loaded before this process was forked: "
        "call load_recognizer in the child process, or start it with the method spawn."
    )
    anew = {
        "onnx": "hello world",
        "torch": "torch was used before this process was forked: start the process with the method spawn.",
    }
    assert run(script, tmp_path).split("\n") == [refused, refused, anew[backend]]


def run(script: str, folder) -> str:
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, path],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


# Use inside of its own work


@pytest.mark.parametrize("count", [1, 5])
def test_reading_while_holding_the_slots_raises_instead_of_waiting_for_ever(count, recognizer, images):
    raised = []

    def nested():
        with SLOTS.acquire(SLOTS.count):
            try:
                recognizer.read(images[:count])
            except RuntimeError as error:
                raised.append(str(error))

    thread = threading.Thread(target=nested, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive() and "already holds slots" in raised[0]
    assert recognizer.read(images[:1])[0].text == TEXTS[0]


# Tasks


def test_the_task_tells_what_is_read(recognizer):
    math = load_recognizer("math")
    assert isinstance(recognizer.task, TextLineTask) and not recognizer.reads_formulas
    assert isinstance(math.task, FormulaTask) and math.reads_formulas


def test_a_drawing_is_split_into_lines_or_formulas():
    strokes = write("x=2", 50) + [stroke + (0, 300) for stroke in write("2=x", 50)]
    lengths = [len(write("x=2", 50)), len(write("2=x", 50))]
    lines, formulas = TextLineTask().render(strokes), FormulaTask().render(strokes)
    assert [len(line.strokes) for line in lines] == [len(formula.strokes) for formula in formulas] == lengths
    assert {line.image.height for line in lines} == {TextLineTask.ink_height}
    assert TextLineTask().render([]) == FormulaTask().render([]) == []


def test_a_formulas_characters_get_the_confidence_of_their_own_token():
    names = ["</s>", "x", "=", "(", ")", r"\begin{matrix}", r"\end{matrix}", "1", r"\\", "2"]
    grammar = Grammar(names, 0)
    tokens = [names.index(token) for token in ("x", "=", "(", r"\begin{matrix}", "1", r"\\", "2", r"\end{matrix}", ")")]
    text_of = FormulaTask().text_of(lambda tokens: "", grammar)
    text = text_of(tokens)
    assert text == r"x=\begin{pmatrix}1\\2\end{pmatrix}"
    lengths = FormulaTask().text_lengths(tokens, text, text_of, grammar)
    assert lengths == [1, 2, 2, 17, 18, 20, 21, 34, 34] and len(text) == 34
    ends = [text[:length] for length in lengths]
    assert ends[4].endswith("1") and ends[6].endswith("2")  # each digit ends its own token's stretch


def test_a_lines_lengths_never_pass_the_whole_text():
    pieces = {1: "a", 2: "bc", 3: ""}
    text_of = lambda tokens: "".join(pieces[token] for token in tokens)  # noqa: E731
    assert TextLineTask().text_lengths([1, 2, 3], "abc", text_of, None) == [1, 3, 3]
    assert TextLineTask().text_lengths([1, 2], "ab", text_of, None) == [1, 2]
    assert TextLineTask().text_lengths([], "", text_of, None) == []
    joined = lambda tokens: "+".join(pieces[token] for token in tokens)  # noqa: E731  more than the tokens alone
    assert TextLineTask().text_lengths([1, 2], "a+bc", joined, None) == [1, 4]


def test_arrays_of_every_type_and_a_single_picture_are_read_alike(recognizer):
    image = render_line(write("see you at 7:30"), 96, 5.0)
    grey = np.asarray(image)
    pictures = [grey, grey[..., None], np.repeat(grey[..., None], 3, 2), grey.astype(np.uint16) * 257, grey / 255.0]
    texts = {reading.text for reading in recognizer.read(pictures)}
    assert texts == {"see you at 7:30"}
    assert [reading.text for reading in recognizer.read(grey)] == ["see you at 7:30"]
    assert [reading.text for reading in recognizer.read(image)] == ["see you at 7:30"]
    with pytest.raises(HandwritingError, match="is no picture"):
        recognizer.read([np.zeros((4, 4, 2))])
