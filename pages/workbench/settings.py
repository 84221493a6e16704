"""The preprocessing's controls, in the order of the steps; they live in the URL, and can be saved and loaded."""

from collections.abc import Callable
from dataclasses import asdict

import streamlit as st

from hwr_core.imaging.settings import LIMITS, PRESETS, PreprocessSettings
from pages.common import as_is
from pages.workbench.files import uploads

DEFAULT = PreprocessSettings()
THRESHOLDS = {
    "none": "None (best for reading)",
    "otsu": "Otsu",
    "adaptive": "Adaptive",
    "sauvola": "Sauvola",
    "manual": "Manual",
}


def settings_sidebar() -> PreprocessSettings:
    """A method's parameters show where it is chosen."""
    chosen: dict = {}

    def ask(control: Callable, field: str, *arguments, **options) -> None:
        chosen[field] = control(*arguments, key=field, bind="query-params", **options)

    with st.sidebar:
        st.subheader("Preprocessing")
        presets = st.container()  # filled below, where it is known which of them the controls show
        ask(
            st.toggle, "perspective", "Straighten a sheet on a table", DEFAULT.perspective,
            help="Where a sheet's four edges are seen, it is cut out and seen from straight above.",
        )  # fmt: skip
        ask(
            st.selectbox, "turn", "Turn", ["auto", "0", "90", "180", "270"],
            format_func=lambda turn: "As the writing lies" if turn == "auto" else f"{turn}° to the left",
            help="Rights a page that lies on its side or stands on its head.",
        )  # fmt: skip
        ask(
            st.segmented_control, "invert", "Light on dark", ["auto", "never", "always"], default="auto", required=True, format_func=str.capitalize,
            help="Chalk on a board and dark-mode notes are turned into dark ink on light paper.",
        )  # fmt: skip
        ask(
            st.toggle, "flatten", "Flatten paper and light", DEFAULT.flatten,
            help="Divides by the paper's brightness: shadows and yellowed paper become white.",
        )  # fmt: skip
        ask(
            st.segmented_control, "denoise", "Denoise", [0, 1, 2], default=DEFAULT.denoise, required=True,
            format_func=["Off", "Light", "Strong"].__getitem__, help="A median filter: takes away specks, and a little of fine strokes.",
        )  # fmt: skip
        ask(
            st.toggle,
            "deskew",
            "Level the lines",
            DEFAULT.deskew,
            help="Turns the page by up to 12° so that its lines run level.",
        )
        ask(
            st.toggle,
            "ruling",
            "Take away ruled lines",
            DEFAULT.ruling,
            help="Also squared paper's. Strokes across them stay.",
        )
        ask(st.toggle, "crop", "Crop to the ink", DEFAULT.crop, help="Cuts away empty margins.")
        st.subheader("Threshold")
        ask(
            st.selectbox, "threshold", "Method", list(THRESHOLDS), format_func=THRESHOLDS.__getitem__,
            help="Black and white only. Usually reads worse than grey; helps on very faint or stained pages.",
        )  # fmt: skip
        if chosen["threshold"] == "manual":
            ask(
                st.slider,
                "threshold_level",
                "Level",
                *LIMITS["threshold_level"],
                DEFAULT.threshold_level,
                help="Darker than this is ink.",
            )
        if chosen["threshold"] in ("adaptive", "sauvola"):
            ask(
                st.slider, "threshold_window", "Window", *LIMITS["threshold_window"], DEFAULT.threshold_window, 2,
                help="Pixels across which the paper's grey is judged.",
            )  # fmt: skip
        if chosen["threshold"] == "adaptive":
            ask(
                st.slider, "adaptive_offset", "Offset", *LIMITS["adaptive_offset"], DEFAULT.adaptive_offset,
                help="Grey levels below the neighbourhood's mean that count as ink.",
            )  # fmt: skip
        if chosen["threshold"] == "sauvola":
            ask(
                st.slider,
                "sauvola_k",
                "k",
                *LIMITS["sauvola_k"],
                DEFAULT.sauvola_k,
                0.01,
                help="Higher takes less as ink.",
            )
        st.subheader("Stroke width")
        ask(
            st.selectbox, "stroke", "Strokes", ["keep", "thin", "thicken", "normalise"], format_func=str.capitalize,
            help="Hairlines read better thickened, felt pens thinned. Normalise measures the pen and brings it to the target.",
        )  # fmt: skip
        if chosen["stroke"] in ("thin", "thicken"):
            ask(
                st.slider,
                "stroke_amount",
                "By (pixels)",
                *LIMITS["stroke_amount"],
                DEFAULT.stroke_amount,
                help="How much thinner or thicker.",
            )
        if chosen["stroke"] == "normalise":
            ask(
                st.slider, "stroke_target", "Target (pixels)", *LIMITS["stroke_target"], DEFAULT.stroke_target, 0.5,
                help="The width that the strokes shall have.",
            )  # fmt: skip
        st.session_state["measured"] = st.empty()
        settings = PreprocessSettings(**chosen)
        with presets:
            _presets(settings)
        _save_and_load(settings)
    return settings


def show_measured(before: float, after: float) -> None:
    """The width of the page's strokes in pixels, under their controls."""
    now = f", now {after:.1f}" if abs(after - before) >= 0.1 else ""
    st.session_state["measured"].caption(f"The strokes of this page measure {before:.1f} pixels{now}.")


def use(settings: PreprocessSettings) -> None:
    """Sets every control."""
    for field, value in asdict(settings).items():
        if field != "padding":  # has no control
            st.session_state[field] = value


def _presets(settings: PreprocessSettings) -> None:
    st.session_state.preset = next((name for name, preset in PRESETS.items() if preset == settings), None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "For a", list(PRESETS), key="preset", placeholder="page of its own kind", on_change=_use_preset, index=None
        )
        st.button(
            "",
            key="reset",
            icon=":material/restart_alt:",
            on_click=use,
            args=(DEFAULT,),
            help="Reset all to the defaults",
        )


def _use_preset() -> None:
    use(PRESETS.get(st.session_state.preset, DEFAULT))


def _save_and_load(settings: PreprocessSettings) -> None:
    st.session_state.setdefault("settings_files", 0)
    with st.popover("Save or load", icon=":material/tune:", width="stretch"):
        st.download_button(
            "Save these settings",
            settings.to_json(),
            "handwriting-settings.json",
            "application/json",
            on_click="ignore",
        )
        key = f"settings-{st.session_state.settings_files}"
        st.file_uploader("Load settings", "json", key=key, on_change=_load, args=(key,), max_upload_size=1)
        st.caption("They are also in this page's address, to be bookmarked or sent.")
    if sentence := st.session_state.pop("settings_error", None):
        st.error(as_is(sentence), icon=":material/broken_image:")


def _load(key: str) -> None:
    for file in uploads(key):
        st.session_state.settings_files += 1
        try:
            use(PreprocessSettings.from_json(file.getvalue().decode("utf-8", errors="replace")))
        except ValueError as error:
            st.session_state.settings_error = f"{file.name}: {error}"
