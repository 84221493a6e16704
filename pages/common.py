"""What both pages share: the sidebar's choice of a reader, loading it, and showing a reading."""

import difflib
import html
import re
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.components.v2.bidi_component import serialization

from hwr_core.checkpoints.registry import CHECKPOINTS, default_beams, load_recognizer
from hwr_core.errors import HandwritingError
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.limits import MAX_BYTES
from hwr_core.runtime.settings import local_checkpoints

# An upload over 1 MB would otherwise pass through a temporary file on its way to us: pictures stay in memory.
MultiPartParser.spool_max_size = 2 * MAX_BYTES  # above the server's own limit, which is in binary megabytes

# A canvas's drawing is a dictionary, and to tell that it is no data frame Streamlit would import pandas and pyarrow: 100 MB.
_is_dataframe_like = serialization.is_dataframe_like
serialization.is_dataframe_like = lambda value: not isinstance(value, dict) and _is_dataframe_like(value)

UNSURE, DOUBTFUL = 0.9, 0.6  # character confidences under which a character is shaded, and shaded strongly
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 3.5rem; }
h1 { font-size: clamp(1.6rem, 5.2vw, 2.4rem) !important; }
.reading { font-size: clamp(1.5rem, 4.5vw, 2.4rem); line-height: 1.35; font-weight: 600; overflow-wrap: anywhere; white-space: pre-wrap; }
.reading.small { font-size: 1.15rem; font-weight: 500; }
.unsure { background: color-mix(in srgb, #e8a317 32%, transparent); border-radius: .2em; }
.doubtful { background: color-mix(in srgb, #d6453d 38%, transparent); border-radius: .2em; }
.hint { opacity: .72; font-size: 1.05rem; }
</style>"""

# A copy button: Streamlit's own is only in code blocks, and copies no edited text.
_copy = st.components.v2.component(
    "copy_text",
    html="<button class='copy' type='button'>Copy</button>",
    css="""
.copy { font: inherit; color: var(--st-text-color); background: var(--st-background-color); cursor: pointer; width: 100%;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .4rem .9rem; min-height: 2.5rem; }
.copy:hover { color: var(--st-primary-color); border-color: var(--st-primary-color); }""",
    js="""
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button")
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(data.text); button.textContent = "Copied" }
    catch { button.textContent = "Press Ctrl+C" }
    setTimeout(() => { button.textContent = "Copy" }, 1500)
  }
}""",
)

# How wide the column is on this screen: a canvas has to be told its size.
_width = st.components.v2.component(
    "column_width",
    html="<div></div>",
    js="""
export default function ({ parentElement, setStateValue }) {
  const probe = parentElement.querySelector("div")
  let told = 0
  const tell = () => {
    const width = Math.floor(probe.getBoundingClientRect().width)
    if (width > 0 && Math.abs(width - told) > 8) { told = width; setStateValue("width", width) }
  }
  const observer = new ResizeObserver(tell)
  observer.observe(probe)
  tell()
  return () => observer.disconnect()
}""",
)


@dataclass(frozen=True)
class Reader:
    """What the sidebar's choices give: the checkpoint's name, the device and the number of beams."""

    checkpoint: str
    device: str
    beams: int


def copy_button(text: str, key: str) -> None:
    _copy(data={"text": text}, key=key, width=110)


def column_width(default: int = 704) -> int:
    """The width in pixels of the column it is called in; `default` until the browser has told it."""
    result = _width(key="column_width", default={"width": default}, on_width_change=lambda: None, height=1)
    return int(result.get("width") or default)


def reader_sidebar(formulas: bool = False) -> Reader:
    """The sidebar's first group: which checkpoint reads text, or formulas, how thoroughly, where."""
    st.session_state.failures_shown = 0
    st.html(STYLE)  # here, where no rerun of a part of the page takes it away: the page would jump under the pen
    titles = {checkpoint.name: checkpoint.title for checkpoint in CHECKPOINTS if checkpoint.formulas == formulas}
    with st.sidebar:
        st.subheader("Reader")
        checkpoint = st.selectbox(
            "Checkpoint",
            list(titles),
            format_func=lambda name: titles.get(name, name),
            accept_new_options=True,
            key="math checkpoint" if formulas else "checkpoint",
            persist_state="session",
            help="The shipped one works offline. "
            + ("Or type" if formulas else "Choose one of Microsoft's, or type")
            + (" any hub id (owner/name) or directory." if local_checkpoints() else " any hub id (owner/name)."),
        )
        checkpoint = checkpoint or shipped(formulas)
        note = next((known.note for known in CHECKPOINTS if known.name == checkpoint), "Your own checkpoint.")
        st.caption(note)
        beams = st.slider(
            "Beams", 1, 8, min(8, max(1, default_beams(checkpoint, local_checkpoints()))), key=f"beams {checkpoint}", persist_state="session",
            help="How many readings are followed at once. One is the quickest; more are slower and find a better one at times."
            if formulas
            else "How many readings are followed at once. One is the quickest; with four a quarter fewer letters are wrong, "
            "and a page takes half as long again.",
        )  # fmt: skip
        devices = _devices()
        device = devices[0]
        if len(devices) > 1:
            device = st.selectbox(
                "Device", devices, key="device", persist_state="session", help="Where the checkpoint runs."
            )
    return Reader(checkpoint, device, beams)


def shipped(formulas: bool) -> str:
    return "math" if formulas else "text"


@st.cache_data(show_spinner=False)
def _devices() -> list[str]:
    if not Path("/proc/driver/nvidia").exists() and shutil.which("nvidia-smi") is None:
        return ["cpu"]
    import torch  # only here: the shipped checkpoints do without its 250 MB

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def recognizer_for(reader: Reader, formulas: bool = False) -> tuple[Recognizer, Reader]:
    """The reader's recognizer. A checkpoint that cannot be had is said so, and the shipped one takes its place in both.

    The failure is remembered: a checkpoint that is not there must not be looked for again at every stroke.
    """
    failures = st.session_state.setdefault("failures", {})
    wanted = (reader.checkpoint, reader.device, formulas)
    if wanted not in failures:
        try:
            recognizer = load_recognizer(
                reader.checkpoint, reader.device, on_download=_download_bar(), local=local_checkpoints()
            )
            if recognizer.reads_formulas == formulas or reader.checkpoint not in (shipped(True), shipped(False)):
                return recognizer, reader
            raise HandwritingError(f"{reader.checkpoint} reads {'text' if formulas else 'formulas'}.")
        except HandwritingError as error:
            failures[wanted] = str(error)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(as_is(f"{failures[wanted]} The shipped checkpoint reads meanwhile."), icon=":material/error:")
        st.session_state.failures_shown = shown = (
            st.session_state.get("failures_shown", 0) + 1
        )  # in a run, it may be met again
        st.button(
            "Try again", key=f"try_again-{shown}", icon=":material/refresh:", on_click=failures.pop, args=(wanted, None)
        )
    try:
        return load_recognizer(shipped(formulas)), Reader(shipped(formulas), "cpu", default_beams(shipped(formulas)))
    except HandwritingError as error:
        st.error(as_is(str(error)), icon=":material/error:")
        st.stop()


def _download_bar():
    """A progress bar that appears when a download tells of itself."""
    place = st.empty()

    def on_download(file: str, done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        place.progress(share, f"Downloading {file}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
        if share == 1:
            place.empty()

    return on_download


def as_is(text: str) -> str:
    """`text` for where Streamlit would take Markdown: nothing in it is a mark."""
    return re.sub(r"([\\`*_\[\]$<>~#|]|:(?=\w+:))", r"\\\1", text)


def differing(other: str, text: str) -> str:
    """Another reading as Markdown, the words in which it differs from `text` bold."""
    words = other.split(" ")
    matcher = difflib.SequenceMatcher(None, text.split(" "), words, autojunk=False)
    same = {index for block in matcher.get_matching_blocks() for index in range(block.b, block.b + block.size)}
    return " ".join(
        as_is(word) if index in same or not word else f"**{as_is(word)}**" for index, word in enumerate(words)
    )


@st.cache_resource(show_spinner=False)
def load_ahead(checkpoint: str, device: str) -> threading.Thread:
    """Starts loading a shipped checkpoint once per process, so that it is there when the first stroke ends."""
    thread = threading.Thread(target=load_recognizer, args=(checkpoint, device), daemon=True)
    thread.start()
    return thread


def shaded(reading: Reading) -> str:
    """The reading's text as HTML, each character shaded by how sure it is."""
    parts = []
    for character, confidence in zip(reading.text, reading.character_confidences, strict=True):
        escaped = html.escape(character)
        if confidence >= UNSURE or character == " ":
            parts.append(escaped)
        else:
            kind = "unsure" if confidence >= DOUBTFUL else "doubtful"
            parts.append(f'<span class="{kind}" title="{confidence:.0%} sure">{escaped}</span>')
    return "".join(parts)


def show_reading(lines: list[Reading]) -> None:
    """Readings one under the other, large, their characters shaded by confidence."""
    body = "\n".join(shaded(line) for line in lines)
    st.html(f'<div class="reading" data-testid="reading">{body}</div>')
    if any(not line.complete for line in lines):
        st.warning("The line is longer than this checkpoint can write; only its beginning is shown.")


@dataclass(frozen=True)
class Correction:
    """An editable field that starts as `text`. `name` is of one reading only, so that a correction is never put over another; it stays in the
    session, also where the field is not shown for a while.

    It starts by its `value`, not by session state: a field whose value is only set there stays empty in the browser where the
    run that made it is overtaken by the next stroke. So another text makes another field.
    """

    name: str
    text: str

    @property
    def key(self) -> str:
        return f"{self.name}-{hash(self.text)}"

    @property
    def _field(self) -> str:
        return f"{self.key}-{st.session_state.get(f'{self.key}-times', 0)}"

    @property
    def current(self) -> str:
        """As it stands, also before the field is shown."""
        return st.session_state.get(self._field, self._start)

    @property
    def _start(self) -> str:
        return st.session_state.get(f"{self.key}-start", self.text)

    def show(self, label: str) -> str:
        return st.text_area(label, self._start, key=self._field, height="content", persist_state="session")

    def replace(self, text: str) -> None:
        state = st.session_state
        state[f"{self.key}-start"] = text
        state[f"{self.key}-times"] = state.get(f"{self.key}-times", 0) + 1
