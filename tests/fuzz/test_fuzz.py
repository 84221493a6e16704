"""Odd input of all kinds, made by Hypothesis and from the API's own document by schemathesis: never anything but an answer or one sentence.

A few hundred cases here; `FUZZ=5000 python -m pytest tests/fuzz/test_fuzz.py` tries so many of each.
"""

import io
import os
import random

import numpy as np
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from hwr_core import HandwritingError, PreprocessSettings, load_recognizer, open_image, read_ink, read_page
from hwr_core.documents.document import open_document
from hwr_core.imaging.settings import LIMITS
from hwr_core.ink.canvas import strokes_of
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.regions import Region
from hwr_core.server.api import create_api
from pages.drawing import edits as drawing_edits
from pages.drawing.state import DrawState
from pages.workbench.edits import take_edits
from pages.workbench.state import PageKey, PhotoState, Shown
from tests.support.paths import SAMPLES

PATIENCE = 120  # seconds until an answer of the API: a busy machine gives it late
CASES = int(os.environ.get("FUZZ", "60"))
fuzz = settings(
    max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize="FUZZ" not in os.environ
)
# Not that what fits the document is accepted: a file of chance bytes is no picture.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
api = create_api()
schema = schemathesis.openapi.from_asgi("/openapi.json", api)
rejection = schema.config.checks.negative_data_rejection
rejection.expected_statuses = [*rejection.expected_statuses, "413"]  # what is too large need not be valid besides

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=6) | some.dictionaries(some.text(max_size=10), inner, max_size=6),
    max_leaves=20,
)
numbers = some.integers(-(10**6), 10**6) | some.floats() | some.text(max_size=3) | some.none()
commands = some.lists(some.sampled_from(["M", "Q", "L", "C", "Z", "", None, 7]) | numbers, max_size=8)
canvas_objects = some.lists(
    some.fixed_dictionaries(
        {},
        optional={
            "type": some.sampled_from(["path", "rect", "labeledRect", "group", "image", None, 3]), "path": some.lists(commands, max_size=12) | json_values,
            "left": numbers, "top": numbers, "width": numbers, "height": numbers, "scaleX": numbers, "scaleY": numbers, "angle": numbers,
            "pathOffset": json_values, "label": some.text(max_size=8) | some.none(), "flipX": some.booleans(), "objects": json_values,
        },
    )
    | json_values,
    max_size=6,
)  # fmt: skip
coordinates = some.floats(-1e7, 1e7) | some.sampled_from([0.0, 1e-12, float("nan"), float("inf"), -float("inf")])


@given(canvas_objects)
@fuzz
def test_whatever_the_canvas_sends_gives_strokes_or_none(objects):
    for stroke in strokes_of(objects):
        assert stroke.ndim == 2 and stroke.shape[1] == 2 and np.isfinite(stroke).all()


drawn = some.lists(
    some.fixed_dictionaries(
        {"n": some.integers(-3, 9) | json_values},
        optional={
            "op": some.sampled_from(["stroke", "erase", "move", "delete", "undo", "redo", "show"]) | json_values,
            "points": some.lists(some.integers(-5000, 5000), max_size=12) | some.lists(numbers, max_size=6) | json_values,
            "strokes": some.lists(some.integers(-2, 5), max_size=4) | json_values, "by": some.lists(numbers, max_size=3) | json_values,
            "version": some.integers(0, 3) | json_values,
        },
    )
    | json_values,
    max_size=9,
)  # fmt: skip


@given(drawn)
@fuzz
def test_whatever_the_canvas_tools_send_leaves_strokes(sent):
    state = DrawState()
    drawing_edits.take_edits(state, {"edits": {"session": state.session, "list": sent}}, 5, "#000000")
    assert len(state.strokes) == len(state.objects)
    assert all(np.isfinite(stroke).all() for stroke in state.strokes)


edits = some.lists(
    some.fixed_dictionaries(
        {"n": some.integers(-3, 9) | json_values, "page": some.just("file-0")},
        optional={
            "op": some.sampled_from(["draw", "move", "kind", "delete", "merge", "swap", "turn", "undo", "reset"]),
            "id": some.sampled_from(["0,0 90,0 90,9 0,9", "new-1"]) | json_values, "other": json_values, "by": json_values,
            "corners": some.lists(some.tuples(numbers, numbers), min_size=4, max_size=4) | json_values, "formula": json_values,
        },
    )
    | json_values,
    max_size=6,
)  # fmt: skip


@given(edits)
@fuzz
def test_whatever_the_viewer_sends_leaves_lines_on_the_page(sent):
    state = PhotoState(current=PageKey("file", 0))
    page = state.page(PageKey("file", 0))
    page.shown = Shown((Region(((0, 0), (90, 0), (90, 9), (0, 9))),), (200, 100), np.eye(3), 0)
    take_edits(state, {"edits": sent})
    for region in page.regions or ():
        assert len(region.outline) == 4 and all(0 <= x <= 200 and 0 <= y <= 100 for x, y in region.outline)


