"""The controls of the preprocessing, in the order of the steps.

They are bound to the URL, and can be saved and loaded.
"""

from collections.abc import Callable
from dataclasses import asdict

import streamlit as st

from hwr_core.imaging.settings import LIMITS, PRESETS, PreprocessSettings
from pages.shared.reading_view import escaped
from pages.shared.streamlit_patches import uploads
from pages.workbench.edits import page_id
from pages.workbench.state import PageKey, PhotoState, photo_state

DEFAULT = PreprocessSettings()
TURNS = {"auto": "Automatic", "0": "None", "90": "90° left", "180": "180°", "270": "90° right"}
THRESHOLDS = {
    "none": "None (most accurate)",
    "otsu": "Otsu",
    "adaptive": "Adaptive",
    "sauvola": "Sauvola",
    "manual": "Manual",
}
ALL_PAGES, THIS_PAGE = "All pages", "This page"
UPLOAD_MEGABYTES = 1  # of a file with settings
Ask = Callable[..., None]


def settings_sidebar() -> tuple[PreprocessSettings, Callable[[float, float], None]]:
    """Shows the controls in the sidebar. The parameters of a method appear when it is chosen.

    Returns:
        The settings of all pages that have none of their own, and a function that shows the width of the page's
        strokes, before and after, under their controls.
    """
    state = photo_state()
    own = own_settings(state, state.current)
    if state.current != state.controls_of and (own or own_settings(state, state.controls_of)):
        set_controls(own or state.settings)
    state.controls_of = state.current
    chosen: dict = {"padding": (own or state.settings).padding}  # which has no control

    def ask(control: Callable, field: str, *arguments, **options) -> None:
        chosen[field] = control(*arguments, key=field, bind="query-params", **options)

    with st.sidebar:
        st.subheader("Preprocessing")
        presets = st.container()  # filled below, where the settings are known
        _scope(state)
        _page_controls(ask)
        st.subheader("Threshold")
        _threshold_controls(ask, chosen)
        st.subheader("Stroke width")
        _stroke_controls(ask, chosen)
        measured = st.empty()
        settings = PreprocessSettings(**chosen)
        _keep(state, settings)
        with presets:
            _presets(settings)
        _save_and_load(state, settings)

    def show_measured(before: float, after: float) -> None:
        now = f", now {after:.1f}" if abs(after - before) >= 0.1 else ""
        measured.caption(f"The strokes on this page are {before:.1f} pixels wide{now}.")

    return state.settings, show_measured


def own_settings(state: PhotoState, key: PageKey | None) -> PreprocessSettings | None:
    """The settings of a page for itself, or None if it has those of all pages."""
    page = None if key is None else state.pages.get(key)
    return None if page is None else page.settings


def use(settings: PreprocessSettings) -> None:
    """Takes settings for the page that is shown if it has its own, else for all pages, and sets every control."""
    _keep(photo_state(), settings)
    set_controls(settings)


def _keep(state: PhotoState, settings: PreprocessSettings) -> None:
    if state.current is not None and own_settings(state, state.current):
        state.page(state.current).settings = settings
    else:
        state.settings = settings


def _scope(state: PhotoState) -> None:
    """With several pages: whether the controls are for all or for the page that is shown."""
    if state.current is None or state.page_count < 2:
        return
    key = f"scope-{page_id(state.current)}"
    own = own_settings(state, state.current) is not None
    st.segmented_control(
        "Apply to",
        [ALL_PAGES, THIS_PAGE],
        default=THIS_PAGE if own else ALL_PAGES,
        required=True,
        key=key,
        on_change=_change_scope,
        args=(state, state.current, key),
    )


def _change_scope(state: PhotoState, page: PageKey, key: str) -> None:
    alone = st.session_state[key] == THIS_PAGE
    state.page(page).settings = state.settings if alone else None
    set_controls(state.settings)


def set_controls(settings: PreprocessSettings) -> None:
    """Sets every control."""
    for field, value in asdict(settings).items():
        if field != "padding":  # has no control
            st.session_state[field] = value


