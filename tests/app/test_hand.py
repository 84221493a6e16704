"""Learning a hand on the Photo page: the offer, the process, the result, and that nothing is left."""

import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from hwr_core.checkpoints.checkpoint_config import MODELS
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from pages.hand import run, show, state
from pages.hand.run import Hand, LearningRun
from tests.support import checkpoint_layouts as layouts
from tests.support.app import draw_page, on_canvas, photo_page, png, shown_text, upload
from tests.support.paths import ROOT

TEXTS = ["hello", "a map", "good", "see you", "six eggs", "milk", "roses", "the end", "yes", "the map", "one", "two"]
PATIENCE = 120  # seconds
FILES = {
    "README.md", "config.json", "fine-tuning.json", "generation_config.json", "language_model.safetensors",
    "model.safetensors", "onnx", "preprocessor_config.json", "progress.json", "tokenizer.json", "tokenizer_config.json",
}  # fmt: skip


def page_of(*texts: str) -> Image.Image:
    sheet = Image.new("L", (700, 160 * len(texts) + 40), 255)
    for row, text in enumerate(texts):
        line = render_line(write(text, seed=row), 96, 5)
        line.thumbnail((600, 90))
        sheet.paste(line.convert("L"), (60, 40 + 160 * row))
    return sheet


def folders() -> list[Path]:
    """The temporary folders of this process."""
    places = (run.IN_MEMORY, Path(tempfile.gettempdir()))
    return [left for place in places for left in place.glob(f"{run.PREFIX}{os.getpid()}-*")]


@pytest.fixture
def learning(monkeypatch):
    """Learning is allowed, offered after five lines, and done by `tests/support/learning.py`."""
    monkeypatch.setenv("HWR_LEARNING", "true")
    monkeypatch.setattr(show, "FEWEST", 5)
    monkeypatch.setattr(run, "PROGRAM", ROOT / "tests" / "support" / "learning.py")
    yield lambda way: monkeypatch.setenv("HWR_TEST_LEARNING", way)
    gc.collect()
    assert not folders(), "nothing is left"


def corrected(app: AppTest, count: int) -> AppTest:
    """Corrects the first lines of the page that is shown."""
    photo = app.session_state["photo"]
    page = photo.page(photo.current)
    page.corrections = {line.corners: f"{line.reading.text}." for line in page.page.lines[:count]}
    app.segmented_control(key="view").set_value("Correct")
    return app.run()


def letter(count: int = 5) -> AppTest:
    app = photo_page()
    app.default_timeout = PATIENCE
    return corrected(upload(app.run(), ("mine.png", png(page_of(*TEXTS)))), count)


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def ended(app: AppTest) -> AppTest:
    """Waits for the end of the learning."""
    app.session_state["hand"].run.wait(PATIENCE)
    return app.run()


def said(elements) -> str:
    return " ".join(element.value for element in elements)


def test_before_there_are_enough_lines_a_hint_tells_how_many_are_missing(learning):
    app = letter(2)
    assert "2 corrected lines. With 3 more, the app can learn this hand." in said(app.caption)
    assert "learn" not in keys(app)
    app.segmented_control(key="view").set_value("Text").run()
    assert "can learn this hand" not in said(app.caption)


def test_a_hand_is_learned_in_a_process_of_its_own_and_read_with_on_both_pages(learning, tmp_path):
    learning(f"helped:{MODELS / 'text'}")
    app = letter()
    before = app.session_state["photo"].page(app.session_state["photo"].current).read_with
    app = ended(app.button(key="learn").click().run())
    assert not app.exception and "It helped." in said(app.success)
    hand = app.session_state["hand"].hand
    assert json.loads((hand.folder / "fine-tuning.json").read_text())["given"] == 5
    assert "learn" not in keys(app), "the same lines would give the same"
    app.button(key="use_hand").click().run()
    assert not app.exception and app.toggle(key="read with my hand").value is True
    after = app.session_state["photo"].page(app.session_state["photo"].current).read_with
    assert (before.reader.hand, after.reader.hand) == ("", hand.name)
    with zipfile.ZipFile(BytesIO(hand.archive())) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "my-hand" / "model.safetensors").is_file()
    assert (tmp_path / "my-hand" / "onnx" / "encoder_model.onnx").is_file()
    draw = draw_page()
    for key in ("hand", "read with my hand"):
        draw.session_state[key] = app.session_state[key]
    on_canvas(draw.run(), write("hello")).run()
    assert not draw.exception and shown_text(draw) == "hello"
    assert draw.session_state["drawing"].reading.key[0][0].hand == hand.name
    app.button(key="forget_hand").click().run()
    assert not hand.folder.exists(), "also where the browser may still ask for the download"
    assert not app.exception and "read with my hand" not in {toggle.key for toggle in app.toggle}
    assert "learn" in keys(app)


def test_the_lines_that_were_not_changed_are_learned_from_if_that_is_wanted(learning):
    learning("not")
    app = letter()
    app.toggle(key=show.UNCHANGED).set_value(True).run()
    app = ended(app.button(key="learn").click().run())
    assert app.session_state["hand"].run.report["given"] == 12


def test_what_did_not_help_is_said_and_the_old_checkpoint_stays(learning):
    learning("not")
    app = ended(letter().button(key="learn").click().run())
    assert "It did not help enough to be sure: the checkpoint text stays." in said(app.info)
    assert not {"use_hand", "learn"} & keys(app) and not folders()
    app = corrected(app, 6)
    assert "learn" in keys(app), "with more lines it can be tried again"


@pytest.mark.parametrize(
    ("way", "sentence"),
    [("error", "The checkpoint cannot write 'Ł'."), ("crash", "Learning failed: an error in the program.")],
)
def test_an_error_is_said_without_what_was_read(learning, caplog, way, sentence):
    learning(way)
    app = ended(letter().button(key="learn").click().run())
    assert sentence in said(app.error) and "learn" in keys(app)
    assert "secret" not in caplog.text and not folders()


