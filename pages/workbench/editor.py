"""The text of the page on the desk: to be read and copied, or corrected line by line."""

import base64
import io

import streamlit as st
from PIL import Image

from hwr_core.layout.regions import Outline, Region, corrected, joined, same_line
from hwr_core.metrics import cer, edit_distance, wer
from hwr_core.reading import Line, Page
from pages.common import copy_button, differing, shaded
from pages.workbench.boxes import renew
from pages.workbench.files import Sheet
from pages.workbench.reading import Prepared, ReadSheet, layout_of, layouts

TEXT, CORRECT = "Text", "Correct"
SHOWN = 25  # lines in the editor at once
CROP = (1000, 72)  # pixels that a line's picture has at most
STYLE = """<style>
.lines { display: grid; gap: .35rem; counter-reset: line; }
.lines > div { display: grid; grid-template-columns: 2.2rem 1fr; align-items: baseline; }
.lines .number { opacity: .55; font-size: .85rem; }
.crop { display: block; max-width: 100%; max-height: 56px; border-radius: .3rem; background: #fff; }
.remark { opacity: .65; font-size: .85rem; }
</style>"""


def corrections_of(key: tuple[str, int]) -> dict[Outline, str]:
    """What a person wrote for the lines of a sheet, by where they were."""
    return st.session_state.setdefault("corrections", {}).setdefault(key, {})


def show_text(sheet: Sheet, prepared: Prepared, read: ReadSheet, shown: Page) -> None:
    """`shown` is the page with its corrections."""
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        view = st.segmented_control(
            "View", [TEXT, CORRECT], default=TEXT, required=True, key="view", label_visibility="collapsed"
        )
        copy_button(shown.text, key="copy-page")
    if view == TEXT:
        _lines(shown)
        st.caption("Shaded letters are unsure. Under “Correct”, each line stands beside its picture.")
    else:
        _correct(sheet, prepared, read, shown)


def _lines(shown: Page) -> None:
    """One under the other, numbered as on the picture; a formula is also rendered."""
    waiting = ""
    for number, line in enumerate(shown.lines, 1):
        waiting += f"<div><span class='number'>{number}</span><span class='reading small'>{shaded(line.reading) or '…'}</span></div>"
        if line.formula or number == len(shown.lines):
            st.html(f"<div class='lines' data-testid='lines'>{waiting}</div>")
            waiting = ""
        if line.formula and line.reading.text:
            st.latex(line.reading.text)


def _correct(sheet: Sheet, prepared: Prepared, read: ReadSheet, shown: Page) -> None:
    strips = -(-len(shown.lines) // SHOWN)
    strip = st.pagination(strips, key=f"lines-{sheet.key}") - 1 if strips > 1 else 0
    for number in range(strip * SHOWN, min(len(shown.lines), (strip + 1) * SHOWN)):
        _row(
            sheet,
            prepared,
            number,
            read,
            shown.lines[number],
            shown.lines[number + 1] if number + 1 < len(shown.lines) else None,
        )
    done = sum(line.corrected for line in shown.lines)
    if st.toggle(
        "Compare with what was read",
        key="compare",
        disabled=not done,
        help="How many characters and words you corrected.",
    ):
        _compare(read.page, shown)


def _row(sheet: Sheet, prepared: Prepared, number: int, read: ReadSheet, line: Line, following: Line | None) -> None:
    machine = read.page.lines[number].reading
    outline = line.corners
    version = st.session_state.get("used", {}).get((sheet.key, outline), 0)
    key = f"line-{hash((sheet.key, outline, machine.text))}-{version}"
    remark = "corrected" if line.corrected else f"{machine.confidence:.0%} sure"
    if not machine.complete:
        remark += " · only the beginning: the line is longer than the checkpoint can write"
    picture = f"<img class='crop' src='data:image/jpeg;base64,{_jpeg(line.image)}' alt='Line {number + 1}'>"
    unsure = "" if line.corrected or min(machine.character_confidences, default=1) > 0.9 else f" · {shaded(machine)}"
    st.html(f"<div>{picture}<div class='remark'>{number + 1} · {remark}{unsure}</div></div>")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            f"Line {number + 1}",
            line.reading.text,
            key=key,
            label_visibility="collapsed",
            on_change=_take,
            args=(sheet, outline, key),
        )
        with st.popover(
            "",
            icon=":material/more_horiz:",
            key=f"more-{key}",
            on_change="rerun",
            help="Alternatives, and what the line is",
        ) as more:
            if more.open:
                _tools(sheet, prepared, number, read, line, following)


