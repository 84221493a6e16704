"""The sidebar's choice of model and accuracy, and loading the chosen model."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import streamlit as st

from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.checkpoints.registry import AUTO, CHECKPOINTS, default_beams, load_recognizer
from hwr_core.errors import HandwritingError
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.settings import local_checkpoints, settings
from pages.hand.state import USED, hand_state
from pages.shared.languages import choose_language
from pages.shared.reading_view import escaped

MOST_BEAMS = 8  # that the slider offers
STATE = "models"
BUILT_IN = {False: "text", True: "math", None: AUTO}  # by whether it reads formulas; None: both


@dataclass(frozen=True)
class Reader:
    """What the sidebar's choices give.

    Attributes:
        checkpoint: A built-in name, a hub id or a directory.
        device: "cpu" or "cuda".
        beams: Width of the beam search.
        hand: Name of the learned hand that reads text in place of the built-in model; empty if there is none.
        words: The person's words, which it favours; on the Photo page only.
        language: The language that is read; None: each line tells its own.
    """

    checkpoint: str
    device: str
    beams: int
    hand: str = ""
    words: str = ""
    language: str | None = None


@dataclass
class ModelState:
    """What both pages remember of models in a session.

    Attributes:
        failures: The error of each model that could not be loaded, by (checkpoint, device, formulas). It is not tried
            again at every stroke.
        errors_shown: How many were shown in this run of the page: a number for the next button's key.
    """

    failures: dict[tuple[str, str, bool], str] = field(default_factory=dict)
    errors_shown: int = 0

    def forget_failure(self, wanted: tuple[str, str, bool]) -> None:
        """Has a model tried again that could not be loaded."""
        self.failures.pop(wanted, None)


def downloads_allowed() -> bool:
    """Whether people who use the app may make this server download models."""
    return settings().downloads


def model_picker(built_in: str = "text") -> Reader:
    """Shows the group "Advanced" in the sidebar.

    Args:
        built_in: The built-in model that is chosen first: "text", "math" or "auto". With "math", only models that read
            formulas are offered, else only those that read text.

    Returns:
        What was chosen.
    """
    _state().errors_shown = 0
    formulas = built_in == BUILT_IN[True]
    titles = {checkpoint.name: checkpoint.title for checkpoint in CHECKPOINTS if checkpoint.formulas == formulas}
    offered = [name for name in titles if downloads_allowed() or "/" not in name]
    offered.sort(key=lambda name: name != built_in)  # the first one is chosen
    with st.sidebar, st.expander("Advanced", icon=":material/settings:"):
        checkpoint = (
            st.selectbox(
                "Model",
                offered,
                format_func=lambda name: titles.get(name, name),
                accept_new_options=True,
                key="checkpoint" if built_in == "text" else f"{built_in} checkpoint",
                persist_state="session",
                help=_model_help(),
            )
            or built_in
        )
        st.caption(next((known.note for known in CHECKPOINTS if known.name == checkpoint), "Your own model."))
        beams = st.slider(
            "Accuracy (faster ↔ better)",
            1,
            MOST_BEAMS,
            min(MOST_BEAMS, max(1, default_beams(checkpoint, local_checkpoints()))),
            key=f"beams {checkpoint}",
            persist_state="session",
            help="Higher is more accurate, slightly slower.",
        )
        devices = _devices()
        device = devices[0]
        if len(devices) > 1:
            device = st.selectbox(
                "Device", devices, key="device", persist_state="session", help="The processor that runs the model."
            )
        reads_text = checkpoint in (BUILT_IN[False], AUTO)
        language = choose_language(BUILT_IN[False]) if reads_text else None
        hand = _hand() if reads_text else ""
    return Reader(checkpoint, device, beams, hand, language=language)


def built_in_reader(formulas: bool, device: str = "cpu") -> Reader:
    """The built-in model with its usual accuracy."""
    name = BUILT_IN[formulas]
    return Reader(name, device, default_beams(name))


def recognizer_for(reader: Reader, formulas: bool = False) -> tuple[Recognizer, Reader]:
    """The recognizer of a choice, without its words. Where it cannot be loaded, shows the error and returns the built-in one.

    Args:
        reader: The choice.
        formulas: Whether it is to read formulas.

    Returns:
        The recognizer, and the choice that it belongs to.
    """
    state = _state()
    wanted = (f"{reader.checkpoint}{reader.hand}", reader.device, formulas)
    if wanted not in state.failures:
        try:
            recognizer = _load(reader, formulas)
            known = reader.language in recognizer.languages
            return recognizer.with_language(reader.language) if known else recognizer, reader
        except HandwritingError as error:
            state.failures[wanted] = str(error)
    _show_failure(state, wanted)
    try:
        return load_recognizer(BUILT_IN[formulas]), built_in_reader(formulas)
    except HandwritingError as error:
        _give_up(str(error))


@st.cache_resource(show_spinner=False)
def load_ahead(checkpoint: str, device: str) -> threading.Thread:
    """Starts to load a built-in model, once per process, so that it is there when the first stroke ends."""
    name = "text" if checkpoint == AUTO else checkpoint  # formulas are loaded at the first line in doubt
    thread = threading.Thread(target=load_recognizer, args=(name, device), daemon=True)
    thread.start()
    return thread


def _hand() -> str:
    """Shows the switch of the hand that the session has learned. Returns the hand's name if it is on."""
    hand = hand_state().hand
    if hand is None:
        return ""
    used = st.toggle(
        "Read with my hand",
        key=USED,
        persist_state="session",
        help="Text is read by the model that learned from your corrected lines, on both pages, in this session.",
    )
    return hand.name if used else ""