def test_it_can_be_stopped_and_nobody_else_learns_meanwhile(learning):
    learning("wait")
    app = letter().button(key="learn").click().run()
    working = app.session_state["hand"].run
    assert working.running and working.progress()[0] in ("starting", "training, 20 of 80") and "learn" not in keys(app)
    other = letter().button(key="learn").click().run()
    assert show.BUSY in said(other.caption) and other.session_state["hand"].run is None
    app.button(key="stop_learning").click().run()
    app = ended(app)
    assert "Learning was stopped. Nothing has changed." in said(app.info) and not folders()
    assert "learn" in keys(app)


def test_forget_ends_it_and_so_does_the_sessions_end(learning):
    learning("wait")
    app = letter().button(key="learn").click().run()
    working = app.session_state["hand"].run
    app.button(key="forget").click().run()
    working.wait(PATIENCE)
    assert working.stopped and app.session_state["hand"].run is None and not folders()
    alone = LearningRun(b"", 5, "text")
    thread = alone._thread
    del alone
    gc.collect()
    thread.join(PATIENCE)
    assert not thread.is_alive() and not folders()


def test_a_hand_goes_some_minutes_after_the_browser(monkeypatch, tmp_path):
    active = [True]

    class Runtime:
        def is_active_session(self, session: str) -> bool:
            return session == "mine" and active[0]

    monkeypatch.setattr(state, "GONE_SECONDS", 0.2)
    monkeypatch.setattr(state, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(state, "get_script_run_ctx", lambda: SimpleNamespace(session_id="mine"))
    monkeypatch.setattr(state.runtime, "exists", lambda: True)
    monkeypatch.setattr(state.runtime, "get_instance", Runtime)
    (tmp_path / "hand").mkdir()
    held = state.HandState(hand=Hand(tmp_path / "hand"))
    held.watch()
    time.sleep(0.5)
    assert held.hand is not None
    active[0] = False
    deadline = time.monotonic() + PATIENCE
    while held.watched and time.monotonic() < deadline:
        time.sleep(0.02)
    assert held.hand is None and not (tmp_path / "hand").exists()


def test_a_servers_death_ends_the_process_and_removes_its_folder(tmp_path):
    (tmp_path / "out").mkdir()
    program = f"""
import os, subprocess, sys
subprocess.Popen([sys.executable, "-P", {str(run.PROGRAM)!r}, {str(ROOT)!r}, str(os.getpid()), {str(tmp_path / "out")!r}, "text"])
"""
    # The pipe stays open: the process waits for lines when its parent ends.
    server = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    server.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while (tmp_path / "out").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not (tmp_path / "out").exists()
    server.stdin.close()


def test_folders_of_dead_servers_are_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "IN_MEMORY", tmp_path)
    mine = f"{os.getpid()}-{run._start_of(os.getpid())}"
    for owner in ("4194300-1", f"{os.getpid()}-1", mine):
        (tmp_path / f"{run.PREFIX}{owner}-x").mkdir()
    run._remove_left()
    assert [path.name for path in tmp_path.iterdir()] == [f"{run.PREFIX}{mine}-x"]


def test_without_room_in_memory_the_systems_temporary_folder_is_used(monkeypatch, tmp_path):
    assert run._place() in (str(run.IN_MEMORY), None)
    monkeypatch.setattr(run, "IN_MEMORY", tmp_path / "none")
    assert run._place() is None


@pytest.mark.parametrize(
    ("names", "said_instead"),
    [
        ({"HWR_LEARNING": "false"}, "This server does not learn hands."),
        ({"HWR_LEARNING": "true", "HWR_LOW_MEMORY": "true"}, "GB of free memory, which this server does not have."),
    ],
)
def test_a_server_that_may_not_or_cannot_learn_says_so(monkeypatch, names, said_instead):
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(show, "FEWEST", 5)
    app = letter()
    assert said_instead in said(app.caption) and "learn" not in keys(app)


def test_missing_packages_are_said_in_a_sentence(monkeypatch):
    monkeypatch.setenv("HWR_LEARNING", "true")
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "onnxscript" else name)
    assert "install the extras torch and train" in (run.obstacle() or "")


def test_the_real_command_learns_from_the_pages_lines(learning, tmp_path):
    """A small checkpoint, two steps: only how well it reads is decided beforehand."""
    tiny = layouts.own(tmp_path / "own")
    learning(f"tiny:{tiny}")
    app = ended(letter(12).button(key="learn").click().run())
    assert not app.exception and not app.error, said(app.error)
    assert re.search("It helped. On 5 lines that were kept aside", said(app.success))
    hand = app.session_state["hand"].hand
    assert {path.name for path in hand.folder.iterdir()} <= FILES
    assert "learned from | 12" in (hand.folder / "README.md").read_text()
    assert hand.recognizer.read([np.full((48, 96), 255, np.uint8)])


def test_what_a_server_holds_goes_when_it_stops(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "IN_MEMORY", tmp_path)
    for owner in (f"{os.getpid()}-{run._start_of(os.getpid())}", "1-1"):
        (tmp_path / f"{run.PREFIX}{owner}-x").mkdir()
    run.remove_folders()
    assert [path.name for path in tmp_path.iterdir()] == [f"{run.PREFIX}1-1-x"]


def test_a_hands_folder_goes_with_it(tmp_path):
    folder = tmp_path / "hand"
    folder.mkdir()
    hand = Hand(folder)
    assert folder.exists() and hand.name.startswith("my hand")
    del hand
    gc.collect()
    assert not folder.exists()
