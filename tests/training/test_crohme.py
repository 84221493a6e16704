"""CROHME's formulas come apart as their trees say; invented ones are made of what the vocabulary writes."""

import gzip
import json
import random

import cv2
import numpy as np
import pytest
import torch

from hwr_core.checkpoints.pixels import CELL, FormulaPixels
from hwr_core.decoding.latex_grammar import Grammar
from training.data.charset import SPECIAL
from training.data.crohme import crohme, drawings, part_of
from training.data.detexify import SIZE
from training.data.formula_symbols import hershey, vocabulary
from training.data.formula_tree import Placed
from training.fit.train import guidance
from training.synthesis.formula_stream import IGNORED, FormulaStream, collate, fitted, moved, scribble
from training.synthesis.formula_texts import SCHOOL, school, varied
from training.synthesis.symbol_drawings import FROM_FONTS


def square(x: float, y: float, side: float = 10.0) -> list[float]:
    return [x, y, x + side, y, x + side, y + side, x, y + side, x, y + 1]


# \frac { a + 1 } { 2 } - b, written by w0 to w19.
SYMBOLS = [["a", [0]], ["+", [1]], ["1", [2]], ["-", [3]], ["2", [4]], ["-", [5]], ["b", [6]]]
STROKES = [
    square(0, 0),
    square(14, 0),
    square(28, 0),
    [0, 15, 40, 15],
    square(14, 20),
    [50, 15, 58, 16],
    square(64, 10),
]
ROW = ["mrow", ["mi", 0], ["mrow", ["mo", 1], ["mn", 2]]]
TREE = ["math", ["mrow", ["mfrac", 3, ROW, ["mn", 4]], ["mrow", ["mo", 5], ["mi", 6]]]]
NORM = r"\frac { a + 1 } { 2 } - b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    record = {
        "truth": r"$\frac{a+1}{2}-b$",
        "norm": NORM,
        "strokes": STROKES,
        "symbols": SYMBOLS,
        "tree": TREE,
        "split": "train",
    }
    test = {
        "truth": r"$\frac{a+1}2-b$",
        "norm": None,
        "strokes": STROKES,
        "symbols": None,
        "tree": None,
        "split": "test2013",
        "writer": None,
    }
    with gzip.open(folder / "crohme.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"id": str(n), "writer": f"w{n:02}", **record}) + "\n" for n in range(20))
        file.write(json.dumps({"id": "t", **test}) + "\n")
    return folder


def test_writers_are_parted_and_a_fractions_bar_is_told_from_a_minus(folder):
    train, dev, test = (crohme(split, folder) for split in ("train", "dev", "test2013"))
    assert (
        {f.writer for f in dev} == {"w00", "w16"}
        and len(train) == 18
        and not {f.writer for f in train} & {f.writer for f in dev}
    )
    assert test[0].tokens == train[0].tokens == NORM.split()
    assert [token for token, _ in train[0].symbols] == ["a", "+", "1", r"\frac", "2", "-", "b"]


def test_parts_keep_their_strokes_and_say_what_is_in_them(folder):
    formula = crohme("train", folder)[0]
    rng = random.Random(0)
    found = {}
    for _ in range(200):
        if (part := part_of(formula, rng)) is not None:
            found[" ".join(part.tokens)] = part
    assert set(found) >= {"a + 1", "+ 1", "- b"} and NORM not in found
    part = found["+ 1"]
    assert [np.array_equal(a, b) for a, b in zip(part.strokes, formula.strokes[1:3], strict=True)] == [True, True]
    assert part.symbols == [("+", [0]), ("1", [1])] and [token.place for token, _ in part.symbols] == [0, 1]


def test_symbols_know_their_place_among_the_tokens(folder):
    formula = crohme("train", folder)[0]
    assert [formula.tokens[token.place] for token, _ in formula.symbols] == ["a", "+", "1", r"\frac", "2", "-", "b"]
    assert crohme("test2013", folder)[0].symbols == []


def test_a_renamed_formula_has_other_ink_where_it_has_other_tokens(folder):
    stream = FormulaStream.__new__(FormulaStream)
    stream.rng, stream.kind = random.Random(4), {"a": ["a", "c", "e"], "b": ["b", "d", "h"], "2": ["3", "4"]}
    round_ = np.array(square(0, 0)).reshape(-1, 2) / 10
    stream.symbols = {token: [[round_, round_ + 0.1]] for token in "aceb1dh234+-"}
    formula = crohme("train", folder)[0]
    seen = set()
    for _ in range(100):
        ink, tokens = stream.swapped(formula)
        seen.add(" ".join(tokens))
        assert all(new == old or old in "ab2" for new, old in zip(tokens, formula.tokens, strict=True))
        assert all(tokens[token.place] == token for token, _ in ink)
        changed = {token.place for token, stroke in ink if formula.tokens[token.place] != token}
        kept = [
            place
            for place in changed
            if any(stroke is old for token, stroke in ink for old in formula.strokes if token.place == place)
        ]
        assert not kept
    assert NORM in seen and len(seen) > 5


def test_drawings_are_in_units_of_the_digits_and_leave_bars_out(folder):
    found = drawings(crohme("train", folder))
    assert set(found) == {"a", "+", "1", "2", "-", "b"}
    points = np.concatenate(found["2"][0])
    assert np.allclose(np.ptp(points, 0), 1) and np.allclose(points.min(0) + points.max(0), 0)


def test_every_token_beyond_crohmes_has_a_drawing_or_is_laid_out():
    from training.synthesis.formula_layout import UNDRAWN

    tokens = vocabulary([NORM.split()])
    assert len(tokens) == len(set(tokens))
    drawn = {
        *hershey(),
        *SIZE,
        *FROM_FONTS,
        "-",
        r"\%",
        r"\prime",
        r"\ldots",
        r"\cdot",
    }  # by Hershey, Detexify, fonts; CROHME's own
    assert {token for token in tokens if token not in drawn} <= UNDRAWN | {r"\sqrt"}
    assert all(np.isfinite(np.concatenate(strokes)).all() for kinds in hershey().values() for strokes in kinds)


def test_invented_formulas_are_well_formed_and_varied_ones_keep_their_shape():
    rng = random.Random(1)
    tokens = sorted({token for _ in range(3000) for token in school(rng)})
    grammar = Grammar([*SPECIAL, *tokens], 2, range(4))
    assert all(grammar.accepts(school(rng)) for _ in range(500))
    assert len({" ".join(school(rng)) for _ in range(300)}) > 150 and len(SCHOOL) > 100
    changed = [varied(["x", "+", "2", "=", "x"], rng) for _ in range(50)]
    assert all(new[1] == "+" and new[3] == "=" and new[0] == new[4] for new in changed)
    assert len({tuple(new) for new in changed}) > 10


def test_hands_move_ink_but_keep_its_tokens_and_scribbles_have_none():
    rng = random.Random(2)
    ink = [(Placed("a"), np.array(square(0, 0)).reshape(-1, 2)), (Placed("b"), np.array(square(20, 0)).reshape(-1, 2))]
    changed = moved(ink, rng)
    assert [token for token, _ in changed] == ["a", "b"] and not np.allclose(changed[0][1], ink[0][1])
    assert np.abs(np.concatenate([s for _, s in changed]) - np.concatenate([s for _, s in ink])).max() < 20
    assert all(token == "" for token, _ in scribble(rng))
    place = np.array([[100.0, 100.0], [120.0, 110.0]])
    put = np.concatenate(fitted([ink[0][1]], place, rng))
    assert np.allclose((put.min(0) + put.max(0)) / 2, (110, 105)) and 10 < np.ptp(put, 0).max() < 25


def test_a_picture_says_in_which_cells_each_token_is():
    stream = FormulaStream.__new__(FormulaStream)
    stream.rng, stream.processor, stream.ids = random.Random(3), FormulaPixels(), {"a": 7, "b": 9}
    ink = [
        (Placed("a", 1), np.array(square(0, 0)).reshape(-1, 2)),
        (Placed(""), np.array([[20.0, 5.0], [30.0, 5.0]])),
        (Placed("b"), np.array(square(40, 0)).reshape(-1, 2)),
    ]
    grey, both = stream.picture(ink)
    cells, places = both
    assert grey.shape == (cells.shape[0] * CELL, cells.shape[1] * CELL) and set(np.unique(cells)) == {IGNORED, 7, 9}
    assert set(np.unique(places)) == {IGNORED, 1} and np.array_equal(places == 1, cells == 7)
    columns = {token: np.flatnonzero((cells == token).any(0)) for token in (7, 9)}
    assert columns[7].max() < columns[9].min()
    dark = cv2.resize(grey, cells.shape[::-1], interpolation=cv2.INTER_AREA)
    assert dark[cells >= 0].mean() < dark[cells < 0].mean() - 20
    batch = collate([(grey, [7, 9], both), (grey[:, :CELL], [7], both[:, :, :1])])
    assert batch.targets.tolist() == [[7, 9, 2], [7, 2, -100]] and batch.pixels.shape[2:] == grey.shape
    assert (batch.cells[1, :, :, 1:] == IGNORED).all() and np.array_equal(batch.cells[0].numpy(), both)


def test_guidance_is_low_where_the_heads_look_at_the_ink_of_the_token_to_be_written():
    places = torch.tensor([[[0, IGNORED], [2, 2]]])  # a token without ink between
    looking = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5]]).expand(1, 4, 3, 4)
    assert guidance([looking], places, 3).item() == pytest.approx(0, abs=1e-6)
    assert guidance([looking[:, :, [2, 1, 0]]], places, 3).item() > 5
    heads = torch.cat([looking[:, :2], looking[:, 2:, [2, 1, 0]]], 1)  # the others are free
    assert guidance([heads], places, 3).item() == pytest.approx(0, abs=1e-6)
    assert guidance([looking], torch.full_like(places, IGNORED), 3).item() == 0