def _load(reader: Reader, formulas: bool) -> Recognizer:
    hand = hand_state().hand
    if hand is not None and hand.name == reader.hand:
        if reader.checkpoint != AUTO:
            return hand.recognizer
        return AutoRecognizer(
            lambda name: hand.recognizer if name == BUILT_IN[False] else load_recognizer(name, reader.device)
        )
    recognizer = load_recognizer(
        reader.checkpoint,
        reader.device,
        on_download=_download_bar(),
        local=local_checkpoints(),
        fetch=downloads_allowed(),
    )
    if recognizer.reads_formulas != formulas and reader.checkpoint in BUILT_IN.values():
        raise HandwritingError(f"{reader.checkpoint} reads {'text' if formulas else 'formulas'}.")
    return recognizer


def _show_failure(state: ModelState, wanted: tuple[str, str, bool]) -> None:
    state.errors_shown += 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(escaped(f"{state.failures[wanted]} Using the built-in model instead."), icon=":material/error:")
        st.button(
            "Try again",
            key=f"try_again-{state.errors_shown}",
            icon=":material/refresh:",
            on_click=state.forget_failure,
            args=(wanted,),
        )


def _give_up(sentence: str) -> NoReturn:
    st.error(escaped(sentence), icon=":material/error:")
    st.stop()


def _download_bar() -> Callable[[str, int, int], None]:
    """Gives what shows a download's progress. The bar appears with the first call."""
    place = st.empty()

    def on_download(file: str, done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        place.progress(share, f"Downloading {file}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
        if share == 1:
            place.empty()

    return on_download


def _model_help() -> str:
    if not downloads_allowed():
        return (
            "The built-in model works offline. Other models are available once this server's operator has added them."
        )
    folder = " or a directory" if local_checkpoints() else ""
    return f"The built-in model works offline. You can type any hub id (owner/name){folder}."


@st.cache_data(show_spinner=False)
def _devices() -> list[str]:
    if not Path("/proc/driver/nvidia").exists() and shutil.which("nvidia-smi") is None:
        return ["cpu"]
    import torch  # only here: the built-in models do without its 250 MB

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _state() -> ModelState:
    return st.session_state.setdefault(STATE, ModelState())