def _tools(sheet: Sheet, prepared: Prepared, number: int, read: ReadSheet, line: Line, following: Line | None) -> None:
    machine, outline = read.page.lines[number].reading, line.corners
    others = [machine.text] if line.corrected else []
    others += [other.text for other in machine.alternatives if other.text != line.reading.text]
    if others:
        st.caption("Or is it one of these?")
    for place, other in enumerate(others[:4]):
        st.button(
            differing(other, line.reading.text),
            key=f"use-{number}-{place}",
            width="stretch",
            on_click=_use,
            args=(sheet, outline, other),
        )
    regions = list(layout_of(sheet, prepared))
    place = regions.index(read.regions[number])
    region = regions[place]
    # Of those that are shown: regions in which nothing was read lie between them.
    before = regions.index(read.regions[number - 1]) if number else None
    after = regions.index(read.regions[number + 1]) if number + 1 < len(read.regions) else None
    with st.container(horizontal=True):

        def change(title: str, icon: str, changed: list[Region], disabled: bool = False) -> None:
            st.button(
                title,
                key=f"{title}-{number}",
                icon=f":material/{icon}:",
                on_click=_set,
                args=(sheet, changed),
                disabled=disabled,
            )

        kind = Region(region.outline, not region.formula)
        change(
            "It is text" if region.formula else "It is a formula",
            "function",
            [*regions[:place], kind, *regions[place + 1 :]],
        )
        if after is not None and following is not None:
            rest = [other for index, other in enumerate(regions) if index not in (place, after)]
            at = place - (after < place)
            whole = joined([region, regions[after]])
            st.button(
                "Join with the next", key=f"join-{number}", icon=":material/merge:", on_click=_join,
                args=(sheet, [*rest[:at], whole, *rest[at:]], whole, (line, following)),
            )  # fmt: skip
        change("Up", "arrow_upward", _swapped(regions, place, before), before is None)
        change("Down", "arrow_downward", _swapped(regions, place, after), after is None)
        change("Delete", "delete", regions[:place] + regions[place + 1 :])


def _swapped(regions: list[Region], first: int, second: int | None) -> list[Region]:
    changed = list(regions)
    if second is not None:
        changed[first], changed[second] = changed[second], changed[first]
    return changed


def _set(sheet: Sheet, regions: list[Region]) -> None:
    layouts()[sheet.key] = tuple(regions)
    renew(sheet)


def _take(sheet: Sheet, outline: Outline, key: str) -> None:
    _correct_line(sheet, outline, st.session_state[key].strip())


def _correct_line(sheet: Sheet, outline: Outline, text: str) -> None:
    """The last word on a line, also where it was found a little aside before."""
    corrections = corrections_of(sheet.key)
    _drop(corrections, outline)
    corrections[outline] = text


def _drop(corrections: dict[Outline, str], outline: Outline) -> None:
    for other in [other for other in corrections if same_line(outline, [other]) is not None]:
        del corrections[other]


def _join(sheet: Sheet, regions: list[Region], region: Region, lines: tuple[Line, Line]) -> None:
    """What was corrected in either half stays, with what was read in the other."""
    corrections = corrections_of(sheet.key)
    for line in lines:
        _drop(corrections, line.corners)
    if any(line.corrected for line in lines):
        corrections[region.outline] = " ".join(line.reading.text for line in lines)
    _set(sheet, regions)


def _use(sheet: Sheet, outline: Outline, text: str) -> None:
    _correct_line(sheet, outline, text)
    used = st.session_state.setdefault("used", {})
    used[sheet.key, outline] = used.get((sheet.key, outline), 0) + 1  # another field, which starts with this text


def _compare(machine: Page, shown: Page) -> None:
    truths, readings = ([line.reading.text for line in page.lines] for page in (shown, machine))
    wrong, characters = sum(map(edit_distance, truths, readings)), sum(map(len, truths))
    st.caption(
        f"Character error rate {cer(truths, readings):.1%} ({wrong} of {characters}), word error rate {wer(truths, readings):.1%}, "
        "if all that you left is right."
    )


def with_corrections(page: Page, key: tuple[str, int]) -> Page:
    return corrected(page, corrections_of(key))


def _jpeg(picture: Image.Image) -> str:
    crop = picture.convert("L")
    crop.thumbnail(CROP)
    buffer = io.BytesIO()
    crop.save(buffer, "JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode()
