"""Edits of lines in the picture: what the viewer sends becomes the page's layout, once, and can be undone."""

import numpy as np
import pytest
from PIL import Image

from hwr_core.layout.regions import Region, box_on, region_at
from hwr_core.reading import Line, Page, Reading
from pages.workbench.edits import correct_line, id_of, page_id, take_edits
from pages.workbench.state import PageKey, PageState, PhotoState, Shown

DOUBLE = np.diag([2.0, 2.0, 1.0])  # the photo is twice as large as the picture
KEY = PageKey("file", 0)
FOUND = tuple(region_at((100, top, 900, top + 80), np.eye(3)) for top in (100, 200, 300))


@pytest.fixture
def state() -> PhotoState:
    state = PhotoState(current=KEY)
    state.page(KEY).shown = Shown(FOUND, (500, 500), DOUBLE, 90)
    texts = ("one", "two", "three")
    lines = tuple(
        Line(box_on(region, np.eye(3)), Image.new("L", (1, 1)), Reading(text, 0.9), region.outline)
        for region, text in zip(FOUND, texts, strict=True)
    )
    state.page(KEY).page = Page(lines, (1000, 1000))
    return state


def edit(state: PhotoState, *edits: dict, page: str | None = None) -> PageState:
    sent = [{"n": state.edits + place, "page": page or page_id(KEY), **one} for place, one in enumerate(edits, 1)]
    take_edits(state, {"edits": sent})
    return state.page(KEY)


def corners(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    """As the picture has them; in the photo they are twice as large."""
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def boxes(page: PageState) -> list[tuple[int, int, int, int]]:
    return [box_on(region, np.eye(3)) for region in page.regions or ()]


def test_a_drawn_box_takes_its_place_in_the_order_and_replaces_what_it_encloses(state):
    page = edit(state, {"op": "draw", "id": "new-1", "corners": corners(50, 195, 450, 235), "formula": True})
    assert [box[1] for box in boxes(page)] == [100, 200, 300, 390] and page.regions[3].formula
    edit(state, {"op": "draw", "id": "new-2", "corners": corners(40, 40, 460, 145)})
    assert boxes(page) == [(80, 80, 920, 290), (100, 300, 900, 380), (100, 390, 900, 470)]


def test_an_edit_counts_once_however_often_it_is_sent(state):
    delete = {"n": 1, "page": page_id(KEY), "op": "delete", "id": id_of(FOUND[0])}
    for _ in range(3):
        take_edits(state, {"edits": [delete]})
    take_edits(state, {"edits": [delete, {**delete, "n": 2, "id": id_of(FOUND[1])}]})
    assert state.page(KEY).regions == FOUND[2:] and state.edits == 2


def test_a_box_that_the_browser_knows_by_its_earlier_place_is_found(state):
    page = edit(state, {"op": "draw", "id": "new-1", "corners": corners(50, 200, 450, 240)})
    edit(state, {"op": "move", "id": "new-1", "corners": corners(50, 210, 450, 250)})
    edit(
        state,
        {"op": "move", "id": "new-1", "corners": corners(50, 220, 450, 260)},
        {"op": "kind", "id": "new-1", "formula": True},
    )
    assert boxes(page)[3] == (100, 440, 900, 520) and page.regions[3].formula
    edit(state, {"op": "delete", "id": "new-1"})
    assert page.regions == FOUND


def test_a_moved_line_keeps_its_correction(state):
    page = state.page(KEY)
    correct_line(page, FOUND[1].outline, "zwei")
    edit(state, {"op": "move", "id": id_of(FOUND[1]), "corners": corners(50, 300, 450, 340)})
    assert page.corrections == {page.regions[1].outline: "zwei"} and boxes(page)[1] == (100, 600, 900, 680)


def test_merged_lines_keep_both_texts_where_either_was_corrected(state):
    page = state.page(KEY)
    edit(state, {"op": "merge", "id": id_of(FOUND[0]), "other": id_of(FOUND[1])})
    assert boxes(page) == [(100, 100, 900, 280), (100, 300, 900, 380)] and not page.corrections
    page.undo()
    correct_line(page, FOUND[1].outline, "zwei")
    edit(state, {"op": "merge", "id": id_of(FOUND[0]), "other": id_of(FOUND[1])})
    assert list(page.corrections.values()) == ["one zwei"]


def test_of_a_box_what_lies_on_the_page_counts(state):
    page = edit(state, {"op": "draw", "id": "new-1", "corners": corners(-1e9, 240, 1e9, 280)})
    assert boxes(page)[-1] == (0, 480, 1000, 560)
    edit(state, {"op": "draw", "id": "new-2", "corners": corners(600, 240, 900, 280)})
    assert len(page.regions) == 4


def test_order_kind_turn_and_reset(state):
    page = edit(state, {"op": "swap", "id": id_of(FOUND[0]), "other": id_of(FOUND[2])})
    assert page.regions == (FOUND[2], FOUND[1], FOUND[0])
    edit(state, {"op": "kind", "id": id_of(FOUND[1]), "formula": True}, {"op": "turn", "by": -90})
    assert page.regions[1] == Region(FOUND[1].outline, True) and page.turn == "0"
    edit(state, {"op": "turn", "by": -90}, {"op": "turn", "by": -90})
    assert page.turn == "180", "both count, although the first is not shown yet"
    edit(state, {"op": "reset"})
    assert page.regions is None


def test_every_change_can_be_taken_back_in_its_order(state):
    page = state.page(KEY)
    correct_line(page, FOUND[0].outline, "eins")
    edit(state, {"op": "delete", "id": id_of(FOUND[1])})
    correct_line(page, FOUND[0].outline, "Eins")
    edit(state, {"op": "undo"})
    assert page.corrections == {FOUND[0].outline: "eins"} and page.fields[FOUND[0].outline] == 1
    edit(state, {"op": "undo"}, {"op": "undo"}, {"op": "undo"})
    assert page.regions is None and not page.corrections and not page.undo_stack


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"edits": "all"},
        {"edits": [None, 7, {"n": "1"}]},
        {"edits": [{"n": 1, "page": "other-0", "op": "delete", "id": id_of(FOUND[0])}]},
        {
            "edits": [
                {"n": 1, "page": page_id(KEY), "op": "draw", "corners": [[0, 0], [float("nan"), 0], [9, 9], [0, 9]]}
            ]
        },
        {"edits": [{"n": 1, "page": page_id(KEY), "op": "draw", "corners": [["a"]]}]},
        {"edits": [{"n": 1, "page": page_id(KEY), "op": "move", "id": id_of(FOUND[0]), "corners": "here"}]},
        {"edits": [{"n": 1, "page": page_id(KEY), "op": "swap", "id": id_of(FOUND[0]), "other": ["x"]}]},
        {"edits": [{"n": 1, "page": page_id(KEY), "op": "turn", "by": 45}]},
        {"edits": [{"n": 1, "page": page_id(KEY), "op": "format disk"}]},
    ],
)
def test_nonsense_from_a_browser_changes_nothing(state, value):
    take_edits(state, value)
    page = state.page(KEY)
    assert page.regions is None and page.turn is None and not page.undo_stack
