"""Pages as plain text, Markdown and JSON. `page.schema.json` is the schema of the JSON."""

import json
import re
from collections.abc import Mapping

from hwr_core.reading import Line, Page, PageName


def to_txt(pages: Mapping[PageName, Page]) -> str:
    """Writes the pages' text. Several pages get a heading each."""
    if len(pages) == 1:
        return "".join(page.text + "\n" for page in pages.values())
    return "\n".join(f"# {name}\n{page.text}\n" for name, page in pages.items())


def to_markdown(pages: Mapping[PageName, Page]) -> str:
    """Writes pages as Markdown: a heading a page, a line for each line, formulas as `$$…$$`.

    Characters of the text that have a meaning in Markdown are escaped.
    """
    bodies = ["\n".join(map(_markdown_line, page.lines)) for page in pages.values()]
    return "\n".join(f"## {escaped(str(name))}\n\n{body}\n" for name, body in zip(pages, bodies, strict=True))


def _markdown_line(line: Line) -> str:
    # Two spaces at its end are a line break in Markdown.
    return f"\n$$\n{line.reading.text}\n$$\n" if line.formula else f"{escaped(line.reading.text)}  "


def escaped(text: str) -> str:
    """The text with a backslash before every character that has a meaning in Markdown."""
    text = re.sub(r"([\\`*_\[\]<>|~$&])", r"\\\1", text)
    # Characters that start a heading, a list or a rule at the beginning of a line.
    return re.sub(
        r"^(\s*)([#+=-]|\d+(?=[.)]))",
        lambda found: found[1] + (found[2] + "\\" if found[2].isdigit() else "\\" + found[2]),
        text,
    )


def to_json(pages: Mapping[PageName, Page]) -> str:
    """Writes a JSON list of pages: `Page.to_dict()` of each, with its `name`."""
    records = [{"name": str(name), **page.to_dict()} for name, page in pages.items()]
    return json.dumps(records, ensure_ascii=False, indent=2)
