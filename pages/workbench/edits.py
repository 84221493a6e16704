"""The edits of lines that a person makes in the picture of a page.

The viewer sends a list of numbered operations. Those whose numbers are known are ignored, so that an operation counts
once although the browser sends it until it is confirmed.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from hwr_core.imaging.settings import Turn
from hwr_core.layout.regions import Outline, Region, joined, region_of, same_line, with_drawn
from hwr_core.reading import Page
from pages.workbench.state import PageKey, PageState, PhotoState, Shown

LEAST_SIDE = 3  # pixels of the picture that a line has each way at least
MOST_EDITS = 200  # operations that are looked at in one message


def id_of(region: Region) -> str:
    """Identifies a line in the browser: its corners."""
    return " ".join(f"{x},{y}" for x, y in region.outline)


def page_id(key: PageKey) -> str:
    """Identifies a page in the browser."""
    return f"{key.file}-{key.index}"


def take_edits(state: PhotoState, value: object) -> None:
    """Makes the new edits of the page that is shown.

    Args:
        state: The session.
        value: What the viewer sent as its state. It comes from the browser: nonsense in it is ignored.
    """
    edits = value.get("edits") if isinstance(value, Mapping) else None
    if not isinstance(edits, Sequence) or state.current is None:
        return
    page = state.page(state.current)
    for edit in edits[:MOST_EDITS]:
        if not isinstance(edit, Mapping) or not isinstance(edit.get("n"), int) or edit["n"] <= state.edits:
            continue
        state.edits = edit["n"]
        if edit.get("page") == page_id(state.current) and page.shown is not None:
            _make(page, edit)


def _make(page: PageState, edit: Mapping) -> None:
    shown = page.shown
    assert shown is not None  # the caller asked
    regions = list(page.regions if page.regions is not None else shown.layout)
    match edit.get("op"):
        case "turn" if edit.get("by") in (90, -90):
            # From an earlier turn that is not shown yet: two fast clicks turn the page upside down.
            now = int(page.turn) if page.turn is not None and page.turn.isdigit() else shown.turn
            page.turn = cast(Turn, str((now + edit["by"]) % 360))
        case "undo":
            page.undo()
        case "reset":
            page.with_regions(None)
        case "draw" if (region := _region(edit, shown)) is not None:
            page.with_regions(with_drawn(regions, region, shown.view_to_photo))
            page.renamed[str(edit.get("id"))] = id_of(region)
        case "move" | "kind" | "delete" | "merge" | "swap":
            _change(page, edit, regions)


def _change(page: PageState, edit: Mapping, regions: list[Region]) -> None:
    """Makes an edit of a line that there is."""
    ids = [id_of(region) for region in regions]
    place, other = (_place(page, ids, edit.get(name)) for name in ("id", "other"))
    if place is None:
        return
    operation = edit["op"]
    if operation == "delete":
        page.with_regions((*regions[:place], *regions[place + 1 :]))
    elif operation == "merge" and other is not None:
        whole = merge(page, regions, place, other)
        page.renamed[ids[place]] = page.renamed[ids[other]] = id_of(whole)
    elif operation == "swap" and other is not None:
        regions[place], regions[other] = regions[other], regions[place]
        page.with_regions(tuple(regions))
    elif operation == "kind":
        regions[place] = Region(regions[place].outline, edit.get("formula") is True)
        page.with_regions(tuple(regions))
    elif operation == "move":
        assert page.shown is not None  # the caller asked
        region = _region({**edit, "formula": regions[place].formula}, page.shown)
        if region is not None:
            _move(page, regions, place, region)


def _move(page: PageState, regions: list[Region], place: int, moved: Region) -> None:
    """Replaces a line by one elsewhere. Its correction stays with it."""
    page.keep_for_undo()
    before = regions[place]
    for outline in [outline for outline in page.corrections if same_line(before.outline, [outline]) is not None]:
        page.corrections[moved.outline] = page.corrections.pop(outline)
    page.renamed[id_of(before)] = id_of(moved)
    regions[place] = moved
    page.regions = tuple(regions)


def merge(page: PageState, regions: Sequence[Region], place: int, other: int) -> Region:
    """Merges two lines of `regions`, which becomes the page's layout. Where either was corrected, both texts stay.

    Returns:
        The merged line.
    """
    whole = joined([regions[place], regions[other]])
    rest = [region for index, region in enumerate(regions) if index not in (place, other)]
    at = place - (other < place)
    texts = _texts_of(page, [regions[index].outline for index in (place, other)])
    page.with_regions((*rest[:at], whole, *rest[at:]))
    if texts:
        for index in (place, other):
            drop_correction(page, regions[index].outline)
        page.corrections[whole.outline] = " ".join(texts)
    return whole


def _texts_of(page: PageState, outlines: Sequence[Outline]) -> list[str]:
    """The texts of lines with their corrections; none if no line was corrected."""
    read = page.page or Page((), (0, 0))  # as the page was shown last, with corrections
    corrected = [same_line(outline, list(page.corrections)) is not None for outline in outlines]
    if not any(corrected):
        return []
    texts = []
    for outline in outlines:
        own = same_line(outline, list(page.corrections))
        line = same_line(outline, [line.corners for line in read.lines])
        if own is not None:
            texts.append(list(page.corrections.values())[own])
        elif line is not None:
            texts.append(read.lines[line].reading.text)
    return [text for text in texts if text]


def correct_line(page: PageState, outline: Outline, text: str) -> None:
    """Sets the text of a line.

    It replaces an earlier correction, also where the line was then found at a slightly different place.
    """
    page.keep_for_undo()
    drop_correction(page, outline)
    page.corrections[outline] = text


def drop_correction(page: PageState, outline: Outline) -> None:
    """Forgets the correction of a line."""
    for other in [other for other in page.corrections if same_line(outline, [other]) is not None]:
        del page.corrections[other]


def _place(page: PageState, ids: Sequence[str], asked: object) -> int | None:
    """Where the line of this id is, also if earlier edits changed it."""
    name, steps = str(asked), 0
    while name not in ids and name in page.renamed and steps < MOST_EDITS:
        name, steps = page.renamed[name], steps + 1
    return ids.index(name) if name in ids else None


def _region(edit: Mapping, shown: Shown) -> Region | None:
    """The region of an edit's corners, as far as it lies on the page; None if there is none."""
    try:
        corners = np.array(edit.get("corners"), float)
    except (TypeError, ValueError):
        return None
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        return None
    corners = corners.clip(0, shown.size)
    if np.ptp(corners, axis=0).min() < LEAST_SIDE:
        return None
    return region_of(corners, shown.view_to_photo, edit.get("formula") is True)
