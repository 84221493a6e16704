"""What was typed, line by line: a correction belongs to its line, whatever is written above or below."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwr_core.reading import Box, Page
from pages.drawing.correction import Correction
from pages.shared.my_words import join_corrected

LineKey = tuple[bool, Box]  # whether the line is a formula, and its box


@dataclass(frozen=True)
class Typed:
    """A text that was typed. `reading`: the key of the field's reading. `first`: the text that the field had before."""

    reading: str
    first: str
    text: str

    def put_into(self, correction: Correction) -> str | None:
        """The text of a field with what was typed; None if that belongs to none of its lines.

        The field of the last strokes may not have come yet when one typed. So lines are told by their text before.
        """
        if correction.key == self.reading or correction.current == self.first:
            return self.text
        lines, before, after = correction.current.split("\n"), self.first.split("\n"), self.text.split("\n")
        changed = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
        if len(before) != len(after) or not all(line in lines for line, _ in changed):
            return None
        for line, typed in changed:
            lines[lines.index(line)] = typed
        return "\n".join(lines)

    def put_where_offered(self, correction: Correction) -> str | None:
        """The field's text with this correction in each line that offers it again; None if no line does."""
        typed = set(self.text.split("\n")) - set(self.first.split("\n"))
        lines = correction.current.split("\n")
        if len(lines) != len(correction.earlier) or not typed & set(correction.earlier):
            return None
        pairs = zip(lines, correction.earlier, strict=True)
        return "\n".join(earlier if earlier in typed else line for line, earlier in pairs)


def with_typed(
    line_texts: Mapping[LineKey, str], page: Page, before: str | None, text: str, by_hand: bool
) -> dict[LineKey, str]:
    """The texts of lines, with those of a page that was corrected.

    Args:
        line_texts: What was typed for each line before.
        page: As it was read.
        before: Its text before; None if that was what `line_texts` make of it.
        text: Its new text.
        by_hand: Whether it was typed. Then its new words join My words, unless they stand in a formula.
    """
    found = dict(line_texts)
    parts = [line_texts.get((line.formula, line.box), line.reading.text) for line in page.lines]
    if before is not None and "\n".join(parts) != before:  # a table, whose cells share a line, or removed lines
        parts = before.split("\n")
    if not parts or len(parts) != len(page.lines):
        return found
    for line, part, line_text in zip(page.lines, parts, shared_out(parts, text), strict=True):
        if line_text is None:
            continue
        if by_hand and not line.formula:
            join_corrected(part, line_text)
        found.pop((line.formula, line.box), None)
        if line_text != line.reading.text:
            found[line.formula, line.box] = line_text
    return found


def shared_out(parts: Sequence[str], text: str) -> list[str | None]:
    """Which lines of a new text belong to each part of the text before; None where they were removed.

    A part can have several lines. Added lines belong to the part above them.
    """
    before = [(number, line) for number, part in enumerate(parts) for line in part.split("\n")]
    after = text.split("\n")
    found: list[list[str]] = [[] for _ in parts]
    matcher = difflib.SequenceMatcher(None, [line for _, line in before], after, autojunk=False)
    for _, start, end, first, last in matcher.get_opcodes():
        for place, line in enumerate(after[first:last], start):
            owner = before[min(place, max(0, end - 1))][0]
            found[owner].append(line)
    return ["\n".join(lines) if lines else None for lines in found]