@given(
    some.lists(some.lists(some.tuples(coordinates, coordinates), max_size=30), max_size=8),
    some.sampled_from(["text", "math"]),
)
@fuzz
def test_any_drawing_gives_a_page(points, checkpoint):
    page = read_ink([np.array(stroke, float).reshape(-1, 2) for stroke in points], load_recognizer(checkpoint), beams=1)
    assert all(0 <= line.reading.confidence <= 1 for line in page.lines)


def scene(seed: int) -> Image.Image:
    """A picture of any size and mode: noise, stripes, writing, edges, all one colour."""
    rng = np.random.default_rng(seed)
    width, height = (int(2 ** rng.uniform(0, 10)) for _ in range(2))
    kind = seed % 6
    if kind == 0:
        grey = rng.integers(0, 256, (height, width))
    elif kind == 1:
        grey = np.full((height, width), rng.integers(0, 256))
    elif kind == 2:
        grey = 255 * (np.add.outer(np.arange(height), np.arange(width)) // int(rng.integers(1, 40)) % 2)
    else:
        grey = np.full((height, width), rng.integers(150, 256))
        written = np.asarray(
            render_line(write("some words", seed=seed), int(rng.integers(20, 90)), float(rng.uniform(1, 8)))
        )
        written = np.rot90(written, int(rng.integers(0, 4)))[:height, :width]
        grey[: written.shape[0], : written.shape[1]] = written
        if kind == 5:
            grey = 255 - grey
    image = Image.fromarray(grey.astype(np.uint8))
    return image.convert(["L", "RGB", "1", "RGBA", "CMYK", "P", "I", "F", "LA"][int(rng.integers(9))])


@given(some.integers(0, 2**31), some.data())
@fuzz
def test_any_picture_under_any_settings_gives_a_page(seed, data):
    chosen = {
        name: data.draw(some.sampled_from([low, high]) if isinstance(low, int) else some.floats(low, high))
        for name, (low, high) in LIMITS.items()
    }
    chosen |= {name: data.draw(some.booleans()) for name in ("perspective", "flatten", "deskew", "ruling", "crop")}
    chosen["threshold"] = data.draw(some.sampled_from(["none", "otsu", "adaptive", "sauvola", "manual"]))
    chosen["stroke"] = data.draw(some.sampled_from(["keep", "thin", "thicken", "normalise"]))
    chosen["turn"] = data.draw(some.sampled_from(["auto", "0", "90", "180", "270"]))
    image = scene(seed)
    page = read_page(image, load_recognizer("text"), PreprocessSettings(**chosen), beams=1)
    assert page.size == image.size
    for line in page.lines:
        left, top, right, bottom = line.box
        assert 0 <= left <= right <= image.width and 0 <= top <= bottom <= image.height


FILES = {path.name: path.read_bytes() for path in SAMPLES.iterdir()}
for kind in ("PNG", "TIFF", "WEBP", "GIF", "BMP", "PDF", "JPEG2000", "PPM"):
    packed = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(packed, kind)
    FILES[kind] = packed.getvalue()


@given(some.sampled_from(sorted(FILES)), some.integers(0, 2**31))
@fuzz
def test_a_damaged_file_is_a_picture_or_one_sentence(name, seed):
    rng, data = random.Random(seed), bytearray(FILES[name])
    for _ in range(rng.randint(1, 30)):
        data[rng.randrange(min(len(data), rng.choice((64, 2000, len(data)))))] = rng.randrange(256)
    data = bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
    try:
        document = open_document(data, "it")
        for index in range(min(document.count, 3)):
            assert document.page(index).width > 0
        open_image(data, "it")
    except HandwritingError as error:
        assert str(error).endswith(".") and "\n" not in str(error)


@given(
    json_values
    | some.dictionaries(some.sampled_from([*LIMITS, "turn", "flatten", "threshold"]), json_values, max_size=4)
)
@fuzz
def test_any_settings_are_settings_or_one_sentence(value):
    import json

    try:
        PreprocessSettings.from_json(json.dumps(value))
    except ValueError as error:
        assert str(error).endswith(".") and "\n" not in str(error)


@schema.parametrize()
@fuzz
def test_the_api_keeps_to_its_document(case):
    """No 500, no answer that the document does not describe."""
    case.call_and_validate(checks=CHECKS, timeout=PATIENCE)


@given(some.binary(max_size=300), some.sampled_from(["/ink", "/recognize", "/recognize?mode=line", "/checkpoints"]),
       some.sampled_from(["application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "\xff"]))  # fmt: skip
@fuzz
def test_any_bytes_are_answered(body, path, kind):
    with TestClient(api, raise_server_exceptions=False) as client:
        answer = client.post(path, content=body, headers={b"content-type": kind.encode("latin-1")})
    assert 400 <= answer.status_code < 500, answer.text
