"""Symbols that a formula's LaTeX lacks are told by the encoder's head."""

import numpy as np
import pytest

from hwr_core.decoding.unread_symbols import SeenSymbol, seen_symbols, unread_stretches

NAMES = ["<pad>", "{", "}", "^", "x", "+", "1", "=", "\\sin", "\\frac"]
CELL = 8


def seen(text: str) -> list[SeenSymbol]:
    """Each symbol in a tenth of the width."""
    return [SeenSymbol(NAMES.index(name), place / 10, (place + 1) / 10) for place, name in enumerate(text.split())]


def tokens(text: str) -> list[int]:
    return [NAMES.index(name) for name in text.split()]


def test_neighbouring_cells_of_one_symbol_are_one_and_cells_without_ink_are_none():
    logits = np.zeros((4, 10, len(NAMES)))
    logits[:, :3, 4] = 9  # x
    logits[1:3, 5:7, 6] = 9  # 1
    logits[:, 8:, 7] = 9  # = where no ink is
    picture = np.ones((4 * CELL, 10 * CELL))
    picture[4:12, 2:20] = -1
    picture[12:20, 42:50] = -1
    found = seen_symbols(logits, picture)
    assert [(NAMES[symbol.token], symbol.left, symbol.right) for symbol in found] == [("x", 0.0, 0.3), ("1", 0.5, 0.7)]


def test_an_unsure_cell_is_no_symbol():
    assert seen_symbols(np.zeros((2, 2, len(NAMES))), np.full((16, 16), -1.0)) == []


@pytest.mark.parametrize(
    ("written", "stretches"),
    [
        ("x ^ { 1 } + 1 = x", ()),
        ("x ^ { 1 } + 1 =", ()),  # one symbol less: a misread sign
        ("x ^ { 1 } + 1", ((0.4, 0.6),)),
        ("+ 1 = x", ((0.0, 0.2),)),
        ("x", ((0.0, 0.5),)),  # which of two alike was read is not known: the last
    ],
)
def test_the_stretch_whose_symbols_are_lacking(written, stretches):
    assert unread_stretches(seen("x 1 + 1 = x"), tokens(written), NAMES) == stretches


def test_the_letters_of_a_name_count_once():
    assert unread_stretches(seen("\\sin \\sin \\sin x = 1"), tokens("\\sin x = 1"), NAMES) == ()


def test_another_symbol_in_a_place_is_read_rightly_or_not():
    assert unread_stretches(seen("x + 1 + 1"), tokens("x = x = x"), NAMES) == ()