def _page_controls(ask: Ask) -> None:
    ask(
        st.toggle,
        "perspective",
        "Fix perspective",
        DEFAULT.perspective,
        help="Finds the sheet's edges and flattens it.",
    )
    ask(
        st.selectbox,
        "turn",
        "Rotate",
        list(TURNS),
        format_func=TURNS.__getitem__,
        help="Automatic turns a page that lies on its side or upside down.",
    )
    ask(
        st.segmented_control,
        "invert",
        "Light on dark",
        ["auto", "never", "always"],
        default="auto",
        required=True,
        format_func=str.capitalize,
        help="Turns chalk on a board and dark-mode notes into dark ink on light paper.",
    )
    ask(
        st.toggle,
        "flatten",
        "Even out lighting",
        DEFAULT.flatten,
        help="Divides by the brightness of the paper. Shadows and yellowed paper become white. Printed dots go, too.",
    )
    ask(
        st.segmented_control,
        "denoise",
        "Denoise",
        [0, 1, 2],
        default=DEFAULT.denoise,
        required=True,
        format_func=["Off", "Light", "Strong"].__getitem__,
        help="A median filter. It removes specks, and a little of fine strokes.",
    )
    ask(
        st.toggle,
        "deskew",
        "Straighten lines",
        DEFAULT.deskew,
        help="Turns the page by up to 12° so that its lines are level.",
    )
    ask(
        st.toggle,
        "ruling",
        "Remove ruled lines",
        DEFAULT.ruling,
        help="Also those of squared paper. Strokes across them stay.",
    )
    ask(
        st.toggle,
        "crop",
        "Crop to the ink",
        DEFAULT.crop,
        help="Cuts off empty margins, and the binding of a notebook.",
    )


def _threshold_controls(ask: Ask, chosen: dict) -> None:
    ask(
        st.selectbox,
        "threshold",
        "Method",
        list(THRESHOLDS),
        format_func=THRESHOLDS.__getitem__,
        help="Makes the page black and white. Usually less accurate than grey; helps on very faint or stained pages.",
    )
    method = chosen["threshold"]
    if method == "manual":
        limits = LIMITS["threshold_level"]
        help_ = "Pixels darker than this are ink."
        ask(st.slider, "threshold_level", "Level", *limits, DEFAULT.threshold_level, help=help_)
    if method in ("adaptive", "sauvola"):
        limits = LIMITS["threshold_window"]
        help_ = "Size in pixels of the area for the mean grey."
        ask(st.slider, "threshold_window", "Window", *limits, DEFAULT.threshold_window, 2, help=help_)
    if method == "adaptive":
        limits = LIMITS["adaptive_offset"]
        help_ = "How many grey levels below the mean count as ink."
        ask(st.slider, "adaptive_offset", "Offset", *limits, DEFAULT.adaptive_offset, help=help_)
    if method == "sauvola":
        limits = LIMITS["sauvola_k"]
        ask(st.slider, "sauvola_k", "k", *limits, DEFAULT.sauvola_k, 0.01, help="Higher keeps less ink.")


def _stroke_controls(ask: Ask, chosen: dict) -> None:
    ask(
        st.selectbox,
        "stroke",
        "Strokes",
        ["keep", "thin", "thicken", "normalise"],
        format_func=str.capitalize,
        help="Thicken hairlines, thin felt pens. Normalise measures the pen and brings it to the target.",
    )
    if chosen["stroke"] in ("thin", "thicken"):
        limits = LIMITS["stroke_amount"]
        help_ = "How much thinner or thicker."
        ask(st.slider, "stroke_amount", "By (pixels)", *limits, DEFAULT.stroke_amount, help=help_)
    if chosen["stroke"] == "normalise":
        limits = LIMITS["stroke_target"]
        help_ = "Target stroke width."
        ask(st.slider, "stroke_target", "Target (pixels)", *limits, DEFAULT.stroke_target, 0.5, help=help_)


def _presets(settings: PreprocessSettings) -> None:
    st.session_state.preset = next((name for name, preset in PRESETS.items() if preset == settings), None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Preset", list(PRESETS), key="preset", placeholder="Custom", on_change=_use_preset, index=None)
        st.button(
            "Reset all",  # not shown (photo.css), but read out
            key="reset",
            icon=":material/restart_alt:",
            on_click=use,
            args=(DEFAULT,),
            help="Reset all to the defaults",
        )


def _use_preset() -> None:
    use(PRESETS.get(st.session_state.preset, DEFAULT))


def _save_and_load(state: PhotoState, settings: PreprocessSettings) -> None:
    with st.popover("Save or load", icon=":material/tune:", width="stretch"):
        st.download_button(
            "Save these settings",
            settings.to_json(),
            "handwriting-settings.json",
            "application/json",
            on_click="ignore",
        )
        key = f"settings-{state.settings_uploaders}"
        st.file_uploader(
            "Load settings", "json", key=key, on_change=_load, args=(key,), max_upload_size=UPLOAD_MEGABYTES
        )
        if state.settings_error:
            st.error(escaped(state.settings_error), icon=":material/broken_image:")
            state.settings_error = None
        st.caption("Also saved in the URL, so you can bookmark or share it.")


def _load(key: str) -> None:
    state = photo_state()
    for file in uploads(key):
        state.settings_uploaders += 1
        try:
            use(PreprocessSettings.from_json(file.getvalue().decode("utf-8", errors="replace")))
        except ValueError as error:
            state.settings_error = f"{file.name}: {error}"
