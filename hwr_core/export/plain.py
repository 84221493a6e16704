"""Pages as plain text, Markdown and JSON. `page.schema.json` is the schema of the JSON."""

import json
import re
from collections.abc import Mapping, Sequence

from hwr_core.export.tables import Row, blocks_of, grid_of
from hwr_core.reading import Line, Page, PageName


def to_txt(pages: Mapping[PageName, Page], paragraphs: bool = False) -> str:
    """Writes the pages' text. Several pages get a heading each; an empty line stands between `paragraphs`."""
    texts = [page.text.replace("\n", "\n\n") if paragraphs else page.text for page in pages.values()]
    if len(pages) == 1:
        return "".join(text + "\n" for text in texts)
    return "\n".join(f"# {name}\n{text}\n" for name, text in zip(pages, texts, strict=True))


def to_markdown(pages: Mapping[PageName, Page], paragraphs: bool = False) -> str:
    """Writes pages as Markdown: a heading a page, a line for each line, formulas as `$…$`.

    A table of at least two rows is a pipe table with its first row as the header. The cells of a single row stand
    with tabs between them. Struck-out words stand between `~~`. Characters of the text that have a meaning in
    Markdown are escaped.

    Args:
        pages: the pages, each by its identity or the name of its picture.
        paragraphs: whether each line is a paragraph, with an empty line after it.
    """
    between = "\n\n" if paragraphs else "\n"
    bodies = [between.join(map(_markdown_block, blocks_of(page))) for page in pages.values()]
    return "\n".join(f"## {escaped(str(name))}\n\n{body}\n" for name, body in zip(pages, bodies, strict=True))


def _markdown_block(rows: Sequence[Row]) -> str:
    cells = [[" ".join(map(_markdown_text, lines)) for lines in row] for row in grid_of(rows)]
    if len(rows) == 1:
        # Two spaces at its end are a line break in Markdown.
        return "\t".join(filter(None, cells[0])) + "  "
    head, *others = [f"| {' | '.join(map(_within_cell, row))} |" for row in cells]
    # A table stands between empty lines.
    return "\n".join(["", head, "|" + " --- |" * len(cells[0]), *others, ""])


def _markdown_text(line: Line) -> str:
    if line.formula:
        return f"${line.reading.text.strip()}$"
    return "".join(f"~~{escaped(part)}~~" if struck else escaped(part) for part, struck in line.reading.stretches)


def _within_cell(text: str) -> str:
    """The text with a backslash before every bar that has none: bare bars, as in formulas, end a cell."""
    return re.sub(r"(?<!\\)\|", r"\|", text)


def escaped(text: str) -> str:
    """The text with a backslash before every character that has a meaning in Markdown."""
    text = re.sub(r"([\\`*_\[\]<>|~$&])", r"\\\1", text)
    # Characters that start a heading, a list or a rule at the beginning of a line.
    return re.sub(
        r"^(\s*)([#+=-]|\d+(?=[.)](?:\s|$)))",
        lambda found: found[1] + (found[2] + "\\" if found[2].isdigit() else "\\" + found[2]),
        text,
    )


def to_json(pages: Mapping[PageName, Page]) -> str:
    """Writes a JSON list of pages: `Page.to_dict()` of each, with its `name`."""
    records = [{"name": str(name), **page.to_dict()} for name, page in pages.items()]
    return json.dumps(records, ensure_ascii=False, indent=2)
